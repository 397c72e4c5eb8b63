"""What Prometheus reads."""

import json
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra prometheus")

from prometheus_client import parser
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics import parser as openmetrics_parser

from tests.plugins.sinks.web.results import result
from vidan import Event
from vidan.events import APPEARED, Measure
from vidan.outages import Outages
from vidan_plugins.sinks.http.metrics import STALLED_AFTER_S, Metrics

ROOT = Path(__file__).parents[4]

ODD = 'Tür "A"\\\nd\x1b\r\udcff\u2028 é'
"""A label with all that has to be escaped."""


def exposed(metrics, accept=""):
    """The response, as `/metrics` makes it."""
    encode, content_type = choose_encoder(accept)
    return encode(metrics._registry).decode(), content_type


def samples(text):
    """The values by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def zone(**labels):
    return tuple(({"zone": "till", "label": "person"} | labels).items())


def dwell(*counts, **labels):
    """The measures of a histogram with the bounds 1 and 60."""
    bounds = zip(("1.0", "60.0", "+Inf"), counts, strict=True)
    return {
        Measure("zone_dwell_seconds_sum", zone(**labels)): 12.5,
        Measure("zone_dwell_seconds_count", zone(**labels)): float(counts[-1]),
        **{
            Measure("zone_dwell_seconds_bucket", zone(**labels, le=bound)): float(count)
            for bound, count in bounds
        },
    }


@pytest.fixture
def metrics():
    """The metrics of two streams, with the values of analyzers, a sink and a plugin."""
    made = Metrics()
    made.add_gauge("viewers", lambda: 2)
    for name in ("door", ODD):
        stream = made.add_stream()
        stream.stats.events_emitted([Event("1", APPEARED, "start", "", "", 0.0, 0, 1, ODD)])
        line = (("line", "gate"), ("direction", "in"), ("label", ODD))
        measures = {
            Measure("line_crossings_total", line): 3.0,
            Measure("zone_objects", zone()): 2.0,
            Measure("zone_visits_total", zone()): 4.0,
            **dwell(1, 3, 4),
            **dwell(0, 0, 0, label="dog"),
            Measure("events_dropped_total", (("sink", "mqtt"), ("reason", "overflow"))): 7.0,
            Measure("wait time", (("till no.", "3"),)): 0.5,
        }
        found = result(0, [5])
        found.frame.stream = name
        stream.add(replace(found, measures=measures))
    return made


def test_the_values_of_analyzers_and_sinks_have_the_documented_names_and_labels(metrics):
    found = samples(exposed(metrics)[0])
    label = next(dict(key[1:])["label"] for key in found if key[0] == "vidan_line_crossings_total")
    assert label == 'Tür "A"\\\nd\\x1b\\r\\udcff\u2028 é'
    stream, till = ("stream", "door"), (("label", "person"), ("stream", "door"), ("zone", "till"))
    crossing = ("direction", "in"), ("label", label)
    expected = {
        ("vidan_line_crossings_total", *crossing, ("line", "gate"), stream): 3,
        ("vidan_zone_objects", *till): 2,
        ("vidan_zone_visits_total", *till): 4,
        ("vidan_zone_dwell_seconds_sum", *till): 12.5,
        ("vidan_zone_dwell_seconds_count", *till): 4,
        ("vidan_zone_dwell_seconds_bucket", till[0], ("le", "60.0"), *till[1:]): 3,
        ("vidan_events_dropped_total", ("reason", "overflow"), ("sink", "mqtt"), stream): 7,
        ("vidan_stream_up", stream): 1,
        ("vidan_appeared_objects_total", ("label", label), stream): 1,
        ("vidan_objects", ("label", "person"), stream): 1,
        ("vidan_objects", ("label", label), stream): 0,
        ("vidan_wait_time", stream, ("till_no_", "3")): 0.5,
        ("vidan_viewers",): 2,
    }  # fmt: skip
    assert {key: found.get(key) for key in expected} == expected
    assert not [key for key in found if "track" in dict(key[1:])]


def test_types_are_those_of_prometheus(metrics):
    kinds = {
        family.name: family.type
        for family in parser.text_string_to_metric_families(exposed(metrics)[0])
    }
    assert kinds["vidan_line_crossings"] == kinds["vidan_events_dropped"] == "counter"
    assert kinds["vidan_zone_dwell_seconds"] == kinds["vidan_latency_seconds"] == "histogram"
    assert kinds["vidan_zone_objects"] == kinds["vidan_stream_up"] == "gauge"


def test_openmetrics_is_used_where_the_client_accepts_it(metrics):
    text, content_type = exposed(metrics, "application/openmetrics-text;version=1.0.0,*/*;q=0.1")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = list(openmetrics_parser.text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    assert "vidan_zone_dwell_seconds" in {family.name for family in families}
    assert exposed(metrics)[1] == "text/plain; version=0.0.4; charset=utf-8"


def test_promtool_accepts_the_metrics(metrics):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool, of the Debian package prometheus")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=exposed(metrics)[0].encode(), capture_output=True
    )
    complaints = checked.stderr.decode().splitlines()
    # The measure of a plugin has no help.
    assert [line for line in complaints if not line.startswith("vidan_wait_time")] == []


def test_the_dashboard_asks_for_metrics_and_labels_that_exist(metrics):
    labels = {}
    for name, *pairs in samples(exposed(metrics)[0]):
        labels.setdefault(name, set()).update(dict(pairs))
    dashboard = json.loads((ROOT / "deploy/grafana/vidan.json").read_text())
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    assert targets
    for target in targets:
        [name] = set(re.findall(r"vidan_\w+", target["expr"]))
        grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
        of_series = set(grouped[0].split(", ")) if grouped else labels[name]
        assert of_series <= labels[name], target
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) == of_series - {"le"}, target


def test_a_stream_is_up_until_an_outage_a_pause_or_its_end():
    metrics = Metrics()
    stream = metrics.add_stream()
    stream.stats.outages = outages = Outages()

    def up():
        return samples(exposed(metrics)[0])["vidan_stream_up", ("stream", "door")]

    stream.add(result(0))
    assert up() == 1
    outages.begin(1.0, 0.0, "no frames")
    assert up() == 0
    outages.end(3.0)
    assert up() == 1
    late = result(1)
    late.frame.captured = time.monotonic() - STALLED_AFTER_S - 1
    stream.add(late)
    assert up() == 0
    stream.add(result(2))
    stream.end()
    assert up() == 0
    assert samples(exposed(metrics)[0])["vidan_outages_total", ("stream", "door")] == 1


def test_latency_is_a_histogram_of_all_results():
    metrics = Metrics()
    stream = metrics.add_stream()
    for latency in (0.0, 0.03, 3.0, 100.0):
        found = result(0)
        found.frame.captured = time.monotonic() - latency
        stream.add(found)
    text = samples(exposed(metrics)[0])
    buckets = {
        dict(key[1:])["le"]: value
        for key, value in text.items()
        if key[0] == "vidan_latency_seconds_bucket"
    }
    assert [buckets[le] for le in ("0.01", "0.05", "2.5", "5.0", "+Inf")] == [1, 2, 2, 3, 4]
    assert text["vidan_latency_seconds_sum", ("stream", "door")] == pytest.approx(103.03, abs=1)


def test_a_stream_without_frames_has_no_values():
    metrics = Metrics()
    metrics.add_stream()
    assert exposed(metrics)[0] == ""
