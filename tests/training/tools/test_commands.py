import cv2
import numpy as np
import pytest

from vidan.cli.main import main
from vidan_training.data import formats

from ..drawn import draw


@pytest.mark.parametrize("command", ["convert", "split", "check"])
def test_help_lists_the_options(capsys, command):
    assert main(["data", command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"vidan data {command}" in out
    assert "rename: null" in out


def test_convert_renames_and_writes_another_format(here, capsys):
    draw(here / "drawn", 4)
    arguments = ["data", "convert", "from=drawn", "to=out", "format=yolo", "rename={disc:round}"]
    assert main(arguments) == 0
    assert "4 images, 4 round, 4 square" in capsys.readouterr().out
    assert formats.read(here / "out").labels == ("round", "square")
    assert main(arguments) != 0  # the folder exists
    assert "remove it, or choose another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "to=x", "format=voc"], "missing from: set from="),
        (["convert", "from=none", "to=x", "format=voc"], "no data in 'none'"),
        (["convert", "from=drawn", "to=x", "format=vocc"], "did you mean 'voc'"),
        (["split", "from=drawn", "to=x", "parts={a:0.5}"], "add up to 1"),
    ],
)
def test_errors_are_a_single_line(here, capsys, arguments, message):
    draw(here / "drawn", 1)
    assert main(["data", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len([line for line in err.splitlines() if "error" in line]) == 1


def test_split_keeps_near_duplicates_together(here):
    draw(here / "drawn", 6)
    for number in range(6):  # different noise, and one pair that differs only in brightness
        rng = np.random.default_rng(min(number, 4))
        image = cv2.resize(rng.integers(0, 200, (8, 8, 3)).astype(np.uint8), (120, 100))
        cv2.imwrite(str(here / f"drawn/images/image{number}.png"), image + 10 * (number == 5))
    assert main(["data", "split", "from=drawn", "to=out", "parts={a:0.5,b:0.5}"]) == 0
    parts = [{p.name for p in formats.read(here / "out" / part).images} for part in "ab"]
    assert sorted(map(len, parts)) == [3, 3] or sorted(map(len, parts)) == [2, 4]
    assert not parts[0] & parts[1]
    assert any({"image4.png", "image5.png"} <= part for part in parts)
