"""What a generated module may import.

For `--target python`: `door` (arguments that are not floats, ints and bools already), `ieee` (IEEE
754 where Python raises), and `elementary` and `gamma` (functions that `math` lacks); they need the
standard library only. For `--target numpy`: `elementwise` (arguments, shapes, blocks) and
`special`. Nothing here knows the compiler.
"""

from __future__ import annotations

INTERFACE = 1


def require(interface: int) -> None:
    """Raises ImportError unless this is the runtime that a generated module was made for."""
    if interface != INTERFACE:
        remedy = "compile it again" if interface < INTERFACE else "install a newer mgrad"
        raise ImportError(
            f"this module was generated for interface {interface} of mgrad.runtime, and interface "
            f"{INTERFACE} is installed: {remedy}"
        )
