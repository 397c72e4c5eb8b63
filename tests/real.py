"""Real data, which is not part of the repository: the folder VIDAN_DATA."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("VIDAN_DATA") or Path(__file__).parents[2] / "shared/data").resolve()

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real data: set VIDAN_DATA ({DATA} is not there)"
)
