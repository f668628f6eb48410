"""Faults of the text itself, found before anything has a meaning."""

from typing import ClassVar

from mgrad.compiler.diagnostics import Diagnostic, Related
from mgrad.compiler.source import Source, Span


class NotUtf8(Diagnostic):
    """A source is text in UTF-8, and this file is not.

    An editor may have saved it as Latin-1 or UTF-16, or it is no text at all. Save it again as
    UTF-8.
    """

    code = "E001"

    def __init__(self, source: Source, offset: int, byte: int) -> None:
        """`source` is the text as far as it can be read; `offset` counts bytes of the file."""
        at = source.text.find("\N{REPLACEMENT CHARACTER}")
        span = Span(source, at, at + 1) if at >= 0 else None
        super().__init__(
            span,
            f"the file is not UTF-8: byte 0x{byte:02x} at offset {offset}",
            hint="save it as UTF-8",
        )


class StrayCharacter(Diagnostic):
    """A character that has no meaning in the language.

        fn f(x) = x ? 2

    Remove it. Logic is spelt `and`, `or`, `not`; strings stand in double quotes.
    """

    code = "E002"

    HINTS: ClassVar[dict[str, str]] = {
        "&": "write `and`",
        "|": "write `or`; a pipe is `|>`",
        "!": "write `not`",
        "?": "a choice is `if … then … else …`",
        "$": "names stand as they are",
        "\\": "a line continues after an operator or inside brackets",
        "~": "`~=` compares approximately in a `test` line",
        "\N{NO-BREAK SPACE}": "write an ordinary space",
        "\N{ZERO WIDTH SPACE}": "delete this invisible character",
        "\N{BYTE ORDER MARK}": "delete this invisible character",
        "\0": "the file may be binary, or saved as UTF-16",
    }

    def __init__(self, span: Span, character: str) -> None:
        shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
        super().__init__(span, f"{shown} has no meaning in .mg", hint=self.HINTS.get(character))


class NotAscii(Diagnostic):
    """Operators and exponents are spelt in ASCII. Letters of any alphabet may stand in names.

        fn f(x) = 2×x² − 1

    is written `2*x^2 - 1`.
    """

    code = "E003"

    def __init__(self, span: Span, found: str, spelling: str) -> None:
        hint = f"write `{spelling}`" if spelling else "names hold letters, digits and `_`"
        super().__init__(span, f"`{found}` cannot stand here", hint=hint)


class UnclosedString(Diagnostic):
    """A string must end on the line where it begins.

        use "./blocks.mg: Block

    Put a closing `"`.
    """

    code = "E004"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "this string is not closed on its line", hint='add a closing `"`')


class UnclosedBracket(Diagnostic):
    """A bracket was opened and what follows shows that its closing one was forgotten.

        fn f(x) = 2*(x + 1
        fn g(x) = x

    Close it. The other place is where the fault was noticed.
    """

    code = "E005"

    def __init__(self, opener: Span, bracket: str, closer: str, noticed: Span) -> None:
        super().__init__(
            opener,
            f"`{bracket}` is never closed",
            related=[Related(noticed, "noticed here")],
            hint=f"add `{closer}`",
        )


class UnmatchedBracket(Diagnostic):
    """A closing bracket closes nothing.

        fn f(x) = x + 1)

    Remove it, or open it where it should begin.
    """

    code = "E006"

    def __init__(self, span: Span, bracket: str) -> None:
        super().__init__(span, f"`{bracket}` closes nothing", hint="remove it")


class MismatchedBracket(Diagnostic):
    """A bracket is closed by one of another kind.

        fn f(x) = (x + 1]

    Only a domain may mix them: `p in [0, 1)`.
    """

    code = "E007"

    CLOSER: ClassVar[dict[str, str]] = {"(": ")", "[": "]", "{": "}"}

    def __init__(self, span: Span, bracket: str, opener: Span, opened: str) -> None:
        super().__init__(
            span,
            f"`{bracket}` cannot close `{opened}`",
            related=[Related(opener, "opened here")],
            hint=f"write `{self.CLOSER[opened]}`",
        )


class TooDeep(Diagnostic):
    """Nesting goes 200 deep at most.

    That counts brackets, and what nests without them: `x^-x^-x`, `if … then if …`, `x[0][0]`.

    Chains of operators and of `else if` may be as long as you like. Give the inner parts names.
    """

    code = "E008"

    def __init__(self, span: Span, limit: int) -> None:
        super().__init__(
            span, f"nested more than {limit} deep", hint="give an inner part a name of its own"
        )


class NumberTooLong(Diagnostic):
    """An exact constant has at most 1,000 digits.

        const huge = 1e10000

    Beyond about 1e308 a number is infinite at run time anyway: write `inf`.
    """

    code = "E009"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "this number has more than 1,000 digits")


COMMENTS = "a comment begins with `#`; a docstring with `##`, and stands before its definition"


class Unexpected(Diagnostic):
    """Something stands where it cannot. The message says what could stand there instead.

        fn f(x) = 3*/x

    Often a word or an operator too many, or one that is missing just before.
    """

    code = "E010"

    def __init__(self, span: Span, found: str, expected: str, hint: str | None = None) -> None:
        super().__init__(span, f"unexpected {found}, expected {expected}", hint=hint)


class LineStartsWithOperator(Diagnostic):
    """A statement ends with its line, so a line cannot begin with an operator.

        y = a
          + b

    Put the operator at the end of the line before, or the whole in parentheses.
    Only `|>`, `then` and `else` may begin a line that continues.
    """

    code = "E011"

    def __init__(self, span: Span, operator: str) -> None:
        super().__init__(
            span,
            f"a line cannot start with `{operator}`",
            hint=f"end the line before with `{operator}`, or use parentheses",
        )


class BraceOnNextLine(Diagnostic):
    """The `{` of a block stands on the line of its head.

        fn f(x)
        {
          return x
        }

    Write `fn f(x) {`.
    """

    code = "E012"

    def __init__(self, span: Span, head: Span) -> None:
        super().__init__(
            span,
            "`{` stands on the line of its head",
            related=[Related(head, "the head ends here")],
            hint="move it up",
        )


class SeveralStatements(Diagnostic):
    """A line holds one statement, and so does `{ … }` on one line.

        for t in 0..n { y = 2*y z = y }

    Give each statement a line of its own.
    """

    code = "E013"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span, "a second statement on one line", hint="put each statement on a line of its own"
        )


class EmptyReturn(Diagnostic):
    """`return` gives back one or more values.

        fn f(x) {
          y = x^2
          return
        }

    Name what is to come out: `return y`.
    """

    code = "E014"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "`return` needs a value")


class MissingElse(Diagnostic):
    """An `if` inside an expression always has a value, so it needs both branches.

        fn f(x) = if x > 0 then x

    Write `if x > 0 then x else 0`.
    """

    code = "E015"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span, "`if … then …` needs an `else`", hint="give the value of the other case"
        )


class AssignmentForComparison(Diagnostic):
    """`=` gives a name its value; equality is asked with `==`.

        fn f(x) = if x = 0 then 1 else sin(x)/x

    Write `x == 0`.
    """

    code = "E016"

    def __init__(self, span: Span, meant: str = "==") -> None:
        super().__init__(span, f"`{span.text}` does not compare", hint=f"write `{meant}`")


class ComparisonForAssignment(Diagnostic):
    """A statement gives a name its value with `=`; `==` compares.

        y == 2*x

    Write `y = 2*x`.
    """

    code = "E017"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "`==` does not assign", hint="write `=`")


class ForeignWord(Diagnostic):
    """A word of another language.

        def f(x): return x

    Functions are `fn f(x) = …` or `fn f(x) { … }`; there are no classes, exceptions or printing.
    """

    code = "E018"

    HINTS: ClassVar[dict[str, str]] = {
        "def": "write `fn name(…) = …`",
        "function": "write `fn name(…) = …`",
        "func": "write `fn name(…) = …`",
        "lambda": "functions are not values: define one with `fn`",
        "import": 'write `use "./file.mg": name`',
        "from": 'write `use "./file.mg": name`',
        "class": "there are no classes: write functions",
        "elif": "write `else if`",
        "let": "write `name = value`",
        "var": "write `name = value`",
        "print": "`mgrad eval` shows values",
        "assert": "write `test left == right`",
        "pass": "a block is never empty",
        "break": "a loop runs to its end",
        "continue": "a loop runs to its end: use `if`",
        "raise": "there are no exceptions",
        "try": "there are no exceptions",
        "is": "write `==`",
    }

    def __init__(self, span: Span, word: str) -> None:
        super().__init__(
            span, f"`{word}` is no word of the language here", hint=self.HINTS.get(word)
        )


class MissingBody(Diagnostic):
    """A definition's head is followed by `= expression` or by a block.

        fn f(x)

    Write `fn f(x) = x^2`, or `fn f(x) {` with a block that ends in `return`.
    """

    code = "E019"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "a body is missing", hint="go on with `= expression` or `{`")


class NetworksLater(Diagnostic):
    """Layers, models and training are part of the language, but not of this version of mgrad.

        layer Dense(units)(x: [.., n]) { … }

    Until then, write the layer as a function of its weights.
    """

    code = "E020"

    def __init__(self, span: Span, word: str) -> None:
        super().__init__(span, f"networks are not part of this version: `{word}`")


class ValueUnused(Diagnostic):
    """A statement does something with its value: gives it a name or returns it.

        fn f(x) {
          sin(x)
          return x
        }

    Write `y = sin(x)` or `return sin(x)`.
    """

    code = "E021"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span,
            "a value that nothing is done with is no statement",
            hint="write `name = …` or `return …`",
        )


class StatementOutside(Diagnostic):
    """Outside functions stand definitions only: `fn const use extern derivative test`.

        y = 3

    A value for the whole file is a constant: `const y = 3`.
    """

    code = "E022"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span,
            "a statement outside of a function",
            hint="a value for the whole file is `const name = …`",
        )


class DefinitionInside(Diagnostic):
    """Definitions stand at the top of the file, not inside a function.

        fn f(x) {
          const two = 2
          return two*x
        }

    Move it out. Functions may be defined in any order.
    """

    code = "E023"

    def __init__(self, span: Span, word: str) -> None:
        super().__init__(
            span, f"`{word}` cannot stand inside a function", hint="move the definition out"
        )


class ReservedName(Diagnostic):
    """A reserved word cannot be a name.

        fn f(for) = 2*for

    Reserved are `fn if then else for in while return and or not true false`.
    """

    code = "E024"

    def __init__(self, span: Span, word: str) -> None:
        super().__init__(span, f"`{word}` is reserved and cannot be a name")


class UnknownType(Diagnostic):
    """The types are `real` (the default), `int` and `bool`, each with or without a shape.

        fn f(n: float) = n

    A real tensor is written by its shape alone: `x: [N, D]`.
    """

    code = "E025"

    def __init__(self, span: Span, name: str) -> None:
        hint = "leave it out: real is the default" if name.startswith(("float", "double")) else None
        super().__init__(
            span, f"unknown type '{name}': the types are real, int and bool", hint=hint
        )


class TestWithoutRelation(Diagnostic):
    """A test compares two sides: `==` exactly, `~=` to nine digits.

        test f(3)

    Write `test f(3) == 20`.
    """

    code = "E026"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span,
            "a test has two sides, with one `==` or `~=` between them",
            hint="write `test left == right`",
        )


class EmptyBlock(Diagnostic):
    """A block holds at least one statement.

        if x > 0 { }

    Write the statement that is missing, or leave the block out.
    """

    code = "E027"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "a block needs a statement")


class PositionalAfterKeyword(Diagnostic):
    """Arguments given by name come after those given by place.

        decay(steps=10, y, k)

    Write `decay(y, k, steps=10)`.
    """

    code = "E028"

    def __init__(self, span: Span, keyword: Span) -> None:
        super().__init__(
            span,
            "an argument without a name after one with a name",
            related=[Related(keyword, "given by name here")],
            hint="put the named ones last",
        )


class UncalledPrime(Diagnostic):
    """A derivative `f'` is a function, and functions are called or piped into.

        fn slope(x) = f' + 1

    Write `f'(x)`. Inside a function the derivative of a value is `diff(y, x)`.
    """

    code = "E029"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span, "a derivative is a function and must be called", hint="write `f'(x)`"
        )


class StringAsValue(Diagnostic):
    """Strings name files and Python functions, in `use` and `extern`. They are no values.

        fn f(x) = "x"

    A value is a number or a truth value.
    """

    code = "E030"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "a string is no value")


class PythonConditional(Diagnostic):
    """A choice is written in the order in which it is decided.

        fn f(x) = x if x > 0 else 0

    Write `if x > 0 then x else 0`.
    """

    code = "E031"

    def __init__(self, span: Span) -> None:
        super().__init__(
            span, "a condition cannot follow its value", hint="write `if … then … else …`"
        )


class MissingOperator(Diagnostic):
    """Two values stand side by side. A product is always written with `*`.

        fn f(x) = 2x

    Write `2*x`.
    """

    code = "E032"

    def __init__(self, span: Span, left: str, right: str) -> None:
        named = left[0].isalnum()
        super().__init__(
            span,
            f"an operator is missing between `{left}` and `{right}`",
            hint=f"a product is `{left}*{right}`" if named else "a product is written with `*`",
        )


class ColonForBrace(Diagnostic):
    """Blocks stand in braces, and indentation has no meaning.

        if x > 0:
          y = 1

    Write `if x > 0 {`, the statements, and `}`.
    """

    code = "E033"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "`:` does not open a block", hint="write `{`, and `}` at its end")


class EqualsAndBrace(Diagnostic):
    """A body is either `= expression` or a block, not both.

        fn f(x) = {
          return x
        }

    Write `fn f(x) {`, or `fn f(x) = x`.
    """

    code = "E034"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "a block follows its head without `=`", hint="remove the `=`")


class ExternResults(Diagnostic):
    """An `extern` declares at most one result.

        extern fn f(x) -> [2], [3] = "module.f"

    Declare the first alone, or one `extern` for each.
    """

    code = "E035"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "an extern function has one result")


class SettingsHere(Diagnostic):
    """Only functions have settings, the names after `;`.

        derivative f(x; n = 2) = x

    Leave it out: a stated derivative repeats the arguments of its function, and no more.
    """

    code = "E036"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "only a function has settings", hint="remove what follows `;`")


class MissingComma(Diagnostic):
    """The parts of a list are separated by commas.

        fn f(x y) = x

    Write `fn f(x, y) = x`.
    """

    code = "E037"

    def __init__(self, span: Span) -> None:
        super().__init__(span, "a comma is missing before this", hint="write `,`")
