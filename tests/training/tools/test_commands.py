import json

import cv2
import numpy as np
import pytest

from vidan.cli.main import main
from vidan_training.data import formats
from vidan_training.tools.similar import near_duplicates, thumbnail

from ..drawn import draw


@pytest.mark.parametrize("command", ["convert", "split", "check"])
def test_help(capsys, command):
    assert main(["data", command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"vidan data {command}" in out
    assert "rename: null" in out


def test_convert(here, capsys):
    draw(here / "drawn", 4)
    arguments = ["data", "convert", "from=drawn", "to=out", "format=yolo", "rename={disc:round}"]
    assert main(arguments) == 0
    assert "4 pictures, 4 round, 4 square" in capsys.readouterr().out
    assert formats.read(here / "out").labels == ("round", "square")
    assert main(arguments) != 0  # it is there already
    assert "remove it, or choose another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "to=x", "format=voc"], "from is missing"),
        (["convert", "from=none", "to=x", "format=voc"], "no data in 'none'"),
        (["convert", "from=drawn", "to=x", "format=vocc"], "did you mean 'voc'"),
        (["split", "from=drawn", "to=x", "parts={a:0.5}"], "add up to 1"),
    ],
)
def test_what_is_wrong_is_one_line(here, capsys, arguments, message):
    draw(here / "drawn", 1)
    assert main(["data", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len([line for line in err.splitlines() if "error" in line]) == 1


def test_split_keeps_what_looks_alike_together(here):
    draw(here / "drawn", 6)
    for number in range(6):  # noise of its own, and one pair that is the same but for brightness
        rng = np.random.default_rng(min(number, 4))
        image = cv2.resize(rng.integers(0, 200, (8, 8, 3)).astype(np.uint8), (120, 100))
        cv2.imwrite(str(here / f"drawn/images/picture{number}.png"), image + 10 * (number == 5))
    assert main(["data", "split", "from=drawn", "to=out", "parts={a:0.5,b:0.5}"]) == 0
    parts = [{p.name for p in formats.read(here / "out" / part).pictures} for part in "ab"]
    assert sorted(map(len, parts)) == [3, 3] or sorted(map(len, parts)) == [2, 4]
    assert not parts[0] & parts[1]
    assert any({"picture4.png", "picture5.png"} <= part for part in parts)


def test_mirrored_and_brighter_images_are_near_duplicates():
    rng = np.random.default_rng(0)
    image, other = (
        cv2.resize(rng.integers(0, 200, (8, 8, 3)).astype(np.uint8), (90, 60)) for _ in range(2)
    )
    plain = np.full((60, 90, 3), 128, np.uint8)
    looks = [thumbnail(i) for i in (image, other, image + 30, image[:, ::-1], plain, plain)]
    pairs = near_duplicates(np.stack(looks), 0.9)
    found = {(p.first, p.second, p.mirrored) for p in pairs}
    assert found == {(0, 2, False), (0, 3, True), (2, 3, True)}


def test_check_finds_leaks_between_sets(here):
    draw(here / "drawn", 3)
    folder = here / "run"
    assert main(["data", "check", "data=[drawn,drawn]", f"run_dir={folder}"]) == 0
    found = json.loads((folder / "data.json").read_text())
    assert found["pictures"] == 6
    assert found["boxes"] == {"disc": 6, "square": 6}
    assert (folder / "contact_sheet.jpg").stat().st_size > 1000
    assert found["sizes"]["disc"]["fit"] == 1


def test_near_duplicates_of_real_data(data, tmp_path):
    """All pairs that were found by others, whose images are both here."""
    for name in ("facemask", "facemask_hard"):
        pictures = formats.read(data / name, one_based=False).pictures
        names = [p.name for p in pictures]
        pairs = near_duplicates(np.stack([thumbnail(p.file.decode()) for p in pictures]), 0.9)
        found = {frozenset((names[p.first], names[p.second])) for p in pairs}
        lines = (data / name / "near_duplicates_within.txt").read_text().splitlines()
        wanted = {frozenset(line.split()[:2]) for line in lines}
        there = {pair for pair in wanted if pair <= set(names)}
        assert there <= found
        assert len(found - there) <= 1
