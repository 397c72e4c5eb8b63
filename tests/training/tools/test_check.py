import json

from vidan.cli.main import main

from ..drawn import draw


def test_check_reports_statistics_over_several_sets(here):
    draw(here / "drawn", 3)
    folder = here / "run"
    assert main(["data", "check", "data=[drawn,drawn]", f"run_dir={folder}"]) == 0
    found = json.loads((folder / "data.json").read_text())
    assert found["images"] == 6
    assert found["boxes"] == {"disc": 6, "square": 6}
    assert (folder / "contact_sheet.jpg").stat().st_size > 1000
    assert found["sizes"]["disc"]["fit"] == 1
