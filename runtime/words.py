"""What a function on tensors takes and gives, in the source's own words.

    x: [N, D], w: [D], b, k: int[K], T: int -> [N], bool; N >= 2

Arguments, results after `->` (one real number where nothing is said), and after `;` conditions on
sizes. A dimension is a number, a name, or arithmetic on them (`2*H`, `N - 1`, `N//2`, `N^2`); a
name is a constant, the int argument of that name, or the size of the first axis in an argument
where it stands alone. `..` stands first and is any number of leading axes, the same everywhere: a
function's body has them folded into one axis, of size 1 if there are none.

The words are read once, when the generated module is imported. They need no NumPy: the targets
share them (`shapes` for arrays, `lists` for nested lists).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from types import CodeType
from typing import Any, NamedTuple, NoReturn, Protocol

Shape = tuple[int, ...]

TOKEN = re.compile(r"\s*(->|//|\*\*|\.\.|[=!<>]=|[^\W\d]\w*|\d+|[][(),:;+*^<>-])")
KINDS = {"real": float, "int": int, "bool": bool}
NOUNS = {float: "a real number", int: "an int", bool: "a bool"}
LEAD = ".."


class Term(NamedTuple):
    """A dimension, or a condition on dimensions."""

    text: str
    code: CodeType  # an expression in Python of the variables
    expression: str  # its text
    names: tuple[str, ...]
    is_name: bool  # whether it is nothing but a name


class Form(NamedTuple):
    """What one argument or result is: its kind, and the dimensions of a tensor."""

    kind: type
    dims: tuple[Term, ...]
    text: str

    @property
    def has_lead(self) -> bool:
        """Whether `..` stands first."""
        return bool(self.dims) and self.dims[0].text == LEAD

    @property
    def size(self) -> str:
        """The number of elements, an expression in Python."""
        return "*".join(f"({dim.expression})" for dim in self.dims)


class Sides(NamedTuple):
    """The shape of a result, inside the function and outside, and its kind."""

    inner: Shape
    outer: Shape
    kind: type = float


class Passed(Protocol):
    """What is known of arguments that have passed a door."""

    @property
    def shapes(self) -> Sequence[Shape]:
        """As given."""

    @property
    def lead(self) -> Shape:
        """The leading axes."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Of the variables."""


@dataclass(frozen=True)
class Words:
    """The names and forms of the arguments in order, the forms of the results, the conditions."""

    names: tuple[str, ...]
    forms: tuple[Form, ...]
    results: tuple[Form, ...]
    conditions: tuple[Term, ...]
    constants: Mapping[str, int]
    variables: Mapping[str, str]  # in code, of each dimension's name
    origins: Mapping[str, tuple[int, int]]  # of a name: argument and axis; axis -1 of an int

    @property
    def are_numbers(self) -> bool:
        """Whether neither an argument nor a result has axes: then the function maps over arrays."""
        return not any(form.dims for form in (*self.forms, *self.results))

    @cached_property
    def wide(self) -> tuple[Form, ...]:
        """The results that may be larger than every argument."""
        given = [Counter(dim.text for dim in form.dims) for form in self.forms]
        return tuple(
            form
            for form in self.results
            if form.dims and not any(Counter(dim.text for dim in form.dims) <= own for own in given)
        )

    def sides(self, given: Passed) -> list[Sides]:
        """The results' shapes, for these arguments."""
        made = []
        for form in self.results:
            dims = form.dims[1:] if form.has_lead else form.dims
            rest = tuple([value_of(dim, given.sizes) for dim in dims])
            made.append(self._sides(form, rest, given.lead))
        return made

    def arguments(self, given: Passed) -> list[Sides]:
        """The shapes of the real arguments, which are those of their gradients."""
        return [
            self._sides(form, shape[len(given.lead) :] if form.has_lead else shape, given.lead)
            for form, shape in zip(self.forms, given.shapes, strict=True)
            if form.kind is float
        ]

    def _sides(self, form: Form, rest: Shape, lead: Shape) -> Sides:
        if form.has_lead:
            return Sides((prod(lead), *rest), lead + rest, form.kind)
        return Sides(rest, rest, form.kind)

    def leading(self, function: str, shapes: Sequence[Shape]) -> Shape:
        """The leading axes; every rank is checked on the way."""
        lead: Shape | None = None
        for name, form, shape in zip(self.names, self.forms, shapes, strict=True):
            if not form.dims and shape:
                noun = NOUNS[form.kind]
                raise ValueError(f"{function}: {name} has shape {shape}, and must be {noun}")
            count = len(form.dims) - form.has_lead
            if len(shape) < count or (len(shape) > count and not form.has_lead):
                axes = f"{count} {'axis' if count == 1 else 'axes'}"
                more = " or more" if form.has_lead else ""
                raise ValueError(
                    f"{function}: {name} has shape {shape}, but {form.text} has {axes}{more}"
                )
            if lead is None and form.has_lead:
                lead = shape[: len(shape) - count]
        return lead or ()

    def measured(
        self, values: Sequence[Any], shapes: Sequence[Shape], lead: Shape
    ) -> dict[str, int]:
        sizes = {}
        for name, variable in self.variables.items():
            if name in self.constants:
                sizes[variable] = self.constants[name]
                continue
            argument, axis = self.origins[name]
            if axis < 0:
                sizes[variable] = int(values[argument])
            else:
                after = axis - len(self.forms[argument].dims)  # from the end, behind `..`
                sizes[variable] = prod(lead) if name == LEAD else shapes[argument][after]
        return sizes

    def verify(
        self, function: str, shapes: Sequence[Shape], lead: Shape, sizes: Mapping[str, int]
    ) -> None:
        for i, (form, shape) in enumerate(zip(self.forms, shapes, strict=True)):
            dims = form.dims[1:] if form.has_lead else form.dims
            rest = tuple([value_of(dim, sizes) for dim in dims])
            wanted = lead + rest if form.has_lead else rest
            if shape == wanted:
                continue
            split = len(shape) - len(rest)
            found = zip(dims, rest, shape[split:], strict=True)
            names = [name for dim, size, own in found if size != own for name in dim.names]
            if form.has_lead and shape[:split] != lead:
                names.insert(0, LEAD)
            message = f"{self.names[i]} has shape {shape}, but {form.text} means {wanted}"
            self._refuse(function, message, names, shapes, sizes, but=i)
        for condition in self.conditions:
            if not value_of(condition, sizes):
                message = f"{condition.text} must hold"
                self._refuse(function, message, condition.names, shapes, sizes)

    def _refuse(
        self,
        function: str,
        message: str,
        names: Sequence[str],
        shapes: Sequence[Shape],
        sizes: Mapping[str, int],
        but: int = -1,
    ) -> NoReturn:
        """A ValueError with where each name got its size, if not from the argument `but`."""
        reasons = {}
        for name in names:
            argument, axis = self.origins.get(name, (-1, -1))
            if axis < 0:
                reasons[f"{name} is {sizes[self.variables[name]]}"] = True
            elif argument != but:
                origin = f"{self.names[argument]}: {self.forms[argument].text}"
                reasons[f"{origin} has shape {shapes[argument]}"] = True
        if reasons:
            message += f", since {' and '.join(reasons)}"
        raise ValueError(f"{function}: {message}")


def seed(name: str, grads: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """The one argument of a backward pass besides what was saved."""
    if len(grads) + len(keywords) == 1 and keywords.keys() <= {"grad"}:
        return grads[0] if grads else keywords["grad"]
    given = [repr(key) for key in keywords if key != "grad"]
    if given:
        raise TypeError(f"{name}: there is no argument {given[0]}")
    raise TypeError(f"{name}: 'grad' is one argument, not {len(grads) + len(keywords)}")


def value_of(term: Term, sizes: Mapping[str, int]) -> int:
    """Its value; a dimension that divides by zero is 0 as NumPy has it."""
    if term.is_name:
        return sizes[term.expression]
    try:
        return int(eval(term.code, {"__builtins__": {}}, dict(sizes)))
    except ZeroDivisionError:
        return 0


# ------------------------------------------------------------------------------- reading the words


def read(text: str, constants: Mapping[str, int]) -> Words:
    """The words read; a ValueError says what is wrong with them."""
    return _Reader(text, constants).read()


class _Reader:
    """The tokens of the words, and what has been found so far."""

    def __init__(self, text: str, constants: Mapping[str, int]) -> None:
        self.text = text
        self.constants = constants
        self.tokens = list(_tokens(text))
        self.at = 0
        self.variables: dict[str, str] = {}

    def read(self) -> Words:
        names: list[str] = []
        forms: list[Form] = []
        while self.next not in ("->", ";", ""):
            if names:
                self.expect(",")
            names.append(self.name())
            forms.append(self.form() if self.accept(":") else Form(float, (), "real"))
        results = [Form(float, (), "real")]
        if self.accept("->"):
            results = [self.form()]
            while self.accept(","):
                results.append(self.form())
        conditions: list[Term] = []
        while self.accept(";" if not conditions else ","):
            conditions.append(self.term())
        if self.next:
            self.fail(f"{self.next!r} was not expected")
        origins = self.origins(names, forms)
        return Words(
            tuple(names),
            tuple(forms),
            tuple(results),
            tuple(conditions),
            dict(self.constants),
            self.variables,
            origins,
        )

    def origins(self, names: Sequence[str], forms: Sequence[Form]) -> dict[str, tuple[int, int]]:
        """Where each name of a dimension that is no constant gets its size."""
        found: dict[str, tuple[int, int]] = {}
        for i, (name, form) in enumerate(zip(names, forms, strict=True)):
            if name in self.variables and form.kind is int and not form.dims:
                found[name] = i, -1
        for i, form in enumerate(forms):
            for axis, dim in enumerate(form.dims):
                if dim.is_name and dim.text not in self.constants:
                    found.setdefault(dim.text, (i, axis))
        for name in self.variables:
            if name not in found and name not in self.constants:
                self.fail(f"{name} stands alone in no argument")
        return found

    def form(self) -> Form:
        kind = "real" if self.next == "[" else self.name()
        if kind not in KINDS:
            self.fail(f"{kind!r} is no type")
        if not self.accept("["):
            return Form(KINDS[kind], (), kind)
        dims = [self.term()]
        while self.accept(","):
            dims.append(self.term())
        self.expect("]")
        if any(dim.text == LEAD for dim in dims[1:]):
            self.fail(f"{LEAD} must stand first")
        text = f"[{', '.join(dim.text for dim in dims)}]"
        return Form(KINDS[kind], tuple(dims), text if kind == "real" else kind + text)

    def term(self) -> Term:
        """The tokens up to a comma or the closing bracket, as an expression of Python."""
        start = self.at
        depth = 0
        while self.next and (depth or self.next not in (",", "]")):
            depth += {"(": 1, ")": -1}.get(self.next, 0)
            self.at += 1
        tokens = self.tokens[start : self.at]
        names = dict.fromkeys(t for t in tokens if t == LEAD or t.isidentifier())
        for name in names:
            self.variables.setdefault(name, f"n{len(self.variables)}")
        expression = " ".join(self.variables.get(t, "**" if t == "^" else t) for t in tokens)
        text = _spelled(tokens)
        is_alone = LEAD not in names or len(tokens) == 1
        try:
            if not is_alone or {":", "[", "->", ";"}.intersection(tokens):
                raise SyntaxError
            code = compile(expression, "<dimension>", "eval")
        except SyntaxError:
            self.fail(f"{text!r} is no dimension")
        return Term(text, code, expression, tuple(names), len(tokens) == len(names) == 1)

    def name(self) -> str:
        if not self.next.isidentifier():
            self.fail(f"a name was expected, not {self.next!r}")
        self.at += 1
        return self.tokens[self.at - 1]

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def accept(self, token: str) -> bool:
        found = self.next == token
        self.at += found
        return found

    def expect(self, token: str) -> None:
        if not self.accept(token):
            self.fail(f"{token!r} was expected, not {self.next!r}")

    def fail(self, reason: str) -> NoReturn:
        raise ValueError(f"{self.text!r}: {reason}") from None


def _tokens(text: str) -> Iterator[str]:
    end = len(text.rstrip())
    at = 0
    while at < end:
        found = TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text!r}: {text[at:].strip()[0]!r} was not expected")
        yield found[1]
        at = found.end()


def _spelled(tokens: Sequence[str]) -> str:
    """Sums and comparisons with spaces, products without."""
    spaced = {"+", "-", "<", ">", "<=", ">=", "==", "!="}
    return "".join(
        f" {token} " if token in spaced and i else token for i, token in enumerate(tokens)
    )
