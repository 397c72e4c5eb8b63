"""The unit of systemd is valid, and runs a command that exists."""

import configparser
import shutil
import subprocess

import pytest

from tests.docs.pages import ROOT
from vidan.errors import ConfigError

UNIT = ROOT / "deploy/vidan.service"


@pytest.fixture
def service():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser["Service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd")
def test_the_unit_is_valid(tmp_path, service):
    program = service["ExecStart"].split()[0]
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(program, "/bin/true"))
    verify = ["systemd-analyze", "verify", str(unit)]
    ran = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=mxed"))
    ran = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "kill mode" in ran.stderr


def test_exit_codes_are_those_of_vidan(service):
    assert service["SuccessExitStatus"] == str(128 + 15)
    assert service["RestartPreventExitStatus"] == str(ConfigError.exit_code)


def test_the_job_is_that_of_the_name(here, service):
    from vidan.config.jobs import parse

    words = service["ExecStart"].replace("%N", "vidan").replace("/etc/vidan", ".").split()
    (here / "vidan.yaml").touch()
    start, rest = parse(words[1:])
    assert (start.name, start.folder, rest) == ("vidan", str(here), [])
