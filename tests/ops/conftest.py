"""The tests of the ops share `tests.ops.evaluation` and `tests.ops.accuracy`."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
