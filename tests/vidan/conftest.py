import pytest

from vidan.plugins import Component, Package, load_plugins


@pytest.fixture
def register(monkeypatch):
    """Registers a component for the length of a test: `register(kind, name, target, extra)`."""
    components = load_plugins().registry._components

    def add(kind, name, target, extra=None, package="strange"):
        component = Component(kind, name, target, extra, Package(package, "1.0"))
        known = components.get((kind, name), [])
        monkeypatch.setitem(components, (kind, name), [*known, component])
        return component

    return add
