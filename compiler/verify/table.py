"""The table of ops, complete: importing the entries fills it."""

import importlib
import pkgutil

import mgrad.compiler.ops as rooms
from mgrad.compiler.ops.op import TABLE

for room in sorted(m.name for m in pkgutil.iter_modules(rooms.__path__)):
    importlib.import_module(f"{rooms.__name__}.{room}")

__all__ = ["TABLE"]
