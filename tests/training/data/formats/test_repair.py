import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from vidan.errors import SourceError
from vidan_training.data import formats
from vidan_training.data.formats.issues import IssueLog
from vidan_training.data.formats.repair import RawAnnotation, repair, upright
from vidan_training.data.image_files import EXIF_ORIENTATION, ImageFile


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((100, 200, 3), np.uint8))
    return ImageFile(path)


def raw(image, corners, normalized=False, declared=(200, 100)):
    return RawAnnotation("a.xml", image, "a.png", ["x"], [corners], normalized, declared)


@pytest.mark.parametrize(
    ("corners", "normalized", "kind", "box"),
    [
        ((10, 20, 30, 40), False, None, (10, 20, 30, 40)),
        ((0.1, 0.2, 0.5, 0.4), True, None, (20, 20, 100, 40)),
        ((30, 20, 10, 40), False, "swapped", (10, 20, 30, 40)),
        ((-5, 20, 30, 140), False, "outside", (0, 20, 30, 100)),
        ((0, 0, 200.005, 100), False, None, (0, 0, 200, 100)),  # rounding
        ((0.1, 0.2, 0.5, 0.4), False, "unit", (20, 20, 100, 40)),
        ((10, 20, 30, 40), True, "unit", (10, 20, 30, 40)),
        ((10, 20, 10, 40), False, "empty", None),
        ((210, 20, 230, 40), False, "empty", None),
        ((float("nan"), 20, 230, 40), False, "not a number", None),
    ],
)
@pytest.mark.parametrize("policy", ["repair", "drop", "error"])
def test_boxes_are_repaired_left_out_or_errors(image, corners, normalized, kind, box, policy):
    issues = IssueLog(policy)
    if kind and policy == "error":
        with pytest.raises(SourceError, match=rf"a\.xml: box 1: {kind}"):
            repair(raw(image, corners, normalized), issues)
        return
    result = repair(raw(image, corners, normalized), issues)
    assert [(i.kind, i.box) for i in issues.issues] == ([(kind, 1)] if kind else [])
    kept = box is not None and not (kind and policy == "drop")
    assert result.boxes == pytest.approx(np.array([box] if kept else []).reshape(-1, 4))


def test_pixels_counted_from_one(image):
    # the first pixel alone is 1,1,1,1 there, and 0,0,1,1 here
    assert repair(raw(image, (1, 1, 3, 3)), IssueLog(), True).boxes.tolist() == [[0, 0, 3, 3]]


@pytest.mark.parametrize(
    ("declared", "box"),
    [
        ((400, 200), (5, 10, 15, 20)),  # resized later, by half
        (None, (10, 20, 30, 40)),
        ((0, 0), (10, 20, 30, 40)),
        ((100, 200), (10, 20, 30, 40)),  # width and height exchanged
    ],
)
def test_a_wrong_image_size(image, declared, box):
    issues = IssueLog()
    result = repair(raw(image, (10, 20, 30, 40), declared=declared), issues)
    assert [i.kind for i in issues.issues] == ["image size"]
    assert result.size == (200, 100)
    assert result.boxes.tolist() == [pytest.approx(box)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_with_the_image(tmp_path, orientation):
    """A white box, stored at 4,2 to 12,10, still covers exactly the white pixels when upright."""
    image = np.zeros((20, 40, 3), np.uint8)
    image[2:10, 4:12] = 255
    exif = Pillow.Exif()
    exif[EXIF_ORIENTATION] = orientation
    path = tmp_path / "a.png"
    Pillow.fromarray(image).save(path, exif=exif)
    shown = ImageFile(path).decode()
    assert shown.shape == ((40, 20, 3) if orientation >= 5 else (20, 40, 3))
    (box,) = upright(np.array([[4 / 40, 2 / 20, 12 / 40, 10 / 20]]), orientation)
    x1, y1, x2, y2 = np.rint(box * (shown.shape[1::-1] * 2)).astype(int)
    assert (shown[y1:y2, x1:x2] == 255).all()
    assert (x2 - x1) * (y2 - y1) == 64 == (shown == 255).all(axis=2).sum()
    if orientation >= 5:  # the declared size shows that the boxes were drawn before rotation
        issues = IssueLog()
        result = repair(raw(ImageFile(path), (4, 2, 12, 10), declared=(40, 20)), issues)
        assert result.boxes.tolist() == [pytest.approx([x1, y1, x2, y2])]
        assert [i.kind for i in issues.issues] == ["orientation"]


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "LA"])
def test_images_of_all_pixel_modes(tmp_path, mode):
    path = tmp_path / "ünï.x"
    image = Pillow.new("RGB", (30, 20), (204, 204, 204)).convert("RGBA" if mode == "LA" else "RGB")
    image.convert(mode).save(path, "JPEG" if mode == "CMYK" else "PNG")
    pixels = ImageFile(path).decode()
    assert pixels.shape == (20, 30, 3)
    assert np.abs(pixels.astype(int) - 204).max() <= 8


XML = """<annotation><filename>C:\\photos\\{name}</filename><size><width>30</width>
<height>20</height></size><object><name>a</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax>
<ymax>9</ymax></bndbox></object></annotation>"""


def test_flat_voc_with_windows_paths_and_unicode_names(tmp_path):
    cv2.imencode(".png", np.zeros((20, 30, 3), np.uint8))[1].tofile(tmp_path / "caf\u00e9.PNG")
    text = XML.format(name="cafe\u0301.png")  # another Unicode normalization
    (tmp_path / "x.xml").write_text(text, encoding="utf-8")
    dataset = formats.read(tmp_path)
    assert dataset.labels == ("a",)
    assert dataset.images[0].name == "caf\u00e9.PNG"
    assert [i.kind for i in dataset.issues] == ["file name"]
