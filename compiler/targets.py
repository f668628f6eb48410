"""For what a module can be emitted. Each target has the printer of its name in `backends`."""

from typing import Literal, get_args

Target = Literal["python", "numpy"]

TARGETS: tuple[Target, ...] = get_args(Target)
