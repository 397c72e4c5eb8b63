import re
import subprocess
import sys

import pytest

from tests.plugins.browser import chromium, visit

from .pages import ROOT

__all__ = ["chromium", "visit"]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert not re.search(r"^(WARNING|ERROR) +-", ran.stderr, re.MULTILINE), ran.stderr
    return folder
