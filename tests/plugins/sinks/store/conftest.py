import pytest

from tests.postgres import FOLDERS, Postgres


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server that no test stops."""
    if not FOLDERS:
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    yield server
    server.close()
