"""The scene of a run is edited while it runs."""

import json
import threading
import urllib.error
import urllib.request

import pytest

import vidan
from tests.plugins.sinks.web.editor.server import TOKEN
from vidan.config.compose import compose
from vidan.errors import ConfigError
from vidan.execution.execute import prepare

OLD = {"from": [0.5, 0], "to": [0.5, 1]}
NEW = {"from": [0.4, 0], "to": [0.4, 1]}

RUN = [
    "source=synthetic", "source.live=true", "source.rate=60",
    "source.width=160", "source.height=96",
    "detector=mot", "detector.path=det.txt", "tracker=sort", "tracker.min_hits=0",
    "scene=shop.yaml", "sink=[web]", "sink.web.port=0", "sink.web.edit=true",
    f"sink.web.token={TOKEN}",
]  # fmt: skip


@pytest.fixture
def folder(here):
    # From one side to the other and back, again and again: 8 px per frame.
    places = [*range(0, 128, 8), *range(128, 0, -8)]
    rows = [f"{n + 1},-1,{places[n % 32]},20,30,50,1,-1,-1,-1\n" for n in range(5000)]
    (here / "det.txt").write_text("".join(rows))
    (here / "shop.yaml").write_text(json.dumps({"lines": {"old": OLD}}))
    return here


class Editor:
    """The client."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, body=None, **headers):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}",
            body,
            {"Authorization": f"Bearer {TOKEN}"} | headers,
            method="PUT" if body else "GET",
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()

    def read(self):
        return json.loads(self.ask("scene.json"))

    def write(self, scene):
        headers = {"Content-Type": "application/json", "If-Match": self.read()["version"]}
        return self.ask("scene.json", json.dumps(scene).encode(), **headers)


def totals(summary):
    found = {}
    for each in summary["measures"]:
        if each["name"] == "line_crossings_total":
            line = each["labels"]["line"]
            found[line] = found.get(line, 0) + each["value"]
    return found


@pytest.mark.parametrize("trace", [False, True])
def test_a_line_that_is_drawn_counts_at_once_and_others_go_on(folder, trace):
    prepared = prepare(compose([*RUN, f"trace={trace}", "run_dir=out"]))
    counted = threading.Event()
    stream = prepared.streams[""]

    def progress(_):
        values = {
            dict(m.labels).get("line"): v for m, v in stream.stream.analysis.measures().items()
        }
        if values.get("new", 0) >= 2:
            counted.set()

    web = next(iter(stream.parts.sinks.values()))
    editor = Editor(getattr(web, "_sink", web).port)
    runner = threading.Thread(target=prepared.run, args=[progress])
    runner.start()
    try:
        given = editor.read()
        assert given["live"]
        assert given["scene"] == {"lines": {"old": OLD}}
        assert b"<svg" in editor.ask("edit")
        editor.write({"lines": {"new": NEW, "old": OLD}})
        assert counted.wait(30)
        assert editor.ask("frame.jpg")[:2] == b"\xff\xd8"
    finally:
        prepared.pipeline.interrupt()
        runner.join(30)
        assert not runner.is_alive()
    first = totals(json.loads((folder / "out/summary.json").read_text()))
    assert first["old"] >= first["new"] >= 2

    # The counts are those of the edited scene: the next run continues them.
    second = totals(vidan.run([*RUN, "run_dir=out2", "max_frames=3"]))
    assert second["old"] >= first["old"]
    assert second["new"] >= first["new"]


def test_editing_needs_a_token(folder):
    with pytest.raises(ConfigError, match=r"sink\.web\.edit=true.*set sink\.web\.token"):
        prepare(compose([*RUN, "sink.web.token=null", "run_dir=out"]))


def test_editing_needs_a_scene_file(folder):
    arguments = [each for each in RUN if not each.startswith("scene=")]
    with pytest.raises(
        ConfigError, match=r"sink\.web\.edit=true: nothing to edit: set scene=<file>"
    ):
        prepare(compose([*arguments, "run_dir=out"]))


def test_without_the_option_nothing_can_be_edited(folder):
    prepared = prepare(compose([*RUN, "sink.web.edit=false", "run_dir=out", "max_frames=40"]))
    editor = Editor(next(iter(prepared.streams[""].parts.sinks.values())).port)
    runner = threading.Thread(target=prepared.run)
    runner.start()
    try:
        for path in ("edit", "scene.json", "frame.jpg"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                editor.ask(path)
    finally:
        prepared.pipeline.interrupt()
        runner.join(30)
        assert not runner.is_alive()
