"""Types of the IR and of the typed program: an element type and a shape of symbolic dimensions.

A dimension is an integer polynomial over named sizes, with `floordiv` atoms, in a normal form: two
dimensions are equal exactly if their normal forms are, and what stays undecided is checked when a
function is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Dtype = Literal["real", "int", "bool"]


@dataclass(frozen=True, slots=True)
class FloorDiv:
    """The atom `numerator // divisor` where the division is not exact."""

    numerator: Dim
    divisor: Dim

    def __str__(self) -> str:
        return f"{_bracketed(self.numerator)}//{_bracketed(self.divisor)}"


def _bracketed(dim: Dim) -> str:
    text = str(dim)
    return text if text.isidentifier() or text.isdecimal() else f"({text})"


Atom = str | FloorDiv
Monomial = tuple[tuple[Atom, int], ...]  # atoms with their powers, sorted by text


@dataclass(frozen=True, slots=True)
class Dim:
    """A polynomial: monomials with non-zero integer coefficients, sorted by text."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def of(value: int | str | Dim) -> Dim:
        if isinstance(value, Dim):
            return value
        if isinstance(value, str):
            return Dim(((((value, 1),), 1),))
        return Dim((((), value),)) if value else Dim(())

    @staticmethod
    def _normal(terms: Mapping[Monomial, int]) -> Dim:
        kept = [(m, c) for m, c in terms.items() if c]
        return Dim(tuple(sorted(kept, key=lambda t: (-sum(p for _, p in t[0]), str(t[0])))))

    def __add__(self, other: int | str | Dim) -> Dim:
        terms = dict(self.terms)
        for monomial, coefficient in Dim.of(other).terms:
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return Dim._normal(terms)

    def __neg__(self) -> Dim:
        return Dim(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: int | str | Dim) -> Dim:
        return self + -Dim.of(other)

    def __mul__(self, other: int | str | Dim) -> Dim:
        terms: dict[Monomial, int] = {}
        for m1, c1 in self.terms:
            for m2, c2 in Dim.of(other).terms:
                powers = dict(m1)
                for atom, power in m2:
                    powers[atom] = powers.get(atom, 0) + power
                monomial = tuple(sorted(powers.items(), key=lambda t: str(t[0])))
                terms[monomial] = terms.get(monomial, 0) + c1 * c2
        return Dim._normal(terms)

    def __floordiv__(self, other: int | str | Dim) -> Dim:
        """Whole multiples of the divisor, which is positive, are taken out term by term; what is
        left is a `FloorDiv`. So `(2*N - 3)//2` is `N - 2`, and `(N - 3)//2` is `(N + 1)//2 - 2`."""
        divisor = Dim.of(other)
        if len(divisor.terms) != 1:
            if self == divisor:
                return Dim.of(1)
            return self._floor(divisor) if self.terms else self
        ((unit, n),) = divisor.terms
        whole, rest = Dim(()), Dim(())
        for monomial, c in self.terms:
            quotient = _without(monomial, unit)
            if quotient is None:
                rest += Dim(((monomial, c),))
            else:
                whole += Dim._normal({quotient: c // n})
                rest += Dim._normal({monomial: c % n})
        known = rest.constant
        if known is not None and (known == 0 or not unit):
            return whole  # what is left of a number is less than the divisor
        return whole + rest._floor(divisor)

    def _floor(self, divisor: Dim) -> Dim:
        return Dim(((((FloorDiv(self, divisor), 1),), 1),))

    @property
    def constant(self) -> int | None:
        """The value, if it is a number."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0][0]:
            return self.terms[0][1]
        return None

    @property
    def names(self) -> frozenset[str]:
        found: set[str] = set()
        for monomial, _ in self.terms:
            for atom, _ in monomial:
                if isinstance(atom, str):
                    found.add(atom)
                else:
                    found |= atom.numerator.names | atom.divisor.names
        return frozenset(found)

    def replaced(self, sizes: Mapping[str, Dim]) -> Dim:
        """With other sizes for some names, all at once."""
        if not sizes.keys() & self.names:
            return self
        total = Dim(())
        for monomial, coefficient in self.terms:
            product = Dim.of(coefficient)
            for atom, power in monomial:
                if isinstance(atom, str):
                    value = sizes.get(atom, Dim.of(atom))
                else:
                    value = atom.numerator.replaced(sizes) // atom.divisor.replaced(sizes)
                for _ in range(power):
                    product = product * value
            total = total + product
        return total

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        total = 0
        for monomial, coefficient in self.terms:
            product = coefficient
            for atom, power in monomial:
                if isinstance(atom, str):
                    value = sizes[atom]
                else:
                    value = atom.numerator.evaluate(sizes) // atom.divisor.evaluate(sizes)
                product *= value**power
            total += product
        return total

    def __str__(self) -> str:
        parts: list[str] = []
        for monomial, coefficient in self.terms:
            is_minus = coefficient < 0 and not parts  # -n//2 is (-n)//2
            alone = abs(coefficient) == 1 and len(monomial) == 1 and not is_minus
            factors = [_factor(a, p, alone) for a, p in monomial]
            if abs(coefficient) != 1 or not factors:
                factors.insert(0, str(abs(coefficient)))
            sign = "-" if coefficient < 0 else "+"
            parts.append(f"{sign} {'*'.join(factors)}")
        text = " ".join(parts) or "0"
        return text[2:] if text.startswith("+ ") else text.replace("- ", "-", 1)


def _factor(atom: Atom, power: int, alone: bool) -> str:
    """A power of an atom; a quotient beside other factors needs brackets."""
    text = str(atom)
    if isinstance(atom, FloorDiv) and not (alone and power == 1):
        text = f"({text})"
    return text if power == 1 else f"{text}^{power}"


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    """The monomial divided by another, None if it is no multiple of it."""
    powers = dict(monomial)
    for atom, power in divisor:
        powers[atom] = powers.get(atom, 0) - power
    if any(p < 0 for p in powers.values()):
        return None
    return tuple((atom, p) for atom, p in powers.items() if p)


Shape = tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """An array type; a scalar has the shape `()`."""

    dtype: Dtype
    shape: Shape = ()

    def __str__(self) -> str:
        if not self.shape:
            return self.dtype
        dims = ", ".join(str(d) for d in self.shape)
        return f"[{dims}]" if self.dtype == "real" else f"{self.dtype}[{dims}]"

    def with_dtype(self, dtype: Dtype) -> Type:
        return self if dtype == self.dtype else Type(dtype, self.shape)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Several values in one: the results of a call or of a loop."""

    items: tuple[AnyType, ...]

    def __str__(self) -> str:
        return "(" + ", ".join(str(t) for t in self.items) + ")"


@dataclass(frozen=True, slots=True)
class Saved:
    """What the forward pass `function` keeps for its backward pass; opaque to the caller."""

    function: str

    def __str__(self) -> str:
        return f"saved {self.function}"


AnyType = Type | Bundle | Saved

REAL = Type("real")
INT = Type("int")
BOOL = Type("bool")


@dataclass(frozen=True, slots=True)
class Interval:
    """A domain: exact bounds, `float` only for the infinities."""

    low: Fraction | float
    high: Fraction | float
    low_open: bool
    high_open: bool

    def __str__(self) -> str:
        left, right = "[("[self.low_open], "])"[self.high_open]
        return f"{left}{self.low}, {self.high}{right}"
