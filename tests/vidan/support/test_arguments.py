import pytest

from vidan.support.arguments import ArgumentParser


def test_errors_hide_secrets(capsys):
    parser = ArgumentParser("vidan runs")
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["sink.web.token=secret", "rtsp://me:secret@cam/live", "x"])
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("vidan runs: error: unrecognized arguments: sink.web.token=")
    assert message.endswith("cam/live x")
    assert "secret" not in message
