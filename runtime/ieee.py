"""A generated function once more, by IEEE 754.

Python's operators and `math` raise where IEEE 754 has a value: `1.0/0.0`, `math.exp(1000.0)`,
`math.log(-1.0)`. Generated code is written as plain Python, and asks here only when it raised:

    try:
        return log(x)/x
    except (ArithmeticError, ValueError):
        return ieee(f, x)

`ieee` runs a *twin* of the function: the same code, with arguments and constants of the types
`Real` and `Whole`, whose operators do not raise, and in a namespace where the functions of `math`
do not raise either, and where the other functions of the module are twins too.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from mgrad.runtime import door
from mgrad.runtime.real import Real, Whole, guarded, plain, power, to_float

Function = Callable[..., Any]

KEY = "__ieee__"  # under which a module's namespace holds its twins


def ieee(function: FunctionType, /, *arguments: Any) -> Any:
    """function(*arguments) by IEEE 754: no operator and no function of `math` in it raises.

    Arguments and results are floats, ints, bools, and tuples and lists of them, nested at will.
    """
    namespace = function.__globals__
    twins = namespace.get(KEY)
    if twins is None:
        twins = namespace.setdefault(KEY, Twins(namespace))  # atomic: all threads share one
    return plain(twins.of(function)(*guarded(arguments)))


class Twins:
    """The twins of a module's functions, and the namespace that they share."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._original = namespace
        self._functions: dict[FunctionType, FunctionType] = {}
        self._namespace: dict[str, Any] = {}
        twins = {name: self._twin(value) for name, value in namespace.items()}
        builtins = {"float": _to_real, "int": _to_whole, "len": _length, "range": _range}
        self._namespace.update({**builtins, **twins})

    def of(self, function: FunctionType) -> FunctionType:
        """The twin of a function of the module."""
        twin = self._functions.get(function)
        if twin is None:
            constants = tuple(_constant(value) for value in function.__code__.co_consts)
            code = function.__code__.replace(co_consts=constants)
            defaults = guarded(function.__defaults__)
            twin = FunctionType(code, self._namespace, function.__name__, defaults)
            twin = self._functions.setdefault(function, twin)
        return twin

    def _twin(self, value: Any) -> Any:
        """What stands for a value of the module's namespace."""
        if isinstance(value, FunctionType):
            if value is ieee:
                return _give_up
            if value.__module__ == door.__name__:
                return _guarding(value)
            inner = getattr(value, "inner", None)
            if isinstance(inner, FunctionType) and inner.__globals__ is self._original:
                return _Decorated(self.of(inner))
            return self.of(value) if value.__globals__ is self._original else opaque(value)
        if isinstance(value, BuiltinFunctionType):
            return BUILTINS.get(value) or (value if value in KEPT else opaque(value))
        if value is float:
            return _to_real
        if value is int:
            return _to_whole
        if isinstance(value, ModuleType):
            return _Attributes(self._twin, value)
        if isinstance(value, type) or not callable(value):
            return _constant(value)
        return opaque(value)


class _Decorated:
    """Stands for a function with a door, of which the module calls the function itself."""

    def __init__(self, inner: FunctionType) -> None:
        self.inner = inner


class _Attributes:
    """Stands for a module: its attributes are twins."""

    def __init__(self, twin: Function, module: ModuleType) -> None:
        self._twin = twin
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return self._twin(getattr(self._module, name))


def _constant(value: Any) -> Any:
    """A float becomes Real, also inside a tuple and in the code of a comprehension; ints meet a
    Real or a Whole in any case."""
    if isinstance(value, CodeType):
        return value.replace(co_consts=tuple(_constant(item) for item in value.co_consts))
    if isinstance(value, tuple):
        return tuple(_constant(item) for item in value)
    return Real(value) if isinstance(value, float) else value


def _give_up(function: Function, /, *arguments: Any) -> Any:
    """`ieee` inside a twin, whose own `except` calls it: what was raised there is no arithmetic."""
    raise


def _guarding(check: Function) -> Function:
    """A door inside a twin: what passes is Real or Whole."""

    def twin(function: str, /, **arguments: Any) -> Any:
        return guarded(check(function, **arguments))

    return twin


def _to_real(value: Any = 0.0) -> Real:
    return Real(to_float(value))


def _to_whole(value: Any = 0) -> Whole:
    return Whole(value)


def _length(value: Any) -> Whole:
    return Whole(len(value))


def _range(*bounds: int) -> Iterator[Whole]:
    return map(Whole, range(*bounds))


def opaque(function: Function) -> Function:
    """A function of which only the values are known: it gets floats and ints, without warnings of
    NumPy, and where it raises an arithmetic error its value is nan."""

    def twin(*arguments: Any) -> Any:
        try:
            with _silence():
                return guarded(_number(function(*plain(arguments))))
        except (ArithmeticError, ValueError):
            return Real(math.nan)

    return twin


def _silence() -> AbstractContextManager[Any]:
    numpy = sys.modules.get("numpy")
    return nullcontext() if numpy is None else numpy.errstate(all="ignore")


def _number(value: Any) -> Any:
    """Scalars of NumPy as Python's."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


# ------------------------------------------------------------------------ the functions of `math`


def _nan(*arguments: float) -> float:
    return math.nan


def _inf(*arguments: float) -> float:
    return math.inf


def _signed_inf(x: float) -> float:
    """At an odd function's overflow or pole."""
    return math.copysign(math.inf, x)


def _log(x: float, base: float | None = None) -> float:
    if base is not None:
        return float(BUILTINS[math.log](x) / BUILTINS[math.log](base))
    return -math.inf if x == 0 else math.nan


def _log1p(x: float) -> float:
    return -math.inf if x == -1 else math.nan


def _atanh(x: float) -> float:
    return math.copysign(math.inf, x) if abs(x) == 1 else math.nan


def _gamma(x: float) -> float:
    """inf at overflow; at the poles -1, -2, … the sign is unknown."""
    return math.copysign(math.inf, x) if x >= 0 or x > -1 else math.nan


def _ldexp(x: float, exponent: float) -> float:
    return math.copysign(math.inf, x)


# What a function gives where Python raises: there, the value by IEEE 754 is inf or nan.
WHERE_RAISED: dict[str, Function] = {
    "exp": _inf,
    "exp2": _inf,
    "expm1": _inf,
    "cosh": _inf,
    "sinh": _signed_inf,
    "log": _log,
    "log2": _log,
    "log10": _log,
    "log1p": _log1p,
    "atanh": _atanh,
    "lgamma": _inf,
    "gamma": _gamma,
    "ldexp": _ldexp,
    "hypot": _inf,
    **dict.fromkeys(("sqrt", "sin", "cos", "tan", "asin", "acos", "acosh"), _nan),
    **dict.fromkeys(("atan", "atan2", "asinh", "tanh", "cbrt", "erf", "erfc"), _nan),
    **dict.fromkeys(("fmod", "remainder", "fabs", "copysign", "degrees", "radians"), _nan),
}


def _of_math(function: Function, where_raised: Function) -> Function:
    """The function by IEEE 754, of Real, Whole or their plain kin."""

    def twin(*arguments: float) -> Real:
        values = [to_float(x) for x in arguments]
        try:
            return Real(function(*values))
        except (ArithmeticError, ValueError):
            return Real(where_raised(*values))

    return twin


def _power(x: float, y: float) -> Real:
    return Real(power(to_float(x), to_float(y)))


BUILTINS: dict[Any, Function] = {
    getattr(math, name): _of_math(getattr(math, name), where_raised)
    for name, where_raised in WHERE_RAISED.items()
    if hasattr(math, name)
}
BUILTINS[math.pow] = _power

# These work on Real by its methods, or do not raise.
KEPT = frozenset(
    {math.floor, math.ceil, math.isnan, math.isinf, math.isfinite, abs, round, min, max, divmod}
)
