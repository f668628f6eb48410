"""Faults that only a check shows: stated derivatives and `test` lines. Codes `E3xx`."""

from collections.abc import Mapping

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.source import Span


class WrongDerivative(Diagnostic):
    """A derivative stated by hand is not the derivative of the function.

        fn f(x) = x^3
        derivative f(x) = 2*x^2

    The message gives a point, the value that was stated and the function's own derivative there.
    Correct the formula, or leave it out: the compiler then differentiates the function itself.
    """

    code = "E301"

    def __init__(
        self,
        span: Span,
        function: str,
        argument: str,
        point: Mapping[str, str],
        stated: str,
        true: str,
        how: str = "",
    ) -> None:
        at = ", ".join(f"{name} = {value}" for name, value in point.items())
        super().__init__(
            span,
            f"the derivative stated for '{function}' by '{argument}' is wrong at {at}: "
            f"{stated}, where {true} is right{how}",
        )


class FailedTest(Diagnostic):
    """A `test` line of the file does not hold.

        fn f(x) = 3*x^2
        test f(3) == 28

    The message shows both sides. `==` compares exactly, with free names SymPy must prove it; `~=`
    compares to 1e-9 relative.
    """

    code = "E302"

    def __init__(self, span: Span, left: str, relation: str, right: str, why: str = "") -> None:
        super().__init__(span, f"test failed: {left} {relation} {right} does not hold{why}")


class MissingExtern(Diagnostic):
    """Python has no function of the name that an `extern` gives.

        extern fn j9(x) = "scipy.special.j_nine"

    The path is that of a module and a name in it, as in `from scipy.special import j0`. The package
    must be installed where the file is checked or run.
    """

    code = "E303"

    def __init__(self, span: Span, name: str, path: str, why: str) -> None:
        super().__init__(span, f"Python has no '{path}' for the extern '{name}': {why}")


class LostDigits(Diagnostic):
    """A correct formula that loses digits: two numbers that are almost equal are subtracted.

        fn f(x) = (1 - cos(x))/x^2

    The help shows a form that keeps them, where one is known; it was tried at the point, and keeps
    more digits there.
    """

    code = "W301"
    severity = "warning"

    def __init__(self, span: Span | None, digits: float, point: str, rewrite: str | None) -> None:
        super().__init__(
            span,
            f"cancellation: {int(digits)} of 16 digits are left at {point}",
            hint=f"write {rewrite} in its place, which keeps them" if rewrite else None,
        )
