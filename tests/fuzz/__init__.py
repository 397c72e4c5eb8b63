"""Random input; `VIDAN_FUZZ_SEED=7` tries other input."""

import os

SEED = int(os.environ.get("VIDAN_FUZZ_SEED", "1"))
