import gc
import logging
import os
import signal
import sys

import pytest
from hydra.core.config_store import ConfigStore

from tests.real import DATA
from vidan.registry.components import Component, Package
from vidan.registry.discovery import load_plugins

# A shell starts background jobs with Ctrl-C ignored, nohup ignores the end of the terminal, and
# children inherit both.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Tests start hundreds of processes: each would compile all modules again.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False


def pytest_collection_finish():
    """Keep the millions of objects of the imported libraries out of each garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data():
    """The folder of real data, which is not part of the repository."""
    if not DATA.is_dir():
        pytest.skip(f"no real data: set VIDAN_DATA ({DATA} is not there)")
    return DATA


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory; arguments and log handlers are restored after the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vidan"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield tmp_path
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], root.level = handlers, level


@pytest.fixture(autouse=True)
def compute_threads(monkeypatch):
    """Restores the number of compute threads, which jobs of a batch set for their process."""
    given = os.environ.get("OMP_NUM_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", given or "1")
    if given is None:
        monkeypatch.delenv("OMP_NUM_THREADS")


@pytest.fixture(autouse=True)
def plugins_of_folders():
    """Forgets the single-file plugins that a test loaded, for tests in the same process."""
    yield
    if local := load_plugins().local:
        options = ConfigStore.instance().repo
        for component in local:
            options.get(component.kind, {}).pop(f"{component.name}.yaml", None)
        load_plugins.cache_clear()


@pytest.fixture
def register():
    """Registers a component for the duration of a test: `register(kind, name, target, extra)`."""
    with load_plugins().registry.temporary() as registry:

        def add(kind, name, target, extra=None, package="strange"):
            component = Component(kind, name, target, extra, Package(package, "1.0"))
            registry.register(component)
            return component

        yield add
