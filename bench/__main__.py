"""Every benchmark in one run: `python -m bench`; some by name: `python -m bench scalar arrays`."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = {
    "scalar": "value and gradient, target python: ours against Python by hand",
    "arrays": "value and gradient, target numpy: ours against NumPy by hand",
    "tensors": "value and gradient of tensors: ours against NumPy by hand, PyTorch and JAX",
    "operations": "weighted operations of value and gradient over those of the value",
    "compiling": "imports, and text to text",
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(
            f"no benchmark is called {unknown[0]!r}; there are {', '.join(PARTS)}", file=sys.stderr
        )
        return 2
    for name in names or PARTS:
        print(f"{PARTS[name]}", flush=True)
        for line in import_module(f"bench.{name}").report():
            print(f"  {line}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
