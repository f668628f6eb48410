"""Runs an emitted module on tracing values, so that its text becomes terms.

The text is read with `ast`: choices (`a if c else b`, `and`, `or`, `not`, comparison chains) become
calls, so both sides of each are traced; guards at the door and `except` clauses, which only concern
how a value arrives and where IEEE 754 differs from Python, are left out. Names need not match
anything: the module's functions are found by what they are called.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from types import CodeType, SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from mgrad.compiler.verify import arrays, elements, lists, names
from mgrad.compiler.verify.layout import Known
from mgrad.compiler.verify.opaque import extern_function
from mgrad.compiler.verify.terms import Dag, placeholder


class TraceError(Exception):
    """The text does something that cannot be followed; says what and, if known, in which line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class Traced:
    """A value of the text: a term."""

    __slots__ = ("term", "tracer")
    __array_priority__ = 1000

    def __init__(self, tracer: Tracer, term: int) -> None:
        self.tracer = tracer
        self.term = term

    def __add__(self, other: Any) -> Any:
        return self.tracer.apply(names.ADD, self, other)

    def __radd__(self, other: Any) -> Any:
        return self.tracer.apply(names.ADD, other, self)

    def __sub__(self, other: Any) -> Any:
        return self.tracer.apply(names.SUB, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.tracer.apply(names.SUB, other, self)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, list | tuple):  # so many times over
            return other * self.__index__()
        return self.tracer.apply(names.MUL, self, other)

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, list | tuple):
            return other * self.__index__()
        return self.tracer.apply(names.MUL, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.tracer.apply(names.DIV, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.tracer.apply(names.DIV, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self.tracer.apply(names.FLOORDIV, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self.tracer.apply(names.FLOORDIV, other, self)

    def __mod__(self, other: Any) -> Any:
        return self.tracer.apply(names.MOD, self, other)

    def __rmod__(self, other: Any) -> Any:
        return self.tracer.apply(names.MOD, other, self)

    def __pow__(self, other: Any) -> Any:
        return self.tracer.apply(names.POW, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.tracer.apply(names.POW, other, self)

    def __neg__(self) -> Any:
        return self.tracer.apply(names.NEG, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.tracer.apply(names.ABS, self)

    def __and__(self, other: Any) -> Any:
        return self.tracer.connect("and", self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return self.tracer.connect("or", self, other)

    __ror__ = __or__

    def __invert__(self) -> Any:
        return self.tracer.negate(self)

    def __bool__(self) -> bool:
        raise TraceError(
            "the text decides its course by a value: only `a if c else b` can be followed"
        )

    def __float__(self) -> float:
        raise TraceError("the text wants a plain number where a value stands")

    def __index__(self) -> int:
        """A size, or the place of an element: it is the same at every point of a region."""
        whole = self.tracer.dag.whole(self.term)
        if whole is not None:
            return whole
        raise TraceError("the text wants a plain number where a value stands")

    __int__ = __index__

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def dtype(self) -> None:
        """Memory for values has none."""
        return None

    def astype(self, *_: Any, **__: Any) -> Any:
        return self

    def item(self) -> Any:
        return self


@dataclass(frozen=True, slots=True)
class Kept:
    """What the text gave, to be given back to it as it is."""

    value: Any


HOOK = "the tracer"  # by this name the followed text finds it; no source can have such a name


class Tracer:
    """Traces one module into a `Dag`. `places` says which line and name first held a term."""

    def __init__(self, dag: Dag, text: str, max_calls: int = 200_000) -> None:
        self.dag = dag
        self.places: dict[int, tuple[int, str]] = {}
        self.rounded: dict[int, None] = {}  # constants that stand for a number near by
        self.names: dict[str, Any] = {}
        self._is_nested = False  # whether tensors are nested lists
        self._exact: dict[float, Fraction] = {}
        self._calls = 0
        self._max_calls = max_calls
        self._line = 0
        self._run(text)

    def know(self, numbers: Any) -> None:
        """Exact numbers whose nearest floats the text may hold in their place."""
        for number in numbers:
            try:
                self._exact.setdefault(float(number), number)
            except OverflowError:
                continue

    def _run(self, text: str) -> None:
        code = _followable(text)
        builtins = {
            **names.plain_builtins(),
            **{n: self.function(e) for n, e in names.BUILTINS.items()},
        }
        builtins |= {"__import__": self._import, "__build_class__": None, "sum": self._sum}
        builtins |= {"any": self._any, "all": self._all}
        builtins |= {"float": self.number, "int": self.number, "bool": self._bool}
        space: dict[str, Any] = {"__builtins__": builtins, "__name__": "traced", HOOK: self}
        given = dict(space)
        self._guard(lambda: exec(code, space))
        for name, value in space.items():
            if callable(value) and given.get(name) is not value:
                self.names[name] = getattr(value, "inner", value)

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except TraceError as error:
            if error.line is None and self._line:
                raise TraceError(str(error), self._line) from None
            raise
        except (
            NameError,
            AttributeError,
            TypeError,
            ValueError,
            IndexError,
            KeyError,
            ImportError,
            ArithmeticError,
            AssertionError,
        ) as error:
            raise TraceError(f"{type(error).__name__}: {error}", self._line or None) from None
        except RecursionError:
            raise TraceError("the text calls itself without end", self._line or None) from None

    def call(self, name: str, *arguments: Any) -> Any:
        """The result of a function of the module on terms: traced values, nested as returned."""
        wrapped = [self._wrap(a) for a in arguments]
        return self._guard(lambda: self.names[name](*wrapped))

    def _wrap(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._wrap(v) for v in value)
        if arrays.is_array(value):
            known = [isinstance(e, Known) for e in elements.flat(value)]
            array = value.astype(int) if all(known) else elements.mapped(self._wrap, value)
            return lists.nested(array) if self._is_nested else array
        if isinstance(value, Known):
            return int(value)
        if isinstance(value, Kept):
            return value.value
        return Traced(self, value) if isinstance(value, int) else value

    def terms(self, value: Any) -> list[int]:
        """The terms of a nested result, flat."""
        flat: list[int] = []
        stack = [value]
        while stack:
            item = stack.pop()
            if isinstance(item, tuple | list):
                stack.extend(reversed(item))
            elif arrays.is_array(item):
                stack.extend(reversed(elements.flat(item)))
            else:
                flat.append(self.term(item))
        return flat

    # ----------------------------------------------------------------------- called from the text

    def term(self, value: Any) -> int:
        if isinstance(value, Traced):
            return value.term
        if isinstance(value, np.integer):  # what NumPy made of ints that are known
            value = int(value)
        if isinstance(value, bool):
            return self.dag.constant(value)
        if isinstance(value, int):
            return self.dag.constant(Fraction(value))
        if isinstance(value, float):
            return self._float(value)
        raise TraceError(f"a {type(value).__name__} where a number is wanted")

    def _float(self, value: float) -> int:
        if value != value or value in (float("inf"), float("-inf")):
            return self.dag.constant(value)
        exact = self._exact.get(value)
        if exact is not None:
            return self.dag.constant(exact)
        if len(repr(value).split("e")[0].replace(".", "").strip("-0")) < 15:
            return self.dag.constant(Fraction(repr(value)))
        exact = names.exact(value)
        if exact is not None:
            return self.dag.constant(exact)
        term = self.dag.constant(Fraction(repr(value)))
        self.rounded[term] = None
        return term

    def apply(self, expression: Any, *operands: Any) -> Any:
        if any(arrays.is_array(o) for o in operands):
            return self._mapped(lambda *xs: self.apply(expression, *xs), *operands)
        return Traced(self, self.dag.apply(expression, [self.term(o) for o in operands]))

    def function(self, meaning: Any) -> Callable[..., Any]:
        """A function of the text: `meaning` takes placeholders and gives an expression."""

        def traced(*operands: Any, **keywords: Any) -> Any:
            if set(keywords) - {"dtype"}:
                raise TraceError(f"keyword {sorted(keywords)[0]} cannot be followed")
            expression = names.expression(meaning, len(operands))
            return self._mapped(lambda *xs: self.apply(expression, *xs), *operands)

        return traced

    def _mapped(self, function: Callable[..., Any], *operands: Any) -> Any:
        """A function of values, over arrays element by element."""
        if not any(arrays.is_array(o) for o in operands):
            return function(*operands)
        return elements.mapped(function, *(arrays.objects(o) for o in operands))

    def select(self, condition: Any, then: Any, orelse: Any) -> Any:
        return self._mapped(self._select, condition, then, orelse)

    def _select(self, condition: Any, then: Any, orelse: Any) -> Any:
        test = self.dag.truth(self.term(condition))
        return Traced(self, self.dag.select(test, self.term(then), self.term(orelse)))

    def choose(self, condition: Any, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        """`then() if condition else orelse()`."""
        if not isinstance(condition, Traced):
            return then() if condition else orelse()
        a, b = then(), orelse()
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(self.select(condition, x, y) for x, y in zip(a, b, strict=True))
        return self.select(condition, a, b)

    def compare(self, first: Any, *rest: Any) -> Any:
        """A chain: `compare(a, "<", b, "<=", c)`."""
        parts: list[Any] = []
        left = first
        for relation, right in zip(rest[::2], rest[1::2], strict=True):
            if relation in ("is", "is not"):
                parts.append((left is right) is (relation == "is"))
            else:
                parts.append(self._mapped(self._compare(relation), left, right))
            left = right
        return parts[0] if len(parts) == 1 else self.connect("and", *parts)

    def _compare(self, relation: str) -> Callable[[Any, Any], Any]:
        def compared(left: Any, right: Any) -> Any:
            m, n = self._whole(left), self._whole(right)
            if m is not None and n is not None:  # sizes and places: the choice is made
                return INTS[relation](m, n)
            a, b = (self.dag.amount(self.term(v)) for v in (left, right))
            return Traced(self, self.dag.compare(relation, a, b))

        return compared

    def _whole(self, value: Any) -> int | None:
        number = self.dag.number(value.term) if isinstance(value, Traced) else value
        if isinstance(number, Fraction) and number.denominator == 1:
            return int(number)
        return number if type(number) is int else None

    def connect(self, head: str, *operands: Any) -> Any:
        return self._mapped(lambda *xs: self._connect(head, *xs), *operands)

    def _connect(self, head: str, *operands: Any) -> Any:
        if not any(isinstance(o, Traced) for o in operands):
            return all(operands) if head == "and" else any(operands)
        terms = [self.dag.truth(self.term(o)) for o in operands]
        return Traced(self, self.dag.connect(head, terms))

    def negate(self, operand: Any) -> Any:
        return self._mapped(self._negate, operand)

    def _negate(self, operand: Any) -> Any:
        if not isinstance(operand, Traced):
            return not operand
        return Traced(self, self.dag.negate(self.dag.truth(operand.term)))

    def number(self, value: Any = 0.0) -> Any:
        """`float(x)`, `int(x)`, `np.float64(x)`: the value as a number."""
        if isinstance(value, Traced):
            return Traced(self, self.dag.amount(value.term))
        return float(value) if isinstance(value, str) else value

    def exactly(self, value: Any) -> Any:
        """A literal as a term, so that `1/3` stays exact and 0/0 is nan. In a tuple, of what is
        saved for one, ints are sizes."""
        if isinstance(value, tuple):
            return tuple([v if isinstance(v, int) else self.exactly(v) for v in value])
        return Traced(self, self.term(value)) if isinstance(value, int | float) else value

    def _bool(self, value: Any) -> Any:
        return Traced(self, self.dag.truth(self.term(value)))

    def _sum(self, values: Any, start: Any = 0) -> Any:
        for value in values:
            start = start + value
        return start

    def places_of(self, index: Any) -> Any:
        """An index as NumPy takes it."""
        if arrays.is_array(index) and index.dtype == object:
            return elements.whole(index, self._arithmetic.integer)
        return index

    def _any(self, values: Any) -> Any:
        return self.connect("or", *values)

    def _all(self, values: Any) -> Any:
        return self.connect("and", *values)

    def at(self, line: int) -> None:
        self._line = line

    def assign(self, line: int, name: str, value: Any) -> Any:
        """Notes which line made a value, and under which name."""
        if isinstance(value, Traced):
            self.places.setdefault(value.term, (line, name))
        elif arrays.is_array(value):
            for element in elements.flat(value):
                self.assign(line, name, element)
        elif isinstance(value, list):
            for part in value:
                self.assign(line, name, part)
        return value

    def define(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of the module; equal calls are made once, so text that shares calls stays
        as cheap as it reads."""
        known: dict[Any, Any] = {}

        def once(*arguments: Any, **keywords: Any) -> Any:
            arguments = tuple(map(self.exactly, arguments))
            keywords = {k: self.exactly(v) for k, v in keywords.items()}
            key = (
                self._key(arguments),
                tuple((k, self._key(v)) for k, v in sorted(keywords.items())),
            )
            if key not in known:
                self._calls += 1
                if self._calls > self._max_calls:
                    raise TraceError("too many calls to follow")
                line = self._line
                known[key] = function(*arguments, **keywords)
                self._line = line
            return known[key]

        once.inner = once  # type: ignore[attr-defined]
        once.__name__ = function.__name__
        return once

    def _key(self, value: Any) -> Any:
        if isinstance(value, Traced):
            return ("term", value.term)
        if isinstance(value, tuple | list):
            return tuple(self._key(v) for v in value)
        if arrays.is_array(value):
            return (value.shape, tuple(self._key(v) for v in elements.flat(value)))
        return (type(value).__name__, repr(value))

    def method(self, name: str, owner: Any, *operands: Any, **keywords: Any) -> Any:
        """`owner.name(…)`, of an array as NumPy's function of that name."""
        if arrays.is_array(owner):
            return self._imported("numpy", name)(owner, *operands, **keywords)
        return getattr(owner, name)(*operands, **keywords)

    # --------------------------------------------------------------------------------- its imports

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if name in ("__future__", "typing", "collections.abc"):
            return __import__(name, fromlist=["annotations"])
        module = self._module(name)
        if fromlist or "." not in name:
            return module
        outer: Any = module
        for part in reversed(name.split(".")[1:]):
            outer = SimpleNamespace(**{part: outer})
        return outer

    def _module(self, name: str) -> Any:
        tracer = self

        class Module:
            def __getattr__(self, attribute: str) -> Any:
                if attribute.startswith("__"):
                    raise AttributeError(attribute)
                return tracer._imported(name, attribute)

        return Module()

    def _imported(self, module: str, attribute: str) -> Any:
        found = self._meant(module, attribute)
        return self._into(found) if callable(found) and not isinstance(found, Traced) else found

    def _into(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that writes its result into `out`, if that is given."""

        def written(*operands: Any, **keywords: Any) -> Any:
            out = keywords.pop("out", None)
            result = function(*operands, **keywords)
            if out is None:
                return result
            out[...] = arrays.objects(result)
            return out

        return written

    def _copy(self, out: Any, value: Any, where: Any = True) -> Any:
        """np.copyto."""
        value = arrays.objects(value)
        out[...] = value if where is True else self.select(where, value, out)
        return out

    def _meant(self, module: str, attribute: str) -> Any:
        constant = names.CONSTANTS.get(attribute)
        if module in ("math", "numpy") and constant is not None:
            return Traced(self, self.dag.constant(constant))
        if module == "math" and attribute == "prod":
            return lambda values: self._join("prod", list(values))
        if module == "math" and attribute in names.MATH:
            return self.function(names.MATH[attribute])
        if module == "numpy":
            return self._numpy(attribute)
        if module.split(".")[0] == "mgrad":
            meaning = names.runtime(module, attribute)
            if meaning is not None:
                return self.function(meaning)
            if attribute == "special" or attribute == "elementary":
                return self._module(f"{module}.{attribute}")
            if module == "mgrad.runtime.lists":
                self._is_nested = True
                return self._lists.get(attribute, self._door)
            if module == "mgrad.runtime.elementwise":
                return self._door
            return self._runtime.get(attribute, self._door)
        if module == "math":
            raise TraceError(f"unknown function math.{attribute}")
        return self._extern(f"{module}.{attribute}")

    def _numpy(self, attribute: str) -> Any:
        match attribute:
            case "where":
                return self.select
            case "logical_and" | "logical_or":
                return lambda *operands: self.connect(attribute.removeprefix("logical_"), *operands)
            case "logical_not":
                return self.negate
            case "float64" | "float32" | "int64":
                return self.number
            case "asarray" | "atleast_1d" | "ascontiguousarray":
                return lambda value, *_, **__: value
            case "copyto":
                return self._copy
            case "result_type":
                return lambda *_: None
            case _ if attribute in RELATIONS_OF_NUMPY:
                relation = RELATIONS_OF_NUMPY[attribute]
                return lambda x, y: self.compare(x, relation, y)
        if attribute in self._arrays:
            return self._arrays[attribute]
        if attribute in names.NUMPY:
            return self.function(names.NUMPY[attribute])
        if attribute == "linalg":
            return SimpleNamespace(**arrays.linear_algebra(self._arithmetic))
        if attribute == "s_":
            return np.s_
        raise TraceError(f"unknown function np.{attribute}")

    @cached_property
    def _arithmetic(self) -> elements.Arithmetic:
        def op(name: str, operands: Any) -> Any:
            return self.function(names.op(name))(*operands)

        def integer(value: Any) -> int:
            whole = self.dag.whole(self.term(value))
            if whole is None:
                raise TraceError("an index depends on a value")
            return whole

        return elements.Arithmetic(lambda value: value, op, integer)

    def _join(self, reduction: str, values: list[Any]) -> Any:
        if reduction in ("any", "all"):
            return self.connect("or" if reduction == "any" else "and", *values)
        if reduction in ("max", "min"):
            return self.function(names.NUMPY[f"{reduction}imum"])(*values)
        values = [self.number(v) if isinstance(v, Traced) else v for v in values]
        start = values[0] if values else int(reduction == "prod")
        for value in values[1:]:
            start = start + value if reduction == "sum" else start * value
        return start

    @cached_property
    def _arrays(self) -> Mapping[str, Any]:
        return arrays.namespace(self._arithmetic, self._join)

    @cached_property
    def _runtime(self) -> Mapping[str, Any]:
        return arrays.runtime(self._arithmetic, self._join)

    @cached_property
    def _lists(self) -> Mapping[str, Any]:
        return lists.namespace(self._arithmetic, self._join)

    def _extern(self, path: str) -> Any:
        def opaque(*operands: Any) -> Any:
            symbols = [placeholder(i) for i in range(len(operands))]
            expression = sp.Function(path, real=True)(*symbols)
            terms = [self.term(o) for o in operands]
            return Traced(self, self.dag.apply(expression, terms, extern_function(path)))

        return opaque

    def _door(self, /, *arguments: Any, **keywords: Any) -> Any:
        """Whatever a module asks of the runtime at its door: a decorator, or a check of values."""
        if len(arguments) == 1 and not keywords and callable(arguments[0]):
            return arguments[0]
        if any(isinstance(v, Traced) for v in keywords.values()):
            values = tuple(keywords.values())
            return values if len(values) > 1 else values[0]
        if any(isinstance(v, Traced) for v in arguments):
            values = tuple(v for v in arguments if not isinstance(v, str))
            return values if len(values) > 1 else values[0]
        return self._door


@lru_cache(maxsize=8)
def _followable(text: str) -> CodeType:
    """The text with its choices as calls, ready to run."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise TraceError(f"the module is not Python: {error.msg}", error.lineno) from None
    return compile(ast.fix_missing_locations(_Rewrite().visit(tree)), "<module>", "exec")


class _Rewrite(ast.NodeTransformer):
    """Choices become calls, assignments say where they stand, doors and handlers go."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Ints that say a place are plain ints, also where they are elements of arrays."""
        self.generic_visit(node)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        made: list[ast.expr] = [
            p if isinstance(p, ast.Slice) else _call("places_of", p) for p in parts
        ]
        node.slice = ast.Tuple(made, ast.Load()) if len(made) > 1 else made[0]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Methods of arrays compute with traced values."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS:
            return node
        owner = [ast.Constant(node.func.attr), node.func.value]
        return ast.Call(_attribute("method"), [*owner, *node.args], node.keywords)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _call("choose", node.test, _thunk(node.body), _thunk(node.orelse))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        head = "and" if isinstance(node.op, ast.And) else "or"
        return _call("connect", ast.Constant(head), *node.values)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return _call("negate", node.operand)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        arguments: list[ast.expr] = [node.left]
        for op, right in zip(node.ops, node.comparators, strict=True):
            arguments += [ast.Constant(RELATIONS.get(type(op), "in")), right]
        return _call("compare", *arguments)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = node.left, node.right
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            # 1/3 is a ratio of exact numbers, not the float nearest to it
            return ast.BinOp(_call("exactly", left), node.op, right)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            node.value = _place(node.lineno, node.targets[0].id, node.value)
            return node
        targets = node.targets[0]
        if isinstance(targets, ast.Subscript) and isinstance(targets.value, ast.Name):
            node.value = _place(node.lineno, targets.value.id, node.value)
            return node
        if not (isinstance(targets, ast.Tuple) and isinstance(node.value, ast.Tuple)):
            return node
        if len(targets.elts) == len(node.value.elts):
            node.value.elts = [
                _place(node.lineno, t.id, v) if isinstance(t, ast.Name) else v
                for t, v in zip(targets.elts, node.value.elts, strict=True)
            ]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A call that writes into memory that is there: `np.add(x, y, out=z)`."""
        self.generic_visit(node)
        if not isinstance(node.value, ast.Call):
            return node
        places = [k.value for k in node.value.keywords if k.arg == "out"] or node.value.args[:1]
        place = places[0] if places else None
        while isinstance(place, ast.Subscript | ast.Attribute):
            place = place.value
        name = place.id if isinstance(place, ast.Name) else "out"
        node.value = _place(node.lineno, name, node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        placed = _place(node.lineno, node.target.id, value)
        return ast.copy_location(ast.Assign([node.target], placed), node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Tuple):
            node.value.elts = [_place(node.lineno, "return", v) for v in node.value.elts]
        elif node.value is not None:
            node.value = _place(node.lineno, "return", node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list.append(_attribute("define"))
        node.args.defaults = [_call("exactly", d) for d in node.args.defaults]
        node.returns = None
        for argument in (*node.args.args, *node.args.posonlyargs, *node.args.kwonlyargs):
            argument.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Try(self, node: ast.Try) -> Any:
        body: list[ast.stmt] = []
        for statement in node.body + node.orelse:
            made = self.visit(statement)
            body += made if isinstance(made, list) else [made] if made is not None else []
        return body

    def visit_With(self, node: ast.With) -> Any:
        return self.visit_Try(ast.Try(node.body, [], [], []))

    def visit_If(self, node: ast.If) -> Any:
        """A door asks for types; anything else is run, and refused if it asks for a value."""
        for part in ast.walk(node.test):
            if isinstance(part, ast.Name) and part.id in ("type", "isinstance"):
                return None
        self.generic_visit(node)
        node.test = _told(node.lineno, node.test)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.test = _told(node.lineno, node.test)
        return node


METHODS = frozenset({"sum", "prod", "max", "min", "any", "all", "argmax", "argmin", "dot"})
RELATIONS_OF_NUMPY: Mapping[str, str] = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}

INTS: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

RELATIONS: dict[type, str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
}


def _attribute(name: str) -> ast.expr:
    return ast.Attribute(ast.Name(HOOK, ast.Load()), name, ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(_attribute(name), list(arguments), [])


def _place(line: int, name: str, value: ast.expr) -> ast.expr:
    return _told(line, _call("assign", ast.Constant(line), ast.Constant(name), value))


def _told(line: int, value: ast.expr) -> ast.expr:
    """The value; the line is told before it is computed, for messages."""
    pair = ast.Tuple([_call("at", ast.Constant(line)), value], ast.Load())
    return ast.Subscript(pair, ast.Constant(1), ast.Load())


def _thunk(body: ast.expr) -> ast.expr:
    arguments = ast.arguments(
        posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[]
    )
    return ast.Lambda(arguments, body)
