"""Faults of meaning: names, arity, types, derivatives, imports. Codes `E1xx`; warnings `W1xx`,
notes `N1xx`. A docstring says what is wrong, shows an example, and how to put it right.
"""

from collections.abc import Sequence

from mgrad.compiler.diagnostics import Diagnostic, Related
from mgrad.compiler.source import Span


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count or 'no'} {noun}s"


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


class UnknownName(Diagnostic):
    """A name that is defined nowhere: no argument, local, constant, function or built-in.

        fn f(x) = sigmod(x)

    Check the spelling, or define the name before this line.
    """

    code = "E101"

    def __init__(self, span: Span, name: str, suggestion: str | None) -> None:
        text = f"unknown name '{name}'"
        if suggestion is not None:
            text += f" - did you mean '{suggestion}'?"
        super().__init__(span, text)


class DuplicateDefinition(Diagnostic):
    """Two definitions, or a definition and an import, have one name.

        fn f(x) = x
        fn f(x) = 2*x

    Rename or remove one of them.
    """

    code = "E102"

    def __init__(self, span: Span, name: str, first: Span) -> None:
        super().__init__(
            span,
            f"'{name}' is defined twice",
            related=[Related(first, "it is defined first here")],
            hint="rename or remove one of them",
        )


class DuplicateArgument(Diagnostic):
    """Two arguments, or an argument and a setting, of one function have one name; or two indices
    after one `for`.

        fn f(x, x) = x

    Rename one of them.
    """

    code = "E103"

    def __init__(self, span: Span, name: str, first: Span, is_index: bool = False) -> None:
        what, where = ("index", "after one 'for'") if is_index else ("argument", "in one head")
        super().__init__(
            span,
            f"the {what} '{name}' stands twice {where}",
            related=[Related(first, "first here")],
            hint="rename one of them",
        )


class NameClash(Diagnostic):
    """Two names of the source become one name of the generated module.

        fn f(x) = x^2
        fn f_forward(x) = x

    A function `f` gives `f_forward`, `f_backward`, `f_value_and_grad` (and on request `f_jvp`,
    `f_jacobian`, `f_hessian`); a name that is a keyword of Python gets an underscore. Rename one.
    """

    code = "E104"

    def __init__(self, span: Span, name: str, other: str, first: Span) -> None:
        super().__init__(
            span,
            f"'{name}' is also what the generated module makes of '{other}'",
            related=[Related(first, f"'{other}' stands here")],
            hint=f"rename '{name}'",
        )


class Recursion(Diagnostic):
    """A function calls itself, directly or through others.

        fn f(x) = g(x) + 1
        fn g(x) = f(x)/2

    The language has no recursion. Write the value as a formula.
    """

    code = "E105"

    def __init__(self, span: Span, cycle: Sequence[tuple[str, Span]]) -> None:
        names = [name for name, _ in cycle]
        shown = " -> ".join(f"'{name}'" for name in [*names, names[0]])
        related = [Related(place, f"'{name}' is defined here") for name, place in cycle]
        super().__init__(span, f"recursion: {shown}", related=related)


class CallsTooDeep(Diagnostic):
    """Functions call one another deeper than Python goes.

        fn f0(x) = x*sin(x)
        fn f1(x) = f0(x) + f0(x/2)
        fn f2(x) = f1(x) + f1(x/2)

    and so on, for hundreds of functions. Small functions are put in the place of their calls and
    do not count, at `-O 1` and above. Write the value of a long chain in one function, a name a
    line: `y1 = …`, `y2 = …`.
    """

    code = "E140"

    def __init__(self, span: Span | None, name: str, depth: int, limit: int) -> None:
        super().__init__(
            span,
            f"the calls of '{name}' are {depth} functions deep; at most {limit} are allowed",
            hint="write the chain in one function, a name a line",
        )


class ConstantCycle(Diagnostic):
    """Constants are defined by one another in a circle.

        const a = b + 1
        const b = a - 1

    Give one of them a value of its own.
    """

    code = "E106"

    def __init__(self, span: Span, cycle: Sequence[tuple[str, Span]]) -> None:
        names = [name for name, _ in cycle]
        shown = " -> ".join(f"'{name}'" for name in [*names, names[0]])
        related = [Related(place, f"'{name}' is defined here") for name, place in cycle]
        super().__init__(span, f"constants defined in a circle: {shown}", related=related)


class WrongArity(Diagnostic):
    """A call has too many or too few arguments.

        fn area(a, b) = a*b
        fn f(x) = area(x)

    The message names what is missing; the head of the function is shown with it.
    """

    code = "E107"

    def __init__(
        self,
        span: Span,
        text: str,
        signature: str | None,
        head: Span | None,
        hint: str | None = None,
    ) -> None:
        related = [] if signature is None else [Related(head, f"its head is {signature}")]
        super().__init__(span, text, related=related, hint=hint)


class UnknownKeyword(Diagnostic):
    """A call names an argument that the function does not have.

        fn f(x; steps = 10) = x*steps
        fn g(x) = f(x, stesp=20)

    Check the spelling against the head of the function.
    """

    code = "E108"

    def __init__(
        self, span: Span, callee: str, name: str, suggestion: str | None, head: Span | None
    ) -> None:
        text = f"'{callee}' has no argument '{name}'"
        if suggestion is not None:
            text += f" - did you mean '{suggestion}'?"
        related = [Related(head, f"'{callee}' is defined here")] if head is not None else []
        super().__init__(span, text, related=related)


class RepeatedArgument(Diagnostic):
    """A call gives one argument twice, by place and by keyword or twice by keyword.

        fn f(x, y) = x - y
        fn g(x) = f(x, x=1)

    Leave out one of the two.
    """

    code = "E109"

    def __init__(self, span: Span, callee: str, name: str) -> None:
        super().__init__(span, f"'{callee}' is given its argument '{name}' twice")


class SettingMissing(Diagnostic):
    """A setting that has no value of its own is not given where the function is called.

        fn decay(y; steps) = y/steps
        fn f(y) = decay(y)

    Give it by keyword: `decay(y, steps=10)`.
    """

    code = "E111"

    def __init__(self, span: Span, callee: str, name: str, head: Span) -> None:
        super().__init__(
            span,
            f"the setting '{name}' of '{callee}' has no value here",
            related=[Related(head, "it is declared here without a value")],
            hint=f"give it by keyword: {name}=…",
        )


class NotKnownBeforeRun(Diagnostic):
    """A constant, setting, default or bound of a domain is not known before the run.

        fn f(x, y = g(2)) = x*y

    It may be made of numbers, constants and built-in functions; a setting also of settings.
    """

    code = "E112"

    def __init__(self, span: Span, what: str) -> None:
        super().__init__(
            span,
            f"{what} is not known before the run",
            hint="use numbers, constants and built-in functions only",
        )


class RequiredAfterDefault(Diagnostic):
    """An argument without a default follows one with a default.

        fn f(a = 1, x) = a*x

    Put the arguments with defaults last.
    """

    code = "E113"

    def __init__(self, span: Span, name: str, first: Span) -> None:
        super().__init__(
            span,
            f"the argument '{name}' without a default follows one with a default",
            related=[Related(first, "this one has a default")],
            hint="put the arguments with defaults last",
        )


class NotAFunction(Diagnostic):
    """Something that is no function is called.

        fn f(x) {
          y = x^2
          return y(3)
        }

    Perhaps a `*` is missing, or a local name hides the function that was meant.
    """

    code = "E114"

    def __init__(self, span: Span, name: str | None, place: Span | None) -> None:
        what = f"'{name}'" if name is not None else "this"
        related = [Related(place, f"'{name}' is given its value here")] if place else []
        super().__init__(span, f"{what} is not a function", related=related)


class FunctionAsValue(Diagnostic):
    """A function stands where a number is wanted.

        fn f(x) = 2*sin

    Functions are not values: call it.
    """

    code = "E115"

    def __init__(self, span: Span, name: str) -> None:
        super().__init__(
            span,
            f"'{name}' is a function, and functions are not values",
            hint=f"call it: {name}(…)",
        )


class WrongType(Diagnostic):
    """A value has a type that its place does not take.

        fn f(x) = x // 2
        fn g(n: int) = n
        fn h(x) = g(x)

    A bool widens to an int and an int to a real, never back. `//` and `%` are for ints.
    """

    code = "E116"

    def __init__(
        self,
        span: Span,
        what: str,
        wanted: str,
        given: str,
        *,
        place: Span | None = None,
        hint: str | None = None,
    ) -> None:
        related = [Related(place, "it is declared here")] if place is not None else []
        text = f"{what} must be {article(wanted)}, not {article(given)}"
        super().__init__(span, text, related=related, hint=hint)


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


class SeveralResults(Diagnostic):
    """A call with several results stands where one value is wanted.

        fn polar(x, y) = sqrt(x^2 + y^2), atan2(y, x)
        fn f(x) = 2*polar(x, 1)

    Unpack it first: `r, t = polar(x, 1)`; `_` ignores a result.
    """

    code = "E117"

    def __init__(self, span: Span, name: str, count: int) -> None:
        names = ", ".join(["a", "b", "c", "_"][:count]) if count <= 4 else "a, b, …"
        super().__init__(
            span,
            f"'{name}' gives {plural(count, 'result')} where one value is wanted",
            hint=f"unpack them first: {names} = {name}(…)",
        )


class UnpackCount(Diagnostic):
    """An assignment has more or fewer names than values.

        a, b = x, y, z

    Give as many names as values; `_` ignores one.
    """

    code = "E118"

    def __init__(self, span: Span, targets: int, values: int) -> None:
        super().__init__(
            span,
            f"{plural(targets, 'name')} for {plural(values, 'value')}",
            hint="'_' ignores a value" if targets < values else None,
        )


class ResultMismatch(Diagnostic):
    """What a function returns is not what its head declares after `->`.

        fn f(x) -> int = x^2

    Change the declaration, or what is returned.
    """

    code = "E119"

    def __init__(self, span: Span, text: str, declared: Span) -> None:
        super().__init__(span, text, related=[Related(declared, "declared here")])


class MissingReturn(Diagnostic):
    """The body of a function ends without `return`.

        fn f(x) {
          y = x^2
        }

    End the block with `return`.
    """

    code = "E120"

    def __init__(self, span: Span, name: str, last: str | None) -> None:
        super().__init__(
            span,
            f"'{name}' returns nothing",
            hint=f"end its block with 'return {last or '…'}'",
        )


class ReturnNotLast(Diagnostic):
    """A statement follows `return`, so it would never run.

        fn f(x) {
          return x
          y = x^2
        }

    Remove what follows, or move the `return` to the end.
    """

    code = "E121"

    def __init__(self, span: Span, returned: Span) -> None:
        super().__init__(
            span,
            "nothing after 'return' is ever run",
            related=[Related(returned, "the function returns here")],
            hint="move the 'return' to the end",
        )


class ConstantTooLarge(Diagnostic):
    """An exact constant would have more than 1,000 digits.

        fn f(x) = x^(10^10^10)

    Constants are exact, so their size is bounded, and that is decided before they are computed.
    """

    code = "E122"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "this exact constant has more than 1,000 digits")


class IntegerDivisionByZero(Diagnostic):
    """An int constant is divided by zero with `//` or `%`.

        fn f(n: int) = n + 1 // 0

    Ints have no infinity. `/` divides reals: `1/0` is inf.
    """

    code = "E123"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "an int divided by zero has no value")


class EmptyDomain(Diagnostic):
    """A domain holds no number.

        fn f(p in (1, 0)) = p

    The lower bound comes first.
    """

    code = "E124"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span, "this domain holds no number", hint="write the lower bound first: (low, high)"
        )


class WrongPrime(Diagnostic):
    """`'` is used on something that is not a function of one real argument with one real result.

        fn f(x, y) = x*y
        fn g(x) = f'(x, 1)

    For several arguments use `diff(f(x, y), x)`.
    """

    code = "E125"

    def __init__(self, span: Span, reason: str, place: Span | None) -> None:
        related = [Related(place, "it is defined here")] if place is not None else []
        super().__init__(
            span,
            f"a prime is for functions of one real argument and one real result: {reason}",
            related=related,
            hint="write diff(e, x) for the derivative by a name",
        )


class DiffTarget(Diagnostic):
    """The second argument of `diff` is not a name.

        fn f(x) = diff(sin(2*x), 2*x)

    Give the inner value a name first: `u = 2*x`, then `diff(sin(u), u)`.
    """

    code = "E126"

    def __init__(self, span: Span, form: str) -> None:
        super().__init__(
            span,
            f"the second argument of '{form}' must be a name",
            hint="give the value a name in a line of its own, and use the name in both places",
        )


class DiffOfNonReal(Diagnostic):
    """`diff` is taken of, or with respect to, something that is not a real number.

        fn f(n: int) = diff(n^2, n)

    Only reals have derivatives. Declare the argument as real, or write `2.0` for `2`.
    """

    code = "E127"

    def __init__(self, span: Span, text: str, place: Span | None) -> None:
        related = [Related(place, "it gets its type here")] if place is not None else []
        super().__init__(span, text, related=related)


class DiffUnrelated(Diagnostic):
    """`diff` is taken with respect to a name on which the expression does not depend.

        fn f(x, y) = diff(x^2, y)

    Dependence is judged on the text, by the latest binding of the name: after `b = x`, an `x^2`
    does not depend on `b`.
    """

    code = "E128"

    def __init__(self, span: Span, name: str, place: Span) -> None:
        super().__init__(
            span,
            f"the expression does not depend on '{name}'",
            related=[Related(place, f"'{name}' gets its latest value here")],
            hint="what does not come from that very binding is held fixed",
        )


class NoDerivative(Diagnostic):
    """A derivative is taken through something whose derivative is not known.

        extern fn j0(x) = "scipy.special.j0"
        fn f(x) = j0'(x)

    State it: `derivative j0(x) = -j1(x)`.
    """

    code = "E129"

    def __init__(self, span: Span, name: str, place: Span | None) -> None:
        related = [Related(place, "it is brought in here")] if place is not None else []
        hint = f"state it: derivative {name}(…) = …" if place is not None else None
        super().__init__(
            span, f"the derivative of '{name}' is not known", related=related, hint=hint
        )


class DerivativeOfUnknown(Diagnostic):
    """A derivative is stated for a function that this file does not define.

        derivative g(x) = 2*x

    State it in the file that defines the function, with the function's name.
    """

    code = "E130"

    def __init__(self, span: Span, name: str, suggestion: str | None) -> None:
        text = f"this file defines no function '{name}'"
        if suggestion is not None:
            text += f" - did you mean '{suggestion}'?"
        super().__init__(span, text)


class DerivativeCount(Diagnostic):
    """A stated derivative does not have one partial for each real argument.

        fn area(a, b) = a*b
        derivative area(a, b) = b

    Give the partials in the order of the arguments, separated by commas.
    """

    code = "E131"

    def __init__(self, span: Span, name: str, wanted: Sequence[str], given: int) -> None:
        super().__init__(
            span,
            f"'{name}' has {plural(len(wanted), 'real argument')} ({', '.join(wanted)}),"
            f" but {plural(given, 'partial')} {'is' if given == 1 else 'are'} stated",
            hint="one partial for each real argument, separated by commas",
        )


class DerivativeHead(Diagnostic):
    """The head of a stated derivative does not fit the function's.

        fn area(a, b) = a*b
        derivative area(a) = 1

    Repeat the arguments of the function; types, defaults and domains are the function's.
    """

    code = "E132"

    def __init__(self, span: Span, name: str, reason: str, head: Span) -> None:
        super().__init__(
            span,
            f"no derivative of '{name}' can be stated like this: {reason}",
            related=[Related(head, f"'{name}' is defined here")],
        )


class MissingFile(Diagnostic):
    """A file named by `use` is not there.

        use "./bessel.mg": j0

    The path is relative to the file that it stands in.
    """

    code = "E133"

    def __init__(self, span: Span, target: str) -> None:
        super().__init__(
            span,
            f'there is no file "{target}"',
            hint="the path is relative to the file that it stands in",
        )


class UnknownImport(Diagnostic):
    """An imported file does not define the name.

        use "./shapes.mg": aera

    Check the spelling. What a file imports is not passed on.
    """

    code = "E134"

    def __init__(self, span: Span, name: str, target: str, suggestion: str | None) -> None:
        text = f"\"{target}\" does not define '{name}'"
        if suggestion is not None:
            text += f" - did you mean '{suggestion}'?"
        super().__init__(span, text)


class ImportCycle(Diagnostic):
    """Files import one another in a circle.

        use "./b.mg": g          # in a.mg, while b.mg has: use "./a.mg": f

    Move what both need to a third file.
    """

    code = "E135"

    def __init__(self, span: Span, cycle: Sequence[str]) -> None:
        shown = " -> ".join([*cycle, cycle[0]])
        super().__init__(
            span, f"files import one another: {shown}", hint="move what both need to a third file"
        )


class NoLibrary(Diagnostic):
    """`use` of the standard library, which is not part of this version.

        use nn: Dense

    Only files can be used: `use "./file.mg": f`.
    """

    code = "E136"

    def __init__(self, span: Span, target: str) -> None:
        super().__init__(
            span,
            f"the library '{target}' is not part of this version",
            hint='a file is used by its path in quotes: use "./file.mg": f',
        )


class ExternTarget(Diagnostic):
    """What an `extern` names is not a dotted name of Python.

        extern fn j0(x) = "scipy special j0"

    Write module and function, joined by dots: `"scipy.special.j0"`.
    """

    code = "E137"

    def __init__(self, span: Span, target: str) -> None:
        super().__init__(
            span,
            f'"{target}" is not a Python function\'s dotted name',
            hint='write the module and the function: "scipy.special.j0"',
        )


class UnknownSetting(Diagnostic):
    """`--set` names something that is no setting and no constant of the file.

        mgrad compile decay.mg --set stesp=10

    Name a setting (`steps`), a setting of one function (`decay.steps`), or a constant.
    """

    code = "E138"

    def __init__(self, name: str, suggestion: str | None) -> None:
        text = f"the file has no setting or constant '{name}'"
        if suggestion is not None:
            text += f" - did you mean '{suggestion}'?"
        super().__init__(None, text)


class SettingValue(Diagnostic):
    """The value that `--set` gives is not a number and not `true` or `false`.

        mgrad compile decay.mg --set steps=many

    Give a number.
    """

    code = "E139"

    def __init__(self, name: str, value: object) -> None:
        super().__init__(None, f"the value {value!r} of the setting '{name}' is not a number")


class NoLoops(Diagnostic):
    """A `for` or `while` statement: loops are not part of this version.

        fn f(x) {
          for i in 0..3 { x = x/2 }
          return x
        }

    Write the turns out.
    """

    code = "E153"

    def __init__(self, span: Span, word: str) -> None:
        super().__init__(span, f"loops ('{word}') are not part of this version")


class NoBranches(Diagnostic):
    """An `if` as a statement: only the expression is part of this version.

        fn f(x) {
          if x > 0 { return x }
          return 0
        }

    Write `return if x > 0 then x else 0`.
    """

    code = "E154"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span,
            "'if' as a statement is not part of this version",
            hint="choose a value: y = if … then … else …",
        )


class UnusedName(Diagnostic):
    """An argument, local name, setting or import is never used.

        fn f(x, y) = x^2

    Remove it, or name it with a leading underscore if it must stay.
    """

    code = "N101"
    severity = "note"

    def __init__(self, span: Span, what: str, name: str) -> None:
        super().__init__(span, f"the {what} '{name}' is never used")


class ShadowsBuiltin(Diagnostic):
    """A name of the source hides a built-in one from here on.

        fn f(erf, exp) = erf*exp

    This is allowed. Rename it if the built-in was meant.
    """

    code = "N102"
    severity = "note"

    def __init__(self, span: Span, name: str) -> None:
        super().__init__(span, f"'{name}' hides the built-in '{name}'")


class OutsideDomain(Diagnostic):
    """An argument's domain reaches outside the numbers for which a function is defined.

        fn f(x in (-1, 1)) = log(x)

    Narrow the domain, or guard the call: `if x > 0 then log(x) else 0`.
    """

    code = "W101"
    severity = "warning"

    def __init__(self, span: Span, name: str, given: str, domain: str) -> None:
        super().__init__(
            span,
            f"'{name}' is defined on {domain}, but its argument can be anything in {given}",
            hint="narrow the domain of the argument, or guard the call with 'if'",
        )
