"""The digamma function and its derivatives for Python floats, on the whole real line.

Formulas: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.3 and 6.4: recurrence
(6.3.5, 6.4.6), reflection (6.3.7, 6.4.7) and asymptotic series (6.3.18, 6.4.11). At the poles 0,
-1, -2, …: digamma and the derivatives of even order are nan (-inf at 0.0, inf at -0.0, where the
side is known), those of odd order inf. Nothing here raises.
"""

from __future__ import annotations

import math
from fractions import Fraction

# The positive root of digamma in two parts, and the Taylor series there: psi^(k)(root)/k!.
ROOT = 1.4616321449683622
ROOT_REST = 9.549995429965697e-17
AT_ROOT = (
    0.9676722454476212,
    -0.4427631689835921,
    0.258499760955651,
    -0.16394270544240652,
    0.10782405069126237,
    -0.07219956125645471,
    0.04880428816414311,
    -0.03316112647484736,
    0.022597648232218104,
    -0.01542476590494896,
    0.010538791616612175,
    -0.007204534386356869,
    0.004926781395729853,
    -0.003369801655439328,
    0.002305126326734928,
    -0.0015769367714301972,
    0.0010788252019162967,
    -0.0007380709389960052,
    0.000504953265834602,
    -0.0003454680251063077,
    0.00023635601564027053,
    -0.00016170622091974803,
    0.0001106337276874741,
    -7.569179582195066e-05,
    5.178575795222081e-05,
    -3.5430070947659604e-05,
    2.424006611860132e-05,
    -1.6584242271854135e-05,
    1.134638458466385e-05,
    -7.762817668462094e-06,
    5.3110609208898636e-06,
    -3.6336507898010456e-06,
    2.486022733129538e-06,
)

BERNOULLI = tuple(
    Fraction(p, q)
    for p, q in (
        (1, 6),
        (-1, 30),
        (1, 42),
        (-1, 30),
        (5, 66),
        (-691, 2730),
        (7, 6),
        (-3617, 510),
        (43867, 798),
        (-174611, 330),
    )
)  # B_2, B_4, …
DIGAMMA_SERIES = tuple(float(b / (2 * k)) for k, b in enumerate(BERNOULLI, start=1))


def digamma(x: float) -> float:
    """The derivative of log(gamma(x))."""
    if x != x or x == -math.inf:
        return math.nan
    if x == 0:
        return -math.copysign(math.inf, x)
    if x < 0:
        if x == math.floor(x):
            return math.nan
        return digamma(1.0 - x) - math.pi * _cot_pi(x)
    if x == math.inf:
        return x
    if x >= 10.0:
        return _digamma_of_large(x)
    total = 0.0
    while x > ROOT + 0.5:  # downwards: the terms are positive and nothing cancels
        x -= 1.0
        total += 1.0 / x
    if x < ROOT - 0.5:
        total -= 1.0 / x
        x += 1.0
    return total + _digamma_near_root(x)


def _digamma_near_root(x: float) -> float:
    """At most 1/2 from the root; right in relative terms."""
    distance = (x - ROOT) - ROOT_REST
    value = 0.0
    for coefficient in reversed(AT_ROOT):
        value = value * distance + coefficient
    return value * distance


def _digamma_of_large(x: float) -> float:
    square = 1.0 / x / x
    series = 0.0
    for coefficient in reversed(DIGAMMA_SERIES):
        series = (series + coefficient) * square
    return math.log(x) - (0.5 / x + series)


def _cot_pi(x: float) -> float:
    """cot(pi*x) of an x that is not whole; the multiple of pi is taken off exactly."""
    rest = x - round(x)
    if abs(rest) <= 0.25:
        return 1.0 / math.tan(math.pi * rest)
    return math.tan(math.pi * (math.copysign(0.5, rest) - rest))


def polygamma(n: int, x: float) -> float:
    """The n-th derivative of digamma; n is 0 or more, else nan."""
    if n < 0 or x != x or x == -math.inf:
        return math.nan
    if n == 0:
        return digamma(x)
    if x == math.inf:
        return 0.0
    if x > 0:
        return _polygamma_of_positive(n, x)
    if x == math.floor(x):
        if n % 2:
            return math.inf
        return -math.copysign(math.inf, x) if x == 0 else math.nan
    mirrored = _polygamma_of_positive(n, 1.0 - x)
    return (-mirrored if n % 2 else mirrored) - math.pi * _cotangent_derivative(n, x)


def _polygamma_of_positive(n: int, x: float) -> float:
    """(-1)^(n+1) n! (1/x^(n+1) + 1/(x+1)^(n+1) + …): a sum up to a large argument, and the
    asymptotic series from there; all divided by n!/x^(n+1), whose factors are put back one by one
    so that neither part overflows before the whole does."""
    terms: list[float] = []
    y = x
    while y < n + 12.0:
        terms.append((x / y) ** (n + 1))
        y += 1.0
    series = y / n + 0.5
    factor = (n + 1) / 2 / y  # (2k+n-1)!/((2k)! n!) y^(1-2k)
    for k, bernoulli in enumerate(BERNOULLI, start=1):
        series += float(bernoulli) * factor
        factor *= (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1) * (2 * k + 2)) / y / y
    terms.append(series * (x / y) ** (n + 1))
    total = math.fsum(terms)
    total /= x
    for k in range(1, n + 1):
        total *= k / x
    return total if n % 2 else -total


def _cotangent_derivative(n: int, x: float) -> float:
    """The n-th derivative of cot(pi*x): a polynomial of c = cot(pi*x), as c' = -pi (1 + c^2)."""
    coefficients = [0, 1]
    for _ in range(n):
        slope = [k * a for k, a in enumerate(coefficients)][1:]
        coefficients = [-(a + b) for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    cotangent = _cot_pi(x)
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * cotangent + coefficient
    return value * math.pow(math.pi, n)
