"""Definitions: each is checked when it is first needed, so a callee stands before its callers.

A function with settings is checked once for each set of values that it is called with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from keyword import iskeyword
from typing import Any

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as shape_faults
from mgrad.compiler.ir.types import REAL, Dim, Dtype, Interval, Type
from mgrad.compiler.ops.op import ORDER, TABLE
from mgrad.compiler.sema import shapes, statements
from mgrad.compiler.sema.approximate import approximate
from mgrad.compiler.sema.body import BAD, TYPES, Body, Known, Local, Step, dtype_of
from mgrad.compiler.sema.exact import Exact, Scalar
from mgrad.compiler.sema.names import ARRAY_FUNCTIONS, NUMBERS
from mgrad.compiler.sema.program import Argument, Condition, Extern, Function, Test, Value
from mgrad.compiler.sema.suggest import Suggestions
from mgrad.compiler.sema.tree import mark_used, value_names
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast

Settings = tuple[tuple[str, Any], ...]  # names and Knowns, or None where the value is at fault


@dataclass(slots=True, eq=False)
class Entry:
    """What a name of a file means. `node` is None where an import failed."""

    name: str
    node: ast.Function | ast.Extern | ast.Const | ast.Derivative | None
    scope: FileScope
    span: Span
    used: bool = False

    def parameters(self) -> tuple[ast.Parameter, ...]:
        assert not isinstance(self.node, ast.Const) and self.node is not None
        return self.node.parameters

    def settings(self) -> tuple[ast.Setting, ...]:
        return self.node.settings if isinstance(self.node, ast.Function) else ()

    def head_span(self) -> Span:
        assert self.node is not None
        return self.node.span

    def signature(self) -> str:
        """`f(x, y = 1; steps = 10)`, as written."""
        text = ", ".join(" ".join(p.span.text.split()) for p in self.parameters())
        if self.settings():
            text += "; " + ", ".join(" ".join(s.span.text.split()) for s in self.settings())
        return f"{self.name}({text})"


@dataclass(slots=True, eq=False)
class FileScope:
    """The names of one file. An imported name leads to the entry of the file that defines it."""

    source: Source
    is_main: bool
    entries: dict[str, Entry] = field(default_factory=dict)
    derivatives: dict[str, Entry] = field(default_factory=dict)
    imports: list[tuple[ast.Name, Entry]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Instance:
    """A function as its callers see it. `results` is None after a fault."""

    key: str
    arguments: tuple[tuple[Argument, Known | None], ...]
    results: tuple[Type, ...] | None
    is_extern: bool = False
    opaque: tuple[str, Span] | None = None  # an extern without derivative, itself or called
    missing: tuple[str, Span] | None = None  # a setting without a value
    entry: Entry | None = None
    conditions: tuple[Condition, ...] = ()  # on its sizes


class Checker:
    """What is known of the whole program while it is checked."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.faults: list[Diagnostic] = []
        self.notes: list[Diagnostic] = []
        self.functions: dict[str, Function] = {}
        self.externs: dict[str, Extern] = {}
        self.derivatives: dict[str, Function] = {}
        self.constants: dict[str, Scalar] = {}
        self.tests: list[Test] = []
        self.suggestions = Suggestions()
        self.chosen = self._chosen(settings)
        self.taken: set[str] = set()  # keys and the names that keys must not take
        self._instances: dict[tuple[Entry, Any], Instance] = {}
        self._by_key: dict[str, Instance] = {}
        self._knowns: dict[Entry, Known] = {}
        self._stated: set[Entry] = set()
        self._active: dict[
            Entry, None
        ] = {}  # being checked, in the order in which they need each other
        self._cycles: set[frozenset[Entry]] = set()
        self._reported: set[tuple[str, int, int, str]] = set()

    def report(self, diagnostic: Diagnostic) -> None:
        """Take a diagnostic in, once a place: a body may be checked for several settings."""
        span = diagnostic.span
        if span is not None:
            place = (diagnostic.code, span.start, span.end, span.source.path)
            if place in self._reported:
                return
            self._reported.add(place)
        (self.faults if diagnostic.severity == "error" else self.notes).append(diagnostic)

    def is_builtin(self, name: str) -> bool:
        op = TABLE.get(name)
        if op is not None and op.is_builtin:
            return True
        return name in NUMBERS or name == "diff" or name in ARRAY_FUNCTIONS

    def suggest(self, name: str, scope: FileScope, names: Mapping[str, Any]) -> str | None:
        builtin = [op.name for op in TABLE.values() if op.is_builtin]
        return self.suggestions.nearest(name, [*names, *scope.entries, *builtin, *NUMBERS, "diff"])

    def _chosen(self, settings: Mapping[str, object]) -> dict[str, Exact]:
        """The values that the caller of the compiler gives to settings and constants."""
        chosen: dict[str, Exact] = {}
        for name, value in settings.items():
            number = setting_value(value)
            if number is None:
                self.report(meaning.SettingValue(name, value))
            else:
                chosen[name] = number
        return chosen

    # ---- constants ------------------------------------------------------------------------

    def known(
        self, scope: FileScope, node: ast.Expression, what: str, names: Mapping[str, Local]
    ) -> Step:
        """The value of an expression that must be known before the run."""
        body = Body(self, scope, constant=what)
        body.locals.update(names)
        operand = yield body.visit(node)
        if isinstance(operand, Value) and operand not in body.values:
            body.values.append(operand)
        if shapes.shape_of(operand) and not what.startswith("the constant"):
            shape = shapes.shown(operand)
            self.report(shape_faults.WrongRank(node.span, what, "a number", shape))
            operand = BAD
        return Known(operand, tuple(body.values))

    def constant(self, entry: Entry, span: Span) -> Any:
        """The value of a `const`."""
        found = self._knowns.get(entry)
        return self._constant(entry, span) if found is None else found

    def _constant(self, entry: Entry, span: Span) -> Step:
        if entry in self._active:
            self._cycle(entry, span)
            return Known(BAD)
        assert isinstance(entry.node, ast.Const)
        self._active[entry] = None
        known = yield from self.known(
            entry.scope, entry.node.value, f"the constant '{entry.name}'", {}
        )
        del self._active[entry]
        if entry.scope.is_main and entry.name in self.chosen:
            known = Known(self.chosen[entry.name])
        self._knowns[entry] = known
        if entry.scope.is_main and known.operand is not BAD and not shapes.shape_of(known.operand):
            self.constants[entry.name] = number(known)
        return known

    def known_argument(self, body: Body, argument: ast.Argument, name: str) -> Step:
        """The value of a setting that a call gives."""
        names = {n: local for n, local in body.locals.items() if local.what == "setting"}
        for node in value_names(argument.value):
            local = body.locals.get(node.id)
            if local is not None and local.what != "setting":
                local.used = True
                mark_used(body, argument.value)
                if local.operand is not BAD:
                    self.report(meaning.NotKnownBeforeRun(node.span, f"the setting '{name}'"))
                return None
        known = yield from self.known(body.scope, argument.value, f"the setting '{name}'", names)
        return None if known.operand is BAD else known

    def _cycle(self, entry: Entry, span: Span) -> None:
        active = list(self._active)
        cycle = active[active.index(entry) :]
        if frozenset(cycle) in self._cycles:
            return
        self._cycles.add(frozenset(cycle))
        shown = [(e.name, e.span) for e in cycle]
        if all(isinstance(e.node, ast.Const) for e in cycle):
            self.report(meaning.ConstantCycle(span, shown))
        else:
            self.report(meaning.Recursion(span, shown))

    # ---- functions ------------------------------------------------------------------------

    def instance(self, entry: Entry, settings: Settings, span: Span) -> Any:
        """The function for these settings, checked already or now; None if it needs itself."""
        if not entry.settings():
            found = self._instances.get((entry, ()))
            if found is not None:
                return found
        return self._instance(entry, settings, span)

    def _instance(self, entry: Entry, settings: Settings, span: Span) -> Step:
        if entry in self._active:
            self._cycle(entry, span)
            return None
        values = yield from self._settings(entry, dict(settings))
        key = tuple((n, k and (number(k), _dtype(k))) for n, (k, _) in values.items())
        found = self._instances.get((entry, key))
        if found is not None:
            return found
        self._active[entry] = None
        if isinstance(entry.node, ast.Extern):
            found = yield from self._extern(entry)
        else:
            found = yield from self._function(entry, values)
        del self._active[entry]
        self._instances[(entry, key)] = found
        self._by_key[found.key] = found
        if entry.name in entry.scope.derivatives and found.missing is None:
            yield from self._partials(entry, found)
        return found

    def _settings(self, entry: Entry, given: dict[str, Any]) -> Step:
        """For each setting its value, None where it has none or is at fault, and whether it is
        the setting's own default."""
        values: dict[str, tuple[Known | None, bool]] = {}
        names: dict[str, Local] = {}
        for setting in entry.settings():
            name = setting.name.id
            chosen = self.chosen.get(f"{entry.name}.{name}") or self.chosen.get(name)
            if name in given:
                known, is_default = given[name], False
            elif chosen is not None:
                known, is_default = Known(chosen), True
            elif setting.default is None:
                known, is_default = None, True
            else:
                what = f"the setting '{name}'"
                known = yield from self.known(entry.scope, setting.default, what, names)
                is_default = True
                known = None if known.operand is BAD else known
            values[name] = known, is_default
            names[name] = Local(BAD if known is None else known.operand, setting.span, "setting")
        return values

    def _function(self, entry: Entry, values: dict[str, tuple[Known | None, bool]]) -> Step:
        node = entry.node
        assert isinstance(node, ast.Function)
        missing = next(
            (
                (s.name.id, s.span)
                for s in node.settings
                if s.default is None and values[s.name.id] == (None, True)
            ),
            None,
        )
        key = self._key(entry, values)
        body = Body(self, entry.scope)
        typed = yield from self._types(body, entry, values)
        arguments = yield from self._arguments(body, entry, node.parameters, typed)
        for setting in node.settings:
            known = values[setting.name.id][0]
            operand = BAD if known is None else body.recall(known, setting.span)
            if setting.name.id in body.locals:
                first = body.locals[setting.name.id].span
                self.report(meaning.DuplicateArgument(setting.name.span, setting.name.id, first))
            self._note_shadow(setting.name)
            body.locals[setting.name.id] = Local(operand, setting.name.span, "setting")
        operands = yield from statements.block(body, node.name, node.body)
        results = statements.results(body, entry.name, operands, node.results, typed)
        types = None if results is None else tuple(_array(r) for r in results)
        instance = Instance(
            key,
            arguments,
            types,
            opaque=body.opaque,
            missing=missing,
            entry=entry,
            conditions=tuple(body.conditions),
        )
        if results is not None and missing is None:
            self.functions[key] = Function(
                key=key,
                name=entry.name,
                arguments=tuple(a for a, _ in arguments),
                values=tuple(body.values),
                results=results,
                settings=tuple((n, number(k)) for n, (k, _) in values.items() if k is not None),
                doc=node.doc,
                span=node.span,
                is_entry=entry.scope.is_main and all(d for _, d in values.values()),
                comments=_return_comments(node.body),
                conditions=tuple(body.conditions),
            )
        return instance

    def _key(self, entry: Entry, values: dict[str, tuple[Known | None, bool]]) -> str:
        """The function's name, with the settings that are not its own; unlike every other."""
        parts = [entry.name]
        for name, (known, is_default) in values.items():
            if known is not None and not is_default:
                parts += [name, spelled(number(known))]
        if len(parts) == 1 and entry.scope.is_main:
            return entry.name
        stem = key = "_".join(parts)
        count = 2
        while key in self.taken:
            key = f"{stem}_{count}"
            count += 1
        self.taken.add(key)
        return key

    def _types(
        self, body: Body, entry: Entry, values: Mapping[str, tuple[Known | None, bool]]
    ) -> Step:
        """The types that a head declares. Its dimensions become names of the body."""
        node = entry.node
        assert isinstance(node, ast.Function | ast.Extern)
        inputs = [p.type for p in node.parameters if p.type is not None]
        results = node.results or () if isinstance(node, ast.Function) else (node.result,)
        declared = [*inputs, *(r for r in results if r is not None)]
        if all(d.shape is None for d in declared):
            body.signed |= {
                p.name.id for p in node.parameters if p.type is not None and p.type.dtype == "int"
            }
            return {d: TYPES[d.dtype] for d in declared}  # type: ignore[index]
        scratch = Body(self, entry.scope, constant="a size")
        scratch.dims, scratch.signed = body.dims, body.signed
        for name, (known, _) in values.items():
            operand = BAD if known is None else scratch.recall(known, node.span)
            scratch.locals[name] = Local(operand, node.span, "setting", used=True)
        for parameter in node.parameters:
            name = parameter.name.id
            kind = parameter.type
            if kind is not None and kind.dtype == "int" and kind.shape is None:
                value = scratch.emit("argument", (), TYPES["int"], parameter.span, name)
                scratch.sizes[value] = Dim.of(name)
                scratch.locals[name] = Local(value, parameter.name.span, "argument", used=True)
                body.signed.add(name)
        for part in (p for kind in inputs for p in kind.shape or ()):
            if isinstance(part, ast.Dots):
                body.dims.setdefault("..", part.span)
            elif isinstance(part, ast.Name) and self._is_free(scratch, part):
                body.dims.setdefault(part.id, part.span)
            elif isinstance(part, ast.Name):
                body.signed.discard(part.id)  # it is the size of an axis
        for name, span in body.dims.items():
            value = Value("size", (), TYPES["int"], span, None, (("dim", Dim.of(name)),))
            body.sizes[value] = scratch.sizes[value] = Dim.of(name)
            scratch.locals[name] = Local(value, span, "dimension", used=True)
        for parameter in node.parameters:
            name = parameter.name.id
            if name in body.dims:
                what = "here an argument has that name"
                self.report(
                    shape_faults.DimensionClash(parameter.name.span, name, what, body.dims[name])
                )
        for name in body.dims:
            if name != "..":
                body.locals[name] = scratch.locals[name]
        typed: dict[ast.TypeExpression, Type | None] = {}
        for kind in declared:
            typed[kind] = yield from self._type(scratch, kind)
        for name, local in scratch.locals.items():
            if local.what == "unbound":
                body.locals.setdefault(name, local)  # told once, where it stands in the head
        return typed

    def _is_free(self, scratch: Body, name: ast.Name) -> bool:
        """Whether a name in a shape is that of a dimension, not of a setting or a constant."""
        if name.id in scratch.locals:
            return False
        entry = scratch.scope.entries.get(name.id)
        return entry is None or not isinstance(entry.node, ast.Const)

    def _type(self, scratch: Body, kind: ast.TypeExpression) -> Step:
        """The type that is written; None after a fault."""
        shape: list[Dim] = []
        sound = True
        for position, part in enumerate(kind.shape or ()):
            if isinstance(part, ast.Dots):
                if position or ".." not in scratch.dims:
                    sound = False
                    text = "'..' stands first" if position else "'..' stands in no argument's shape"
                    self.report(shape_faults.WrongAxis(part.span, text, kind.span.text))
                shape.append(shapes.DOTS)
                continue
            unknown = [
                n
                for n in value_names(part)
                if n.id not in scratch.locals and n.id not in scratch.scope.entries
            ]
            for name in unknown:
                if name.id in scratch.locals:
                    continue  # it stands twice in one size
                suggestion = self.suggestions.nearest(name.id, scratch.dims)
                self.report(shape_faults.UnknownDimension(name.span, name.id, suggestion))
                scratch.locals[name.id] = Local(BAD, name.span, "unbound", used=True)
            if unknown:
                sound = False
                continue
            operand = yield scratch.visit(part)
            if operand is BAD:
                sound = False
                continue
            known = shapes.as_dim(scratch, operand)
            if known is None or shapes.sign(scratch, known) == -1:
                sound = False
                if dtype_of(operand) != "int":
                    self.report(meaning.WrongType(part.span, "a size", "int", dtype_of(operand)))
                elif shapes.shape_of(operand):
                    shape_ = shapes.shown(operand)
                    self.report(shape_faults.WrongRank(part.span, "a size", "a number", shape_))
                elif known is None:
                    self.report(shape_faults.SizeNotKnown(part.span, "a size"))
                else:
                    text = f"the size {known} is negative"
                    self.report(shape_faults.IndexOutside(part.span, text, kind.span.text))
                continue
            shape.append(known)
        return Type(kind.dtype, tuple(shape)) if sound else None  # type: ignore[arg-type]

    def _arguments(
        self,
        body: Body,
        entry: Entry,
        parameters: tuple[ast.Parameter, ...],
        typed: Mapping[ast.TypeExpression, Type | None],
    ) -> Step:
        """The arguments of a head, entered as names of the body, each with its default."""
        arguments: list[tuple[Argument, Known | None]] = []
        with_default: Span | None = None
        for parameter in parameters:
            name = parameter.name.id
            first = body.locals.get(name)
            if first is not None and first.what == "dimension":
                continue  # the clash is told
            if first is not None:
                self.report(meaning.DuplicateArgument(parameter.name.span, name, first.span))
                continue
            dtype: Dtype = "real" if parameter.type is None else parameter.type.dtype  # type: ignore[assignment]
            default: Known | None = None
            if parameter.default is not None:
                with_default = parameter.span
                default = yield from self._default(entry, parameter, dtype)
            elif with_default is not None:
                self.report(meaning.RequiredAfterDefault(parameter.name.span, name, with_default))
            domain = yield from self._domain(entry, parameter)
            kind = TYPES[dtype] if parameter.type is None else typed[parameter.type]
            value = body.emit("argument", (), kind or TYPES[dtype], parameter.name.span, name)
            if domain is not None:
                body.ranges[value] = domain
            if kind == TYPES["int"]:
                body.sizes[value] = Dim.of(name)
            self._note_shadow(parameter.name)
            operand: Any = BAD if kind is None else value
            body.locals[name] = Local(operand, parameter.name.span, "argument")
            shown = None if default is None or default.operand is BAD else number(default)
            arguments.append(
                (Argument(value, kind or TYPES[dtype], shown, domain, parameter.span), default)
            )
        return tuple(arguments)

    def _default(self, entry: Entry, parameter: ast.Parameter, dtype: Dtype) -> Step:
        assert parameter.default is not None
        name = parameter.name.id
        what = f"the default of '{name}'"
        known = yield from self.known(entry.scope, parameter.default, what, {})
        if known.operand is not BAD and ORDER[_dtype(known)] > ORDER[dtype]:
            self.report(
                meaning.WrongType(
                    parameter.default.span,
                    what,
                    dtype,
                    _dtype(known),
                    place=parameter.type.span if parameter.type else None,
                )
            )
            return Known(BAD)
        return known

    def _domain(self, entry: Entry, parameter: ast.Parameter) -> Step:
        domain = parameter.domain
        if domain is None:
            return None
        what = f"the domain of '{parameter.name.id}'"
        low = yield from self.known(entry.scope, domain.low, what, {})
        high = yield from self.known(entry.scope, domain.high, what, {})
        if low.operand is BAD or high.operand is BAD:
            return None
        interval = Interval(number(low), number(high), domain.low_open, domain.high_open)
        is_point = interval.low == interval.high and not (domain.low_open or domain.high_open)
        if not (interval.low < interval.high or is_point):
            self.report(meaning.EmptyDomain(domain.span))
            return None
        return interval

    def _note_shadow(self, name: ast.Name) -> None:
        if self.is_builtin(name.id):
            self.report(meaning.ShadowsBuiltin(name.span, name.id))

    def _extern(self, entry: Entry) -> Step:
        node = entry.node
        assert isinstance(node, ast.Extern)
        body = Body(self, entry.scope)
        typed = yield from self._types(body, entry, {})
        arguments = yield from self._arguments(body, entry, node.parameters, typed)
        result = REAL if node.result is None else typed[node.result] or REAL
        module, _, attribute = node.target.rpartition(".")
        parts = node.target.split(".")
        if not module or not all(p.isidentifier() and not iskeyword(p) for p in parts):
            self.report(meaning.ExternTarget(node.target_span, node.target))
        key = self._key(entry, {})
        self.externs[key] = Extern(
            key,
            entry.name,
            tuple(a for a, _ in arguments),
            result,
            module,
            attribute,
            node.doc,
            node.span,
        )
        opaque = None if entry.name in entry.scope.derivatives else (entry.name, node.span)
        return Instance(key, arguments, (result,), is_extern=True, opaque=opaque, entry=entry)

    # ---- stated derivatives ---------------------------------------------------------------

    def opaque_of(self, key: str) -> tuple[str, Span] | None:
        return self._by_key[key].opaque

    def stated_of(self, key: str, span: Span) -> None:
        entry = self._by_key[key].entry
        assert entry is not None
        self.stated(entry, span)

    def stated(self, entry: Entry, span: Span) -> None:
        """See that the derivative of the function does not need itself."""
        derivative = entry.scope.derivatives.get(entry.name)
        if derivative is not None and derivative in self._active:
            self._cycle(derivative, span)

    def _partials(self, entry: Entry, instance: Instance) -> Step:
        """The function of the stated partials of a function."""
        derivative = entry.scope.derivatives[entry.name]
        node = derivative.node
        assert isinstance(node, ast.Derivative)
        if derivative in self._stated:
            return
        self._stated.add(derivative)
        reason = _unlike(entry, instance, node)
        if reason is not None:
            self.report(
                meaning.DerivativeHead(node.name.span, entry.name, reason, entry.head_span())
            )
            return
        self._active[derivative] = None
        body = Body(self, derivative.scope)
        arguments: list[Argument] = []
        for parameter, (original, _) in zip(node.parameters, instance.arguments, strict=True):
            value = body.emit("argument", (), original.type, parameter.name.span, parameter.name.id)
            if original.domain is not None:
                body.ranges[value] = original.domain
            # a partial need not use every argument
            body.locals[parameter.name.id] = Local(
                value, parameter.name.span, "argument", used=True
            )
            arguments.append(Argument(value, original.type, None, original.domain, parameter.span))
        operands = yield from statements.block(body, node.name, node.body)
        del self._active[derivative]
        reals = [a.name for a, _ in instance.arguments if a.type == REAL]
        if operands is None or any(o is BAD for o, _ in operands):
            return
        if len(operands) != len(reals):
            place = operands[0][1].to(operands[-1][1])
            self.report(meaning.DerivativeCount(place, entry.name, reals, len(operands)))
            return
        for operand, place in operands:
            if dtype_of(operand) == "bool":
                self.report(meaning.WrongType(place, "a partial", "real", "bool"))
                return
        key = f"{instance.key}@partials"
        self.derivatives[instance.key] = Function(
            key=key,
            name=f"{entry.name}_partials",
            arguments=tuple(arguments),
            results=tuple(body.widen(o, "real") for o, _ in operands),
            values=tuple(body.values),
            settings=(),
            doc=None,
            span=node.span,
            is_entry=False,
            comments=_return_comments(node.body),
        )

    # ---- tests ----------------------------------------------------------------------------

    def test(self, scope: FileScope, node: ast.Test) -> Step:
        """Both sides as functions of the free names."""
        free: dict[str, ast.Name] = {}
        for side in (node.left, node.right):
            for found in value_names(side):
                name = found.id
                if name not in scope.entries and name not in NUMBERS:
                    free.setdefault(name, found)
        sides: list[Function] = []
        for word, side in (("left", node.left), ("right", node.right)):
            body = Body(self, scope)
            arguments = []
            for name, place in free.items():
                value = body.emit("argument", (), REAL, place.span, name)
                body.locals[name] = Local(value, place.span, "argument", used=True)
                arguments.append(Argument(value, REAL, None, None, place.span))
            operand = yield body.visit(side)
            results = statements.results(body, "test", [(operand, side.span)], None)
            if results is not None:
                sides.append(
                    Function(
                        key=f"test {len(self.tests) + 1}.{word}",
                        name=f"test_{len(self.tests) + 1}_{word}",
                        arguments=tuple(arguments),
                        values=tuple(body.values),
                        results=results,
                        settings=(),
                        doc=None,
                        span=side.span,
                        is_entry=False,
                    )
                )
        if len(sides) == 2:
            self.tests.append(Test(sides[0], sides[1], node.relation, node.span))


def setting_value(value: object) -> Exact | None:
    """A number or bool given from outside; text is read as the language reads a literal."""
    source = Source("--set", str(value))
    span = Span(source, 0, len(source.text))
    if isinstance(value, str):
        text = value.strip()
        if text in ("true", "false"):
            return Exact(text == "true", "bool", span)
        try:
            exact = Fraction(text)
        except (ValueError, ZeroDivisionError):
            return None
        return Exact(exact, "int" if text.lstrip("+-").isdigit() else "real", span)
    if isinstance(value, bool):
        return Exact(value, "bool", span)
    if isinstance(value, int):
        return Exact(Fraction(value), "int", span)
    if isinstance(value, Fraction):
        return Exact(value, "real", span)
    if isinstance(value, float) and math.isfinite(value):
        return Exact(Fraction(repr(value)), "real", span)
    return None


def number(known: Known) -> Scalar:
    """The value of something known before the run; where it has no exact one, the nearest."""
    if isinstance(known.operand, Exact):
        return known.operand.value
    assert isinstance(known.operand, Value)
    return approximate(known.values, known.operand)


def spelled(value: Scalar) -> str:
    """A number as a piece of a name: `10`, `0_1`, `m3`, `1_over_3`, `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction) and value.denominator == 1:
        text = str(value)
    elif isinstance(value, Fraction) and Fraction(repr(float(value))) != value:
        text = f"{value.numerator}_over_{value.denominator}"
        text = text if len(text) < 24 else repr(float(value))
    else:
        text = repr(float(value))
    return text.replace("-", "m").replace(".", "_").replace("+", "")


def _dtype(known: Known) -> Dtype:
    return dtype_of(known.operand)


def _array(value: Value) -> Type:
    assert isinstance(value.type, Type)
    return value.type


def _return_comments(body: tuple[ast.Statement, ...]) -> tuple[str, ...]:
    return body[-1].comments if body and isinstance(body[-1], ast.Return) else ()


def _unlike(entry: Entry, instance: Instance, node: ast.Derivative) -> str | None:
    """Why a derivative with this head cannot be that of the function."""
    names = [a.name for a, _ in instance.arguments]
    given = [p.name.id for p in node.parameters]
    if entry.settings():
        return "the function has settings"
    if given != names:
        return f"its arguments are ({', '.join(names)}), not ({', '.join(given)})"
    if instance.results is not None and instance.results != (REAL,):
        return "the function does not give one real number"
    if not any(a.type == REAL for a, _ in instance.arguments):
        return "the function has no real argument"
    return None
