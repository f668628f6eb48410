"""Faults of shapes, axes and indices. Codes `E16x` and `E17x`. A docstring says what is wrong,
shows an example, and how to put it right.
"""

from collections.abc import Sequence

from mgrad.compiler.diagnostics import Diagnostic, Related
from mgrad.compiler.source import Span

Bound = tuple[str, Span]  # a dimension's name, and where it was bound


def _bindings(bound: Sequence[Bound]) -> list[Related]:
    return [Related(span, f"'{name}' is bound here") for name, span in bound]


class ShapeMismatch(Diagnostic):
    """Two arrays whose shapes do not go together: different names or numbers on one axis.

        fn f(x: [N], y: [M]) = x + y

    Only a written 1 or a missing leading axis is stretched. Give both the same name if they always
    have the same size, or put an axis in with `expand(x, axis)`.
    """

    code = "E160"

    def __init__(
        self,
        span: Span,
        what: str,
        operands: Sequence[tuple[Span, str]],
        bound: Sequence[Bound],
        hint: str | None = None,
    ) -> None:
        super().__init__(
            span,
            what,
            related=[
                *[Related(place, f"this is {shape}") for place, shape in operands],
                *_bindings(bound),
            ],
            hint=hint,
        )


class UnknownDimension(Diagnostic):
    """A name in a shape that is no setting, constant or int argument, and that stands alone in the
    shape of no argument: nothing says what size it is.

        fn f(x: [N + 1]) = sum(x)

    Name the whole size (`x: [M]`), or give it as an argument: `N: int`.
    """

    code = "E161"

    def __init__(self, span: Span, name: str, suggestion: str | None = None) -> None:
        text = f"nothing binds the dimension '{name}'"
        if suggestion is not None:
            text += f" - did you mean '{suggestion}'?"
        super().__init__(
            span,
            text,
            hint="it must stand alone in the shape of an argument, or be an int argument",
        )


class DimensionClash(Diagnostic):
    """The name of a dimension has another meaning in the same definition.

        fn f(x: [N], N) = sum(x)/N

    Rename one of the two. The size itself needs no argument: inside, `N` is an int.
    """

    code = "E162"

    def __init__(self, span: Span, name: str, what: str, place: Span) -> None:
        super().__init__(
            span,
            f"'{name}' is the name of a dimension, and {what}",
            related=[Related(place, f"the dimension '{name}' is bound here")],
            hint="rename one of them",
        )


class WrongAxis(Diagnostic):
    """An axis that the array does not have, or a name that stands on none or on several.

        fn f(x: [N, D]) = sum(x, axis=2)

    Axes count from 0, or from -1 backwards; a dimension's name may stand for its axis.
    """

    code = "E163"

    def __init__(self, span: Span, text: str, shape: str) -> None:
        super().__init__(span, f"{text}; the array is {shape}")


class WrongRank(Diagnostic):
    """An array with too few or too many axes for what is asked of it.

        fn f(x: [N]) = inv(x)

    See the page of the function for the shapes that it takes.
    """

    code = "E164"

    def __init__(self, span: Span, what: str, wanted: str, shape: str) -> None:
        super().__init__(span, f"{what} wants {wanted}, and this is {shape}")


class CannotReshape(Diagnostic):
    """A new shape that does not hold as many elements as the old one, as far as names tell.

        fn f(x: [N, 2]) = reshape(x, N)

    Write a shape with the same product, such as `reshape(x, 2*N)`.
    """

    code = "E165"

    def __init__(
        self,
        span: Span,
        old: str,
        new: str,
        sizes: tuple[str, str],
        bound: Sequence[Bound],
        has_rest: bool = False,
    ) -> None:
        are_not = "are no multiple of" if has_rest else "are not"
        super().__init__(
            span,
            f"{old} cannot become {new}: {sizes[0]} elements {are_not} {sizes[1]}",
            related=_bindings(bound),
        )


class IndexOutside(Diagnostic):
    """An index or the bound of a slice that lies outside its axis.

        fn f(x: [3]) = x[3]

    Indices run from 0 to the size less one; a literal may count from the end: `x[-1]`.
    """

    code = "E166"

    def __init__(
        self, span: Span, text: str, shape: str | None, bound: Sequence[Bound] = ()
    ) -> None:
        text = text if shape is None else f"{text}; the array is {shape}"
        super().__init__(span, text, related=_bindings(bound))


class TooManyIndices(Diagnostic):
    """More indices than the array has axes, or two `..` in one index.

        fn f(x: [N]) = x[0, 0]

    Drop the surplus ones.
    """

    code = "E167"

    def __init__(self, span: Span, count: int, shape: str, has_dots_twice: bool) -> None:
        text = f"{count} {'index' if count == 1 else 'indices'} for {shape}"
        super().__init__(span, f"two '..' in one index of {shape}" if has_dots_twice else text)


class RangeConflict(Diagnostic):
    """An index runs along axes of different sizes.

        fn f(x: [N], y: [M]) = sum(x[i]*y[i] for i)

    Give the range that was meant, `for i in 0..N`, or make the sizes the same.
    """

    code = "E168"

    def __init__(
        self,
        span: Span,
        name: str,
        first: tuple[str, Span],
        second: tuple[str, Span],
        bound: Sequence[Bound],
    ) -> None:
        super().__init__(
            span,
            f"the index '{name}' runs along axes of different sizes, {first[0]} and {second[0]}",
            related=[
                Related(first[1], f"{first[0]} here"),
                Related(second[1], f"{second[0]} here"),
                *_bindings(bound),
            ],
            hint=f"give its range: for {name} in 0..{first[0]}",
        )


class RangeUnknown(Diagnostic):
    """An index whose range nothing tells: it stands alone in no index.

        fn f(x: [N]) = sum(x[i + 1] for i)

    Give the range: `for i in 0..N - 1`.
    """

    code = "E169"

    def __init__(self, span: Span, name: str) -> None:
        super().__init__(
            span, f"nothing tells the range of '{name}'", hint=f"give it: for {name} in 0..n"
        )


class DependentRange(Diagnostic):
    """A range that depends on an earlier index, in brackets: the result would be no rectangle.

        fn f(x: [N]) = [x[j] for i in 0..N, j in 0..i]

    `sum(… for j in 0..i)` may depend on an earlier index.
    """

    code = "E170"

    def __init__(self, span: Span, name: str) -> None:
        super().__init__(span, f"the range of '{name}' depends on an earlier index")


class SizeNotKnown(Diagnostic):
    """A size, a range or the bound of a slice that only the run can tell.

        fn f(x: [N], k: int[K]) = zeros(k[0])

    Sizes are made of numbers, dimensions, settings and int arguments with `+ - * // %` and powers
    up to 16.
    """

    code = "E171"

    def __init__(self, span: Span, what: str, is_fixed: bool = False) -> None:
        """Of what `is_fixed`, the number itself is known while compiling."""
        sources = (
            "constants and settings"
            if is_fixed
            else "dimensions, settings and int arguments, with + - * // % and powers up to 16"
        )
        super().__init__(
            span,
            f"{what} must be known before the run",
            hint=f"it may use numbers, {sources}",
        )


class NotAnArray(Diagnostic):
    """A number where an array is needed.

        fn f(x) = sum(x)

    Declare the argument's shape, as in `x: [N]`.
    """

    code = "E172"

    def __init__(self, span: Span, what: str) -> None:
        super().__init__(span, f"{what} wants an array, and this is a number")


class EmptyReduction(Diagnostic):
    """The greatest or least of nothing.

        fn f() = max(zeros(0))

    There is none: give the array an element.
    """

    code = "E173"

    def __init__(self, span: Span, name: str) -> None:
        super().__init__(span, f"'{name}' of an array without elements")


class ArrayCondition(Diagnostic):
    """Something that is of one number was given an array.

        fn f(x: [N]) = diff(x^2, x)

    `diff` and `hessian` are of one number: sum the array, or use `jacobian`.
    """

    code = "E174"

    def __init__(self, span: Span, text: str, hint: str | None = None) -> None:
        super().__init__(span, text, hint=hint)


class UnmetCondition(Diagnostic):
    """A call with sizes that the function cannot work with, as its indices and slices say.

        fn f(x: [N]) = x[2]
        fn g() = f([1, 2])

    Give it sizes for which the condition holds.
    """

    code = "E175"

    def __init__(self, span: Span, name: str, condition: str, place: Span) -> None:
        super().__init__(
            span,
            f"'{name}' needs {condition}, and that does not hold here",
            related=[Related(place, f"'{name}' is defined here")],
        )


class BehindDots(Diagnostic):
    """An axis that is counted from the front where `..` stands for any number of axes, or one of
    those themselves.

        fn f(x: [.., N]) = sum(x, axis=0)

    Count from the end, `axis=-1` and `x[.., 0]`, or name the dimension, `axis=N`.
    """

    code = "E176"

    def __init__(self, span: Span, shape: str) -> None:
        super().__init__(
            span,
            f"'..' in {shape} is any number of axes: what stands in front of others is not known",
            hint="count from the end, as in axis=-1 and x[.., 0], or name the dimension",
        )


class NotARange(Diagnostic):
    """What stands after `in` is no range.

        fn f(x: [N]) = sum(x[i] for i in N)

    Write both ends, the second excluded: `0..N`.
    """

    code = "E177"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "a range has two ends", hint=f"0..{span.text}")
