from itertools import chain

import pytest

from tests.vidan.support.test_yaml_limit import BOMB
from vidan import ConfigError
from vidan.config.compose import compose
from vidan.config.shards import Shard
from vidan.config.streams import stream_configs

BASE = ["source=file", "source.path=a.mp4", "tracker=sort"]


def configs(streams, *overrides, folder=None):
    """The configurations of streams in a file, or in an override."""
    if folder is not None:
        (folder / "shop.yaml").write_text(streams)
        streams = str(folder / "shop.yaml")
    given = [*BASE, f"streams={streams}", *overrides]
    return stream_configs(compose(given), given)


def test_a_stream_overrides_what_the_command_line_says(tmp_path):
    file = """
    door:
      source: {name: rtsp, path: "rtsp://u:p@10.0.0.1/live?a=1,2"}
      scene.lines.way: {from: [0, 0.5], to: [1, 0.5], in: left}
      sink: [events, counts]
    hall:
      source.path: "video (1).mp4"
      tracker: {name: steady, coast: 0.2}
      max_frames: 7
    """
    found = configs(file, "max_frames=9", "sink=[jsonl]", folder=tmp_path)
    door, hall = found["door"], found["hall"]
    assert list(found) == ["door", "hall"]
    assert (door.source.name, door.source.path) == ("rtsp", "rtsp://u:p@10.0.0.1/live?a=1,2")
    assert door.scene.lines.way == {"from": [0, 0.5], "to": [1, 0.5], "in": "left"}
    assert (list(door.sink), door.tracker.name, door.max_frames) == (
        ["events", "counts"],
        "sort",
        9,
    )
    assert (hall.source.name, hall.source.path) == ("file", "video (1).mp4")
    assert (hall.tracker.name, hall.tracker.coast, hall.max_frames) == ("steady", 0.2, 7)
    assert list(hall.sink) == ["jsonl"]


def test_frames_have_the_name_of_their_stream():
    found = configs("{a:{},b:{source:synthetic}}")
    assert [each.source.stream for each in found.values()] == ["a", "b"]


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        ("a: {sorce: file}", "stream 'a': it cannot override 'sorce': did you mean 'source'"),
        ("a: {source: flie}", "stream 'a': unknown source 'flie': did you mean 'file'"),
        ("a: {tracker.max_agee: 3}", "stream 'a': .*did you mean 'max_age'"),
        ("a: {pipeline.workers: 3}", "'pipeline.workers': all streams share it"),
        ("a: {run_dir: x}", "cannot override 'run_dir'"),
        ("a: 5", "a=5: expected what the stream overrides"),
        ("'a/b': {}", "'a/b' is not a name of a stream"),
        ("..: {}", "'..' is not a name of a stream"),
        ("{a: {}, A: {}}", "'a' and 'A' would have the same folder"),
        ("{a: {}, a: {}}", "duplicate key a"),
        ("[1, 2]", "expected names of streams"),
        ("", "expected names of streams"),
        ("a: {", "not a YAML file of streams"),
        (BOMB, "not a YAML file of streams: it has more than"),
    ],
)
def test_streams_that_are_not_valid(tmp_path, streams, message):
    with pytest.raises(ConfigError, match=message):
        configs(streams, folder=tmp_path)


def test_a_file_that_is_not_there():
    with pytest.raises(ConfigError, match=r"streams='shop.yaml': cannot read it: No such file"):
        configs("shop.yaml")


def test_shards_divide_streams_and_most_stay_when_one_is_added():
    names = [f"camera-{n}" for n in range(300)]
    shares = [[n for n in names if Shard(i, 3).has(n)] for i in range(3)]
    assert sorted(chain.from_iterable(shares)) == sorted(names)
    assert all(80 < len(share) < 120 for share in shares)
    for share, grown in zip(shares, [Shard(i, 4) for i in range(3)], strict=True):
        assert {n for n in names if grown.has(n)} <= set(share)


def test_a_shard_runs_its_streams_only():
    streams = "{" + ",".join(f"c{n}:{{}}" for n in range(8)) + "}"
    shares = [list(configs(streams, f"shard={i}/2")) for i in range(2)]
    assert sorted(chain.from_iterable(shares)) == [f"c{n}" for n in range(8)]
    assert all(shares)


@pytest.mark.parametrize("shard", ["2/2", "1", "a/b", "-1/2"])
def test_a_shard_that_is_none(shard):
    with pytest.raises(ConfigError, match="expected i/n with 0 <= i < n"):
        configs("{a:{}}", f"shard={shard}")


def test_a_shard_without_any_of_the_streams():
    (other,) = [i for i in range(2) if not Shard(i, 2).has("a")]
    with pytest.raises(ConfigError, match=f"shard={other}/2: none of the 1 streams belongs to it"):
        configs("{a:{}}", f"shard={other}/2")


def test_a_shard_without_streams():
    with pytest.raises(ConfigError, match="set streams=<file>"):
        stream_configs(compose([*BASE, "shard=0/2"]), BASE)
