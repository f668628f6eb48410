"""Normal forms: an expression as a quotient of polynomials over kernels.

A kernel is a symbol, or a function that is not rational (an exponential, a logarithm, a sine, a
root …) of a quotient of its own, and a generator of a SymPy field of fractions over the rationals.
What kernels have to do with each other is used exactly: exp(a + b) = exp(a)·exp(b), roots have
powers, sin² + cos² = 1, multiples of one angle, logarithms of products of what is positive. So
equal expressions come out as equal quotients even where expanding them would never end. (The
method is that of the structure theorems behind integration in finite terms: Bronstein, Symbolic
Integration I, ch. 9, without a claim to be complete: what is not seen to be 0 may still be.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from math import gcd
from typing import Any

import sympy as sp
from sympy.polys.fields import FracField

FEW_KERNELS, MOST_KERNELS = 5, 60  # the fewer, the faster
MOST_TERMS = 20_000  # of a product, before like terms are collected
MOST_WORK = 1_000_000  # terms of all products together
MOST_POWER = 400  # of a kernel
MOST_ADDENDS = 10  # of an exponent that is taken apart
MOST_ANGLES = 12  # the multiple of an angle
SIMPLE_ANGLES = 12  # sines and cosines of multiples of π/12 are sums of roots of whole numbers
LARGEST_FACTORED = 10**8


@cache
def _field(size: int) -> Any:
    """Quotients of polynomials in so many kernels, over the whole numbers."""
    return FracField([f"t{i}" for i in range(size)], sp.ZZ)


class Beyond(Exception):
    """The expression is too large, or not one of these."""


class DividesByZero(Beyond):
    """The expression has no value anywhere."""


class NotReal(Exception):
    """The expression is nowhere a real number."""


class _Restart(Exception):
    """A kernel turned out to be a power of a finer one, which is known by now."""


class Tower:
    """Kernels found so far, and what they have to do with each other."""

    def __init__(self, is_positive: Callable[[Any], bool], most_work: int = MOST_WORK) -> None:
        self._is_positive = is_positive  # of a symbol
        self._most_work = most_work
        self._work = 0
        self._begin(FEW_KERNELS)

    def _begin(self, size: int) -> None:
        self.field = _field(size)
        self.zero, self.one = self.field.zero, self.field.one
        self.absent = self.number(0)  # this very object: the 0 of a branch that is not taken
        self._units: dict[object, Fraction] = {}  # of which all multiples of a thing are multiples
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._kernels: dict[object, Any] = {}
        self._positive: set[int] = set()
        self._relations: list[tuple[int, int, Any]] = []  # generator, power of it, what that is
        self._logarithms: dict[int, Any] = {}  # generator -> of what it is the logarithm
        self._exponents: dict[int, Any] = {}  # generator -> of what it is the exponential

    def settled(self, build: Callable[[], Any]) -> Any:
        """What `build` makes with this tower, begun anew when a finer kernel is needed."""
        for _ in range(2 * MOST_KERNELS):
            try:
                return build()
            except _Restart:
                self._clear()
        raise Beyond

    # ------------------------------------------------------------------------------- expressions

    def lift(self, expression: Any, known: Mapping[Any, Any]) -> Any:
        """The normal form; `known` gives those of symbols."""
        if expression in known:
            return known[expression]
        if expression.is_Rational:
            return self.number(Fraction(int(expression.p), int(expression.q)))
        if expression.is_Symbol:
            return self._kernel(expression, positive=self._is_positive(expression))
        if expression.is_Add or expression.is_Mul:
            first, *rest = (self.lift(a, known) for a in expression.args)
            for other in rest:
                first = (
                    self._sum(first, other) if expression.is_Add else self._product(first, other)
                )
            return first
        if expression.is_Pow:
            base, exponent = (self.lift(a, known) for a in expression.args)
            return self._power(base, exponent)
        if expression is sp.E:
            return self._exponential(self.one)
        if expression in (sp.pi, sp.EulerGamma, sp.Catalan, sp.GoldenRatio):
            return self._kernel(expression, positive=True)
        if not expression.is_Function:
            raise Beyond
        arguments = [self.reduced(self.lift(a, known)) for a in expression.args]
        rule = RULES.get(expression.func)
        if rule is not None:
            return rule(self, *arguments)
        return self._kernel((expression.func, *arguments))

    def number(self, value: Fraction | int) -> Any:
        """A constant."""
        ring = self.field.ring
        return self.field.raw_new(ring(value.numerator), ring(value.denominator))

    def is_zero(self, element: Any) -> bool:
        """Whether it is 0 by what is known of the kernels."""
        return not element.numer or not self._reduced_polynomial(element.numer)

    def are_equal(self, a: Any, b: Any) -> bool:
        """Whether the difference is 0. In lowest terms it is not needed, which may take long."""
        self._limit(a.numer, b.denom, b.numer, a.denom)
        top = a.numer * b.denom - b.numer * a.denom
        return not top or not self._reduced_polynomial(top)

    def constant(self, element: Any) -> Fraction | None:
        """The number that it is, if it is one."""
        return _rational(self.reduced(element))

    def is_positive(self, element: Any) -> bool:
        """Whether it is made of positive numbers and kernels alone."""
        return all(
            coefficient > 0
            and all(g in self._positive for g, power in enumerate(monomial) if power)
            for part in (element.numer, element.denom)
            for monomial, coefficient in part.iterterms()
        )

    def reduced(self, element: Any) -> Any:
        """The same without powers of kernels that are something simpler."""
        if not self._relations:
            return element
        top, bottom = map(self._reduced_polynomial, (element.numer, element.denom))
        return self._quotient(top, bottom)

    def _reduced_polynomial(self, polynomial: Any) -> Any:
        made = self.field.raw_new(polynomial, self.field.ring.one)
        for generator, power, value in reversed(self._relations):
            if not any(m[generator] >= power for m in made.numer.itermonoms()):
                continue
            parts: dict[int, Any] = {}
            for monomial, coefficient in made.numer.iterterms():
                times, left = divmod(monomial[generator], power)
                low = (*monomial[:generator], left, *monomial[generator + 1 :])
                parts.setdefault(times, self.field.ring.zero.copy())[low] = coefficient
            one = self.field.ring.one
            bottom, made = self.field.raw_new(one, made.denom), self.zero
            for times in sorted(parts):
                part = self.field.raw_new(parts[times], one)
                made = self._sum(made, self._product(part, value**times))
            made = self._product(made, bottom)
        return made

    # -------------------------------------------------------------------------------- arithmetic

    # Operands are in lowest terms; so are the results, by common divisors of parts alone.

    def _sum(self, a: Any, b: Any) -> Any:
        self._limit(a.numer, b.denom, b.numer, a.denom)
        common, a_bottom, b_bottom = _parts(a.denom, b.denom)
        top = a.numer * b_bottom + b.numer * a_bottom
        if not top:
            return self.zero
        _, top, common = _parts(top, common)
        return self._made(top, a_bottom * b_bottom * common)

    def _product(self, a: Any, b: Any) -> Any:
        self._limit(a.numer, b.numer, a.denom, b.denom)
        if not a or not b:
            return self.zero
        _, a_top, b_bottom = _parts(a.numer, b.denom)
        _, b_top, a_bottom = _parts(b.numer, a.denom)
        return self._made(a_top * b_top, a_bottom * b_bottom)

    def _limit(self, a: Any, b: Any, c: Any, d: Any) -> None:
        size = len(a) * len(b) + len(c) * len(d)
        self._work += size
        if size > MOST_TERMS or self._work > self._most_work:
            raise Beyond

    def _made(self, top: Any, bottom: Any) -> Any:
        if bottom.LC < 0:
            top, bottom = -top, -bottom
        return self.field.raw_new(top, bottom)

    def _quotient(self, a: Any, b: Any) -> Any:
        if self.is_zero(b):
            raise DividesByZero
        return self._product(a, self._made(b.denom, b.numer))

    def _whole_power(self, base: Any, exponent: int) -> Any:
        if exponent < 0:
            return self._quotient(self.one, self._whole_power(base, -exponent))
        terms = len(base.numer) + len(base.denom)
        if exponent > MOST_POWER or (terms > 2 and terms**exponent > MOST_TERMS):
            raise Beyond
        return base**exponent

    def _power(self, base: Any, exponent: Any) -> Any:
        fixed = _rational(exponent)
        if fixed is not None:
            return self._rational_power(base, fixed)
        return self._exponential(self._product(exponent, self._logarithm(base)))

    def _rational_power(self, base: Any, exponent: Fraction) -> Any:
        if exponent.denominator == 1:
            return self._whole_power(base, int(exponent))
        base = self.reduced(base)
        if not base:
            raise DividesByZero if exponent < 0 else Beyond
        result = self.one
        for factor, times in self._positive_factors(base):
            if factor == -1 and exponent.denominator % 2 == 0:
                raise NotReal
            root = self._root(factor, times * exponent)
            result = self._product(result, root)
        return result

    def _root(self, base: Any, exponent: Fraction) -> Any:
        if exponent.denominator == 1:
            return self._whole_power(base, int(exponent))
        source = _generator(base)
        if source in self._exponents:
            inner = self._product(self._exponents[source], self.number(exponent))
            return self._exponential(inner)
        unit = self._unit(("root", base), Fraction(1, exponent.denominator))
        degree = unit.denominator
        root = self._kernel(("root", base, degree), positive=True)
        if not any(g == _generator(root) for g, _, _ in self._relations):
            self._relations.append((_generator(root), degree, base))
        whole = exponent / unit
        times, left = divmod(int(whole), degree)
        return self._product(self._whole_power(base, times), root**left)

    def _positive_factors(self, element: Any) -> Iterable[tuple[Any, int]]:
        """Factors of which all but the last are known to be positive, and how often each."""
        content = abs(_content(element))
        rest = self._product(element, self.number(1 / content))
        for sign, number in ((1, content.numerator), (-1, content.denominator)):
            for prime, times in _factors(number):
                yield self.number(prime), sign * times
        for sign, part in ((1, rest.numer), (-1, rest.denom)):
            common = _common(part)
            for generator in sorted(self._positive):
                times = common[generator]
                if times:
                    factor = self.field.gens[generator]
                    yield factor, sign * times
                    rest = self._product(rest, factor ** (-sign * times))
        if rest != 1:
            yield rest, 1

    # ----------------------------------------------------------------------------------- kernels

    def _kernel(self, key: object, positive: bool = False) -> Any:
        found = self._kernels.get(key)
        if found is None:
            if self._count == self.field.ngens:
                if self._count == MOST_KERNELS:
                    raise Beyond
                self._begin(min(2 * self._count, MOST_KERNELS))
                raise _Restart
            found = self._kernels[key] = self.field.gens[self._count]
            if positive:
                self._positive.add(self._count)
            self._count += 1
        return found

    def _unit(self, key: object, amount: Fraction) -> Fraction:
        """A number of which all amounts of a thing that were ever asked for are multiples."""
        known = self._units.get(key)
        if known is None:
            known = self._units[key] = abs(amount)
        elif (amount / known).denominator != 1:
            top = gcd(known.numerator * amount.denominator, amount.numerator * known.denominator)
            self._units[key] = Fraction(top, known.denominator * amount.denominator)
            raise _Restart
        return known

    def _exponential(self, exponent: Any) -> Any:
        exponent = self.reduced(exponent)
        parts = [exponent]
        if len(exponent.numer) <= MOST_ADDENDS:
            terms = [self.field.ring.term_new(m, c) for m, c in exponent.numer.terms()]
            parts = [self.field.new(term, exponent.denom) for term in terms]
        result = self.one
        for part in parts if exponent else ():
            result = self._product(result, self._exponential_of_one(part))
        return result

    def _exponential_of_one(self, exponent: Any) -> Any:
        content = _content(exponent)
        primitive = self._product(exponent, self.number(1 / content))
        of = self._logarithms.get(_generator(primitive))
        if of is not None:
            return self._rational_power(of, content)
        unit = self._unit(("exp", primitive), content)
        kernel = self._kernel(("exp", primitive, unit), positive=True)
        self._exponents[_generator(kernel)] = self._product(primitive, self.number(unit))
        return self._whole_power(kernel, int(content / unit))

    def _logarithm(self, of: Any) -> Any:
        of = self.reduced(of)
        if not of:
            raise DividesByZero
        result = self.zero
        for factor, times in self._positive_factors(of):
            if factor == -1:
                raise NotReal
            generator = _generator(factor)
            if generator in self._exponents:
                one = self._exponents[generator]
            else:
                one = self._kernel(("log", factor))
                self._logarithms[_generator(one)] = factor
            result = self._sum(result, one * times)
        return result

    def _angle(self, angle: Any) -> tuple[Any, Any]:
        """Sine and cosine."""
        angle = self.reduced(angle)
        if not angle:
            return self.zero, self.one
        content = _content(angle)
        primitive = self._product(angle, self.number(1 / content))
        unit = self._unit(("angle", primitive), content)
        if primitive == self._kernels.get(sp.pi) and SIMPLE_ANGLES % unit.denominator == 0:
            known = sp.pi * sp.Rational(content)
            return self.lift(sp.sin(known), {}), self.lift(sp.cos(known), {})
        times = int(content / unit)
        if abs(times) > MOST_ANGLES:
            raise Beyond
        one_sine = self._kernel(("sin", primitive, unit))
        one_cosine = self._kernel(("cos", primitive, unit))
        if not any(g == _generator(one_cosine) for g, _, _ in self._relations):
            self._relations.append((_generator(one_cosine), 2, 1 - one_sine**2))
        sine, cosine = self.zero, self.one
        for _ in range(abs(times)):
            sine, cosine = (
                self._sum(self._product(sine, one_cosine), self._product(cosine, one_sine)),
                self._sum(self._product(cosine, one_cosine), -self._product(sine, one_sine)),
            )
        return (sine if times > 0 else -sine), cosine

    def _hyperbolic(self, of: Any) -> tuple[Any, Any]:
        """exp and its reciprocal."""
        grown = self._exponential(of)
        return grown, self._quotient(self.one, grown)

    def _sine(self, x: Any) -> Any:
        return self._angle(x)[0]

    def _cosine(self, x: Any) -> Any:
        return self._angle(x)[1]

    def _tangent(self, x: Any) -> Any:
        return self._quotient(*self._angle(x))

    def _cotangent(self, x: Any) -> Any:
        return self._quotient(*reversed(self._angle(x)))

    def _sinh(self, x: Any) -> Any:
        grown, shrunk = self._hyperbolic(x)
        return self._product(self._sum(grown, -shrunk), self.number(Fraction(1, 2)))

    def _cosh(self, x: Any) -> Any:
        grown, shrunk = self._hyperbolic(x)
        return self._product(self._sum(grown, shrunk), self.number(Fraction(1, 2)))

    def _tanh(self, x: Any) -> Any:
        return self._quotient(self._sinh(x), self._cosh(x))

    def _erfc(self, x: Any) -> Any:
        return 1 - self._odd(sp.erf, x)

    def _odd(self, function: Any, x: Any) -> Any:
        if not x:
            return self.zero
        sign = -1 if _content(x) < 0 else 1
        return sign * self._kernel((function, sign * x))


RULES: dict[Any, Callable[..., Any]] = {
    sp.exp: Tower._exponential,
    sp.log: Tower._logarithm,
    sp.sin: Tower._sine,
    sp.cos: Tower._cosine,
    sp.tan: Tower._tangent,
    sp.cot: Tower._cotangent,
    sp.sec: lambda tower, x: tower._quotient(tower.one, tower._cosine(x)),
    sp.csc: lambda tower, x: tower._quotient(tower.one, tower._sine(x)),
    sp.sinh: Tower._sinh,
    sp.cosh: Tower._cosh,
    sp.tanh: Tower._tanh,
    sp.coth: lambda tower, x: tower._quotient(tower._cosh(x), tower._sinh(x)),
    sp.sech: lambda tower, x: tower._quotient(tower.one, tower._cosh(x)),
    sp.csch: lambda tower, x: tower._quotient(tower.one, tower._sinh(x)),
    sp.erfc: Tower._erfc,
    **{
        function: lambda tower, x, function=function: tower._odd(function, x)
        for function in (sp.erf, sp.atan, sp.asin, sp.asinh, sp.atanh)
    },
}


def _parts(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The greatest common divisor of two polynomials, and what is left of each."""
    one = a.ring.one
    if a == one or b == one:
        return one, a, b
    if a == b:  # which the algorithm takes its time to find
        return a, one, one
    common, a_rest, b_rest = a.cofactors(b)
    return common, a_rest, b_rest


def _rational(element: Any) -> Fraction | None:
    """The value of a constant."""
    if not element:
        return Fraction(0)
    if element.numer.is_ground and element.denom.is_ground:
        return _content(element)
    return None


def _content(element: Any) -> Fraction:
    """The number by which the element is to be divided for leading coefficients of 1."""
    return Fraction(int(element.numer.LC), int(element.denom.LC))


def _generator(element: Any) -> int:
    """The number of the generator that the element is; -1 if it is none."""
    if element.denom != 1 or len(element.numer) != 1 or element.numer.LC != 1:
        return -1
    (monomial,) = element.numer.itermonoms()
    return monomial.index(1) if sum(monomial) == 1 else -1


def _common(polynomial: Any) -> tuple[int, ...]:
    """The powers of generators that divide it."""
    return tuple(min(powers) for powers in zip(*polynomial.itermonoms(), strict=True))


def _factors(number: int) -> list[tuple[int, int]]:
    """Primes of a small number; a large one is its own factor."""
    if number == 1:
        return []
    if number > LARGEST_FACTORED:
        return [(number, 1)]
    return sorted((int(p), int(k)) for p, k in sp.factorint(number).items())
