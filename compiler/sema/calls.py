"""Calls: of functions of the source, of built-in ones, pipes, primes and `diff`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as faults
from mgrad.compiler.ir.types import INT, REAL, Bundle, Dim, Shape, Type
from mgrad.compiler.ops.op import ORDER, TABLE
from mgrad.compiler.sema import arrays, shapes
from mgrad.compiler.sema.body import BAD, Body, Operand, Poison, Step, checks, dtype_of
from mgrad.compiler.sema.program import Argument, Value
from mgrad.compiler.sema.tree import mark_used
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast

if TYPE_CHECKING:
    from mgrad.compiler.sema.definitions import Entry, Instance

Given = tuple[ast.Argument, ...]


@checks(ast.Call)
def call(body: Body, node: ast.Call) -> Step:
    return apply(body, node.callee, None, node.arguments, node.span)


@checks(ast.Prime)
def prime(body: Body, node: ast.Prime) -> Operand:
    mark_used(body, node)
    return body.report(meaning.FunctionAsValue(node.span, node.span.text))


@checks(ast.Pipe)
def pipe(body: Body, node: ast.Pipe) -> Step:
    return stages(body, node, several=False)


def several(body: Body, node: ast.Expression) -> object:
    """An expression where several results in one are welcome."""
    if isinstance(node, ast.Call):
        return apply(body, node.callee, None, node.arguments, node.span, several=True)
    if isinstance(node, ast.Pipe):
        return stages(body, node, several=True)
    return body.visit(node)


def stages(body: Body, node: ast.Pipe, several: bool) -> Step:
    """`x |> h(1)` is `h(x, 1)`."""
    value = yield body.visit(node.value)
    place = node.value.span
    for stage in node.stages:
        is_last = stage is node.stages[-1]
        callee: ast.Expression = stage
        given: Given = ()
        if isinstance(stage, ast.Call):
            callee, given = stage.callee, stage.arguments
        span = place.to(stage.span)
        value = yield apply(body, callee, (value, place), given, span, several=several and is_last)
        place = span
    return value


def apply(
    body: Body,
    callee: ast.Expression,
    piped: tuple[Operand, Span] | None,
    given: Given,
    span: Span,
    several: bool = False,
) -> Step:
    """The value of a call, found by what the callee's name means here."""
    order = 0
    base = callee
    if isinstance(callee, ast.Prime):
        base, order = callee.base, callee.order
    if not isinstance(base, ast.Name):
        mark_used(body, callee)
        yield from _ignored(body, given)
        return body.report(meaning.NotAFunction(callee.span, None, None))
    name = base.id
    local = body.locals.get(name)
    if local is not None:
        local.used = True
        yield from _ignored(body, given)
        if local.operand is BAD:
            return BAD
        return body.report(meaning.NotAFunction(base.span, name, local.span))
    entry = body.scope.entries.get(name)
    if entry is not None:
        entry.used = True
        if entry.node is None:
            yield from _ignored(body, given)
            return BAD
        if isinstance(entry.node, ast.Const):
            yield from _ignored(body, given)
            return body.report(meaning.NotAFunction(base.span, name, entry.span))
        if body.constant is not None:
            mark_used(body, given)
            return body.report(meaning.NotKnownBeforeRun(span, body.constant))
        if _is_notation(given):
            return (yield from _no_notation(body, callee, piped, given, span))
        return (yield from _own(body, entry, callee, order, piped, given, span, several))
    is_reduction = name in arrays.REDUCTIONS and not order and piped is None
    if _is_notation(given) and not is_reduction and body.checker.is_builtin(name):
        return (yield from _no_notation(body, callee, piped, given, span))
    if name == "diff" and not order:
        return (yield from _diff(body, base, piped, given, span))
    if name in MATRICES and not order:
        return (yield from _diff(body, base, piped, given, span))
    if name in arrays.TABLE and not order and _reduces(name, piped, given):
        return (yield from arrays.apply(body, name, piped, given, span))
    op = TABLE.get(name)
    if op is None or not op.is_builtin:
        yield from _ignored(body, given)
        if name in ("pi", "inf"):
            return body.report(meaning.NotAFunction(base.span, name, None))
        suggestion = body.checker.suggest(name, body.scope, body.locals)
        return body.report(meaning.UnknownName(base.span, name, suggestion))
    if order:
        return (yield from _builtin_prime(body, callee, name, order, piped, given, span))
    operands = yield from _operands(body, op.name, op.parameters, piped, given, span)
    if operands is None:
        return BAD
    values, places = operands
    return body.apply(name, values, places, span)


MATRICES = ("jacobian", "hessian")


def _reduces(name: str, piped: tuple[Operand, Span] | None, given: Given) -> bool:
    """Whether `max` and `min` are called with one array, not element by element."""
    if name not in TABLE:
        return True
    places = [a for a in given if a.name is None]
    return len(places) + (piped is not None) == 1 or any(a.name is not None for a in given)


def _is_notation(given: Given) -> bool:
    """Whether a call holds nothing but index notation without brackets, `f(x[i] for i)`."""
    value = given[0].value if len(given) == 1 else None
    return isinstance(value, ast.Comprehension) and not value.bracketed


def _no_notation(
    body: Body,
    callee: ast.Expression,
    piped: tuple[Operand, Span] | None,
    given: Given,
    span: Span,
) -> Step:
    yield from _ignored(body, given)
    name = callee.span.text
    return body.report(
        meaning.WrongArity(
            span,
            f"'{name}' takes no 'for'{' behind |>' if piped else ''}",
            None,
            None,
            f"with brackets it is an array: {name}([… for …])",
        )
    )


def _ignored(body: Body, given: Given) -> Step:
    """Check arguments that nothing will take: their own faults count."""
    for argument in given:
        if isinstance(argument.value, ast.Comprehension):
            mark_used(body, argument.value)
        else:
            yield body.visit(argument.value)


def _operands(
    body: Body,
    name: str,
    parameters: tuple[str, ...],
    piped: tuple[Operand, Span] | None,
    given: Given,
    span: Span,
) -> Step:
    """The operands of a built-in function and their places, or None after a fault."""
    variadic = parameters[0].startswith("*")
    names = () if variadic else parameters
    guarded = name == "where"
    body.guarded += guarded
    slots: dict[int, tuple[Operand, Span]] = {}
    sound = True
    if piped is not None:
        slots[0] = piped
    for argument in given:
        operand = yield body.visit(argument.value)
        key = len(slots)
        if argument.name is None:
            pass  # the next place
        elif argument.name in names:
            key = names.index(argument.name)
            if key in slots:
                sound = False
                body.report(meaning.RepeatedArgument(argument.span, name, argument.name))
                continue
        else:
            suggestion = body.checker.suggestions.nearest(argument.name, names)
            sound = False
            body.report(
                meaning.UnknownKeyword(argument.span, name, argument.name, suggestion, None)
            )
            continue
        slots[key] = operand, argument.value.span
    body.guarded -= guarded
    if not sound:
        return None
    wrong = len(slots) < 2 if variadic else sorted(slots) != list(range(len(names)))
    if wrong:
        head = f"{name}({', '.join(names) if names else 'x, y, …'})"
        wanted = f"{len(names)}" if names else "two or more"
        text = f"'{name}' takes {wanted} argument{'s' if wanted != '1' else ''}, not {len(slots)}"
        body.report(meaning.WrongArity(span, text, head, None))
        return None
    ordered = [slots[i] for i in range(len(slots))]
    return [o for o, _ in ordered], [p for _, p in ordered]


def _own(
    body: Body,
    entry: Entry,
    callee: ast.Expression,
    order: int,
    piped: tuple[Operand, Span] | None,
    given: Given,
    span: Span,
    several: bool,
) -> Step:
    """A call of a function or extern of the source."""
    slots, settings, sound = yield from _sorted_arguments(body, entry, piped, given)
    instance: Instance | None = yield body.checker.instance(entry, settings, callee.span)
    if instance is None:
        return BAD
    taken = _arguments(body, entry, instance.arguments, slots, span, sound)
    if instance.missing is not None:
        name, place = instance.missing
        if sound and name not in dict(settings):
            body.report(meaning.SettingMissing(span, entry.name, name, place))
        return BAD
    if taken is None or instance.results is None:
        return BAD
    if instance.opaque is not None and body.opaque is None:
        body.opaque = instance.opaque
    if order and not _is_scalar(instance):
        found = f"'{entry.name}' is a function of arrays"
        return body.report(meaning.WrongPrime(callee.span, found, entry.head_span()))
    fitted = _fitted(body, entry, instance, *taken, span)
    if fitted is None:
        return BAD
    if order:
        return _own_prime(body, entry, instance, callee, order, fitted.args, span)
    types = fitted.types
    type_: Type | Bundle = types[0] if len(types) == 1 else Bundle(types)
    if isinstance(type_, Bundle) and not several:
        return body.report(meaning.SeveralResults(span, entry.name, len(types)))
    value = body.emit("call", fitted.args, type_, span, attributes=(("callee", instance.key),))
    if isinstance(type_, Bundle):
        body.unfolded[value] = fitted.shapes
        return value
    return shapes.reshaped(body, value, fitted.shapes[0], span)


def _is_scalar(instance: Instance) -> bool:
    """Whether a function takes and gives numbers only, so that it maps over arrays."""
    assert instance.results is not None
    return not any(a.type.shape for a, _ in instance.arguments) and not any(
        r.shape for r in instance.results
    )


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A call whose shapes were matched: `types` are what the callee gives, `shapes` the same with
    the leading axes of `..` apart."""

    args: tuple[Value, ...]
    types: tuple[Type, ...]
    shapes: tuple[Shape, ...]


def _fitted(
    body: Body,
    entry: Entry,
    instance: Instance,
    args: Sequence[Value],
    places: Sequence[Span],
    span: Span,
) -> _Fitted | None:
    """The arguments, which stand at `places`, at the callee's shapes, and the types of its results
    here."""
    results = instance.results
    assert results is not None
    if _is_scalar(instance):
        shape = shapes.common(body, args, places, span, f"'{entry.name}'")
        if shape is None:
            return None
        ints = {
            a.name: size
            for (a, _), value in zip(instance.arguments, args, strict=True)
            if a.type == INT and (size := shapes.as_dim(body, value)) is not None
        }
        if not _conditions_hold(body, entry, instance, ints, span):
            return None
        wide = tuple([shapes.stretched(body, a, shape, a.span) for a in args])
        types = tuple(Type(r.dtype, shape) for r in results) if shape else results
        return _Fitted(wide, types, (shape,) * len(results))
    sizes: dict[str, Dim] = {}
    where: dict[str, Span] = {}
    lead: Shape | None = None
    fitted: list[Value] = []
    declared = [a for a, _ in instance.arguments]
    for argument, value in zip(declared, args, strict=True):
        known = shapes.as_dim(body, value) if argument.type == INT else None
        if known is not None:
            sizes[argument.name] = known
    for argument, value, place in zip(declared, args, places, strict=True):
        own, given = argument.type.shape, shapes.shape_of(value)
        folds = own[:1] == (shapes.DOTS,)
        if len(given) != len(own) and not (folds and len(given) >= len(own) - 1):
            body.report(
                faults.WrongRank(
                    place,
                    f"the argument '{argument.name}' of '{entry.name}'",
                    shapes.spelled(own),
                    shapes.shown(value),
                )
            )
            return None
        if folds:
            cut = len(given) - len(own) + 1
            if lead is not None and lead != given[:cut]:
                text = f"'..' is {shapes.spelled(lead)}, not {shapes.spelled(given[:cut])}"
                _misfit(body, entry, argument, value, place, span, text, ("..", where[".."]))
                return None
            lead = given[:cut]
            where.setdefault("..", place)
            given = (shapes.elements(lead), *given[cut:])
            sizes.setdefault("..", given[0])
        for d, size in zip(own, given, strict=True):
            name = str(d)
            if name in d.names and not shapes.agree(body, sizes.setdefault(name, size), size):
                text = f"'{name}' is {sizes[name]}, not {size}"
                _misfit(body, entry, argument, value, place, span, text, (name, where[name]))
                return None
            if name in d.names:
                where.setdefault(name, place)
        fitted.append(shapes.reshaped(body, value, given, value.span))
    for k, (argument, value, place) in enumerate(zip(declared, fitted, places, strict=True)):
        wanted: list[Dim] = []
        for d, size in zip(argument.type.shape, shapes.shape_of(value), strict=True):
            made = shapes.substituted(d, sizes)
            if made is None:
                body.report(faults.SizeNotKnown(span, f"the size {d} of '{entry.name}'"))
                return None
            if not shapes.agree(body, made, size):
                text = f"'{d}' is {made}, not {size}" if d.names else f"{size} is not {d}"
                first = next(((n, where[n]) for n in sorted(d.names) if n in where), None)
                _misfit(body, entry, argument, args[k], place, span, text, first)
                return None
            wanted.append(made)
        fitted[k] = shapes.matched(body, value, tuple(wanted), value.span)
    if not _conditions_hold(body, entry, instance, sizes, span):
        return None
    types_: list[Type] = []
    apart: list[Shape] = []
    for result in results:
        dims = [shapes.substituted(d, sizes) for d in result.shape]
        if any(d is None for d in dims):
            body.report(faults.SizeNotKnown(span, f"the shape of what '{entry.name}' gives"))
            return None
        folded = tuple(d for d in dims if d is not None)
        types_.append(Type(result.dtype, folded))
        is_folded = result.shape[:1] == (shapes.DOTS,)
        apart.append((*(lead or ()), *folded[1:]) if is_folded else folded)
    return _Fitted(tuple(fitted), tuple(types_), tuple(apart))


def _conditions_hold(
    body: Body, entry: Entry, instance: Instance, sizes: Mapping[str, Dim], span: Span
) -> bool:
    """See that what the callee wants of its sizes holds of those that it is given."""
    for condition in instance.conditions:
        size = shapes.substituted(condition.size, sizes)
        fault = faults.UnmetCondition(span, entry.name, str(condition), entry.head_span())
        if size is None:
            names = [n for n in sorted(condition.size.names) if n not in sizes]
            what = f"'{names[0]}', a size in '{entry.name}',"
            body.report(faults.SizeNotKnown(span, what))
            return False
        if condition.is_equality:
            if not shapes.agree(body, size, Dim.of(0)):
                body.report(fault)
                return False
        elif not shapes.require(body, size, lambda fault=fault: fault):  # type: ignore[misc]
            return False
    return True


def _misfit(
    body: Body,
    entry: Entry,
    argument: Argument,
    value: Value,
    place: Span,
    span: Span,
    text: str,
    first: tuple[str, Span] | None,
) -> None:
    """A size that is not the declared one; `first` is a name in that, and where it got its size."""
    own = shapes.spelled(argument.type.shape)
    body.report(
        faults.ShapeMismatch(
            span,
            f"'{entry.name}' takes '{argument.name}: {own}', and {shapes.shown(value)} does not"
            f" fit: {text}",
            [
                (place, shapes.shown(value)),
                *([(first[1], f"where '{first[0]}' got its size")] if first is not None else []),
                (argument.span, own),
            ],
            shapes.bound(body, shapes.shape_of(value)),
        )
    )


def _sorted_arguments(
    body: Body, entry: Entry, piped: tuple[Operand, Span] | None, given: Given
) -> Step:
    """Operands by the argument's name, settings by name, and whether all was in order."""
    head = entry.parameters()
    declared = [s.name.id for s in entry.settings()]
    slots: dict[str, tuple[Operand, Span]] = {}
    settings: list[tuple[str, object]] = []
    surplus: Span | None = None
    sound = True
    count = 0
    if piped is not None:
        if head:
            slots[head[0].name.id] = piped
        else:
            surplus = piped[1]
        count = 1
    for argument in given:
        name = argument.name
        if name is not None and name in declared:
            known = yield body.checker.known_argument(body, argument, name)
            if any(name == other for other, _ in settings):
                sound = False
                body.report(meaning.RepeatedArgument(argument.span, entry.name, name))
            else:
                settings.append((name, known))
            continue
        operand = yield body.visit(argument.value)
        if name is None:
            if count < len(head):
                slots[head[count].name.id] = operand, argument.value.span
            elif surplus is None:
                surplus = argument.span
            count += 1
            continue
        if not any(name == p.name.id for p in head):
            sound = False
            known_names = [p.name.id for p in head] + declared
            body.report(
                meaning.UnknownKeyword(
                    argument.span,
                    entry.name,
                    name,
                    body.checker.suggestions.nearest(name, known_names),
                    entry.head_span(),
                )
            )
        elif name in slots:
            sound = False
            body.report(meaning.RepeatedArgument(argument.span, entry.name, name))
        else:
            slots[name] = operand, argument.value.span
    if surplus is not None:
        sound = False
        text = f"'{entry.name}' takes {meaning.plural(len(head), 'argument')}, not {count}"
        if declared:
            text += "; settings are given by keyword"
        body.report(meaning.WrongArity(surplus, text, entry.signature(), entry.head_span()))
    return slots, tuple(settings), sound


def _arguments(
    body: Body,
    entry: Entry,
    arguments: Sequence[tuple[Argument, object]],
    slots: dict[str, tuple[Operand, Span]],
    span: Span,
    sound: bool,
) -> tuple[list[Value], list[Span]] | None:
    """The values of a call's arguments in order, defaults put in, and where they stand; None after
    a fault."""
    args: list[Value] = []
    places: list[Span] = []
    missing: list[str] = []
    for argument, default in arguments:
        given = slots.get(argument.name)
        if given is None:
            if default is None:
                missing.append(f"'{argument.name}'")
                continue
            operand, place = body.recall(default, span), span  # type: ignore[arg-type]
        else:
            operand, place = given
        if isinstance(operand, Poison):
            sound = False
        elif ORDER[dtype_of(operand)] > ORDER[argument.type.dtype]:
            sound = False
            body.report(
                meaning.WrongType(
                    place,
                    f"the argument '{argument.name}' of '{entry.name}'",
                    argument.type.dtype,
                    dtype_of(operand),
                    place=argument.span,
                )
            )
        else:
            args.append(body.widen(operand, argument.type.dtype))
            places.append(place)
    if missing and sound:
        text = f"'{entry.name}' is called without {meaning.listed(missing)}"
        body.report(meaning.WrongArity(span, text, entry.signature(), entry.head_span()))
    if missing or not sound:
        return None
    return args, places


def _own_prime(
    body: Body,
    entry: Entry,
    instance: Instance,
    callee: ast.Expression,
    order: int,
    args: tuple[Value, ...],
    span: Span,
) -> Operand:
    """`f'(x)`: by the one real argument."""
    assert instance.results is not None
    reals = [a.name for a, _ in instance.arguments if a.type.dtype == "real"]
    if len(reals) != 1:
        found = f"'{entry.name}' has {meaning.plural(len(reals), 'real argument')}"
        return body.report(meaning.WrongPrime(callee.span, found, entry.head_span()))
    if len(instance.results) != 1:
        found = f"'{entry.name}' has {len(instance.results)} results"
        return body.report(meaning.WrongPrime(callee.span, found, entry.head_span()))
    if instance.results[0] != REAL:
        found = f"the result of '{entry.name}' is {meaning.article(str(instance.results[0]))}"
        return body.report(meaning.WrongPrime(callee.span, found, entry.head_span()))
    if instance.opaque is not None:
        return body.report(meaning.NoDerivative(callee.span, *instance.opaque))
    body.checker.stated(entry, callee.span)
    if not instance.is_extern:
        attributes = (("callee", instance.key), ("order", order))
        mapped = Type("real", shapes.shape_of(args[0]))
        return body.emit("derivative", args, mapped, span, attributes=attributes)
    position = next(i for i, (a, _) in enumerate(instance.arguments) if a.type == REAL)
    type_ = args[position].type
    point = body.emit("bind", (args[position],), type_, args[position].span)
    inner = (*args[:position], point, *args[position + 1 :])
    value = body.emit("call", inner, type_, span, attributes=(("callee", instance.key),))
    return _differentiated(body, value, point, order, span)


def _builtin_prime(
    body: Body,
    callee: ast.Expression,
    name: str,
    order: int,
    piped: tuple[Operand, Span] | None,
    given: Given,
    span: Span,
) -> Step:
    """`sin'(x)`: the derivative of `sin(t)` by a nameless t that is bound to x."""
    op = TABLE[name]
    operands = yield from _operands(body, name, op.parameters, piped, given, span)
    if len(op.parameters) != 1 or op.parameters[0].startswith("*"):
        found = f"'{name}' has several arguments"
        return body.report(meaning.WrongPrime(callee.span, found, None))
    if operands is None or BAD in operands[0]:
        return BAD
    if op.partials is None:
        return body.report(meaning.NoDerivative(callee.span, name, None))
    argument = body.widen(operands[0][0], "real")
    point = body.emit("bind", (argument,), argument.type, operands[1][0])
    value = body.apply(name, (point,), operands[1], span)
    return _differentiated(body, value, point, order, span)


def _differentiated(body: Body, value: Operand, point: Value, order: int, span: Span) -> Operand:
    """The derivative of a function of one number; over an array, element by element."""
    axes = tuple(range(len(shapes.shape_of(point))))
    for _ in range(order):
        assert isinstance(value, Value)
        if axes:
            value = body.emit("sum_over", (value,), REAL, span, attributes=(("axes", axes),))
        value = body.emit("diff", (value, point), point.type, span)
    return value


def _diff(
    body: Body, base: ast.Name, piped: tuple[Operand, Span] | None, given: Given, span: Span
) -> Step:
    """`diff(e, x)`, `jacobian(e, x)`, `hessian(e, x)`."""
    form = base.id
    count = len(given) + (piped is not None)
    keyword = next((a for a in given if a.name is not None), None)
    if keyword is not None:
        yield from _ignored(body, given)
        return body.report(
            meaning.UnknownKeyword(keyword.span, form, keyword.name or "", None, None)
        )
    if count != 2:
        yield from _ignored(body, given)
        text = f"'{form}' takes 2 arguments, not {count}"
        return body.report(meaning.WrongArity(span, text, f"{form}(e, x)", None))
    if body.constant is not None:
        mark_used(body, given)
        return body.report(meaning.NotKnownBeforeRun(span, body.constant))
    if piped is None:
        value = yield body.visit(given[0].value)
        place = given[0].value.span
    else:
        value, place = piped
    target = given[-1].value
    if not isinstance(target, ast.Name):
        yield body.visit(target)
        return body.report(meaning.DiffTarget(target.span, form))
    local = body.locals.get(target.id)
    if local is None:
        entry = body.scope.entries.get(target.id)
        if entry is None and not body.checker.is_builtin(target.id):
            suggestion = body.checker.suggestions.nearest(target.id, body.locals)
            return body.report(meaning.UnknownName(target.span, target.id, suggestion))
        text = f"'{target.id}' is no argument and no earlier value of this function"
        place_of = entry.span if entry is not None else None
        return body.report(meaning.DiffOfNonReal(target.span, text, place_of))
    local.used = True
    point = local.operand
    if isinstance(value, Poison) or isinstance(point, Poison):
        return BAD
    sound = True
    if local.what == "setting":
        text = f"'{target.id}' is a setting, known before the run"
        body.report(meaning.DiffOfNonReal(target.span, text, local.span))
        sound = False
    elif dtype_of(point) != "real":
        kind = meaning.article(dtype_of(point))
        text = f"'{target.id}' is {kind}, and only reals have derivatives"
        body.report(meaning.DiffOfNonReal(target.span, text, local.span))
        sound = False
    if dtype_of(value) == "bool":
        text = "a bool has no derivative"
        body.report(meaning.DiffOfNonReal(place, text, None))
        sound = False
    if form != "jacobian" and shapes.shape_of(value):
        text = f"'{form}' is of one number, and this is {shapes.shown(value)}"
        hint = "sum it, or ask for its jacobian"
        body.report(faults.ArrayCondition(place, text, hint))
        sound = False
    if not sound:
        return BAD
    assert isinstance(point, Value)
    path = _between(body, value, point)
    if path is None:
        return body.report(meaning.DiffUnrelated(target.span, target.id, local.span))
    for step in path:
        if step.form not in ("call", "derivative"):
            continue
        key = str(step.attribute("callee"))
        opaque = body.checker.opaque_of(key)
        if opaque is not None:
            return body.report(meaning.NoDerivative(place, *opaque))
        body.checker.stated_of(key, place)
    own = shapes.shape_of(point)
    shape = {"diff": own, "hessian": (*own, *own)}.get(form, (*shapes.shape_of(value), *own))
    return body.emit(form, (body.widen(value, "real"), point), Type("real", shape), span)


def _between(body: Body, value: Operand, point: Value) -> list[Value] | None:
    """The values by which `value` depends on `point`, in order; None if it does not.

    Only what was made since `point` is looked at.
    """
    if not isinstance(value, Value):
        return None
    if value is point:
        return []
    wanted = {value}
    since: list[Value] = []
    for step in chain.from_iterable(map(reversed, [body.values, *reversed(body.notation.outer)])):
        if step is point:
            break
        if step in wanted:
            since.append(step)
            wanted.update(step.args)
    if point not in wanted:
        return None
    reached = {point}
    path = []
    for step in reversed(since):
        if any(a in reached for a in step.args):
            reached.add(step)
            path.append(step)
    return path
