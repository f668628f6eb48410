"""`python -m mgrad.compiler.ops docs/accuracy.json` prints the page of the ops."""

import json
import sys
from pathlib import Path

from mgrad.compiler.ops.page import page

if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), end="")
