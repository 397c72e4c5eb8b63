"""Tables of counts."""

from rich.console import Console

from vidan.cli.counts import count_tables


def measure(name, value, **labels):
    return {"name": name, "labels": labels, "value": value}


def printed(*measures):
    """The lines, at 80 columns."""
    console = Console(width=80)
    with console.capture() as captured:
        for table in count_tables(measures):
            console.print(table)
    lines = captured.get().splitlines()
    assert all(len(line) <= 80 for line in lines)
    return lines


def rows(*measures):
    """The words of each line."""
    return [line.split() for line in printed(*measures)]


def crossings(value, line, direction, label="person"):
    return measure("line_crossings_total", value, line=line, direction=direction, label=label)


def test_lines_have_a_row_each_and_labels_where_there_are_several():
    assert rows(
        crossings(3, "door", "in"),
        crossings(1, "door", "in", "car"),
        crossings(2, "door", "out", "car"),
        crossings(5, "gate", "out"),
    ) == [
        ["line", "in", "out"],
        ["door", "4", "2"],
        ["car", "1", "2"],
        ["person", "3", "0"],
        ["gate", "0", "5"],
    ]


def test_labels_are_indented_below_their_line_and_harmless():
    lines = printed(crossings(1, "door", "in", "car"), crossings(1, "door", "in", "\x1bb\n"))
    assert [line.startswith("  ") for line in lines] == [False, False, True, True]
    assert not any("\x1b" in line for line in lines)


def test_zones_show_visits_objects_and_mean_dwell():
    zone = {"zone": "till", "label": "person"}
    assert rows(
        measure("zone_objects", 2, **zone),
        measure("zone_visits_total", 6, **zone),
        measure("zone_dwell_seconds_sum", 50, **zone),
        measure("zone_dwell_seconds_count", 4, **zone),
        measure("zone_objects", 1, zone="exit", label="person"),
    )[1:] == [["till", "6", "2", "12.5"], ["exit", "0", "1", "-"]]


def test_other_measures_have_no_table():
    assert rows(measure("ground_residual_meters", 0.1)) == []
    assert rows() == []


def test_long_names_fit_into_80_columns():
    assert rows(crossings(3, "entrance " * 20, "in"))[0] == ["line", "in", "out"]
