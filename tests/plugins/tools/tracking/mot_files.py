"""Writes small sequences in MOTChallenge layout: people walking on parallel lines."""

import cv2
import numpy as np


def boxes(people, frames):
    """Rows (frame, id, x, y, w, h) of people 100 px apart who walk 3 px per frame."""
    return [
        (frame, person, 50 + 3 * frame, 100 * person, 40, 80)
        for frame in range(1, frames + 1)
        for person in range(1, people + 1)
    ]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{v:g}" for v in row) + "\n" for row in rows))
    return path


def truth(path, rows):
    """A gt.txt as in MOT17: every box counts, is a pedestrian, and fully visible."""
    return write(path, [(*row, 1, 1, 1) for row in rows])


def results(path, rows):
    return write(path, [(*row, 1, -1, -1, -1) for row in rows])


def detections(path, rows, missing=()):
    """A det.txt, without the frames in `missing`."""
    return write(path, [(r[0], -1, *r[2:], 0.9) for r in rows if r[0] not in missing])


def info(folder, frames, rate=25):
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nframeRate={rate}\nseqLength={frames}\n"
        "imWidth=640\nimHeight=480\n"
    )


def sequence(root, name, people=2, frames=20, missing=()):
    """A complete sequence in the official layout; returns its rows."""
    rows = boxes(people, frames)
    detections(root / name / "det" / "det.txt", rows, missing)
    truth(root / name / "gt" / "gt.txt", rows)
    info(root / name, frames)
    return rows


def features(path, rows, size=8):
    """An .npy: the columns of det.txt, and a vector that separates people."""
    vectors = np.eye(size)[[row[1] for row in rows]]
    columns = [(row[0], -1, *row[2:], 0.9) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.column_stack([np.array(columns), vectors]))


def images(folder, frames, size=(480, 640), color=(0, 0, 0)):
    """Equal images of one RGB color in a sequence's folder."""
    (folder / "img1").mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(".png", np.full((*size, 3), color[::-1], np.uint8))
    for frame in range(1, frames + 1):
        (folder / "img1" / f"{frame:06d}.png").write_bytes(data.tobytes())
