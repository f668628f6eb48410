"""The short way in and out of a function on tensors: a function made for its words.

Where arguments are arrays of one real dtype (float64, or else float32), int64 and bool, of the
right shapes, or Python's or NumPy's numbers, and results are arrays of their own, the door is a
dozen comparisons. They are written out as a function in Python, so that no loop over arguments,
axes and names runs at each call. Whatever is not so goes to `slowly(arguments, keywords, others)`
or `finish(result, arguments, others, dtype)`, where `others` are keyword-only arguments.

For `x: [N, D], w: [D] -> [N]` it reads:

    def entered(*arguments, **keywords):
        if keywords or len(arguments) != 2: return slowly(…)
        a0, a1 = arguments
        if type(a0) is not ndarray or a0.dtype is not reals: return slowly(…)
        …
        s = a0.shape
        if len(s) != 2: return slowly(…)
        n0 = s[0]
        n1 = s[1]
        if a1.shape != (n1, ): return slowly(…)
        token = silence(SILENT)
        try: result = function(a0, a1)
        except FAULTS as error: raise told(function.__name__, error) from None
        finally: restore(token)
        r0 = result
        if type(r0) is ndarray and … and r0.ndim == 1 and r0 is not a1: return result
        return finish(…)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import Parameter
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from mgrad.runtime.arrays import DOUBLE, SINGLE
from mgrad.runtime.errstate import SILENT, STATE
from mgrad.runtime.faults import FAULTS, memory, told
from mgrad.runtime.shapes import INTEGER, TRUTH, Interface
from mgrad.runtime.words import Form

DTYPES = {float: "reals", int: "ints", bool: "bools"}  # names of dtypes in the text
SCALARS = {float: "real", int: "integer", bool: "truth"}  # and of NumPy's scalar types
PLAIN = {float: "float", int: "int", bool: "bool"}
SCOPE = {
    "ndarray": ndarray,
    "ints": INTEGER,
    "bools": TRUTH,
    "integer": np.int64,
    "truth": np.bool_,
    "last": int(np.iinfo(np.int64).max),
    "room": memory() // 8,  # elements
    "FAULTS": FAULTS,
    "told": told,
    "silence": STATE.set,
    "SILENT": SILENT,
    "restore": STATE.reset,
}
LARGEST = {DOUBLE: np.inf, SINGLE: float(np.finfo(np.float32).max)}
FEW = 12  # comparisons of two, before ids are compared
Kind = Literal["value", "forward", "value_and_grad"]


def entry(
    words: Interface,
    kind: Kind,
    keyword_only: Sequence[Parameter],
    functions: Mapping[str, Callable[..., Any]],
) -> Callable[..., Any]:
    """The function that a call enters. `functions` are `function`, which computes, `slowly` and
    `finish`, and for a forward pass `Saved` and `are_apart`. It is made twice, of one text: what is
    not float64 may be float32."""
    text = "\n".join(source(words, kind, [p.name for p in keyword_only]))
    code = compile(text, f"<door of {kind}>", "exec")
    otherwise = functions["slowly"]
    for dtype in (SINGLE, DOUBLE):
        scope: dict[str, Any] = {**SCOPE, **functions, "slowly": otherwise}
        scope |= {f"default_{p.name}": p.default for p in keyword_only}
        scope |= {"reals": dtype, "real": dtype.type, "largest": LARGEST[dtype]}
        exec(code, scope)
        entered = scope["entered"]
        otherwise = _unpacked(entered)
    return entered  # type: ignore[no-any-return]


def _unpacked(entered: Callable[..., Any]) -> Callable[..., Any]:
    def slowly(arguments: Any, keywords: Any, others: Any) -> Any:
        return entered(*arguments, **keywords, **others)

    return slowly


def source(words: Interface, kind: Kind, keyword_only: Sequence[str]) -> list[str]:
    """The lines of the function. Arguments are a0, a1, …; sizes n0, n1, …; results r0, r1, …"""
    count = len(words.forms)
    own = "".join(f"{name}=default_{name}, " for name in keyword_only)
    others = "{" + ", ".join(f"{name!r}: {name}" for name in keyword_only) + "}"
    refuse = f"return slowly(arguments, keywords, {others})"
    names = [f"a{i}" for i in range(count)]
    real = [i for i, form in enumerate(words.forms) if form.kind is float]
    passed = [*names, *(f"{name}={name}" for name in keyword_only)]
    lines = [f"if keywords or len(arguments) != {count}: {refuse}"]
    if names:
        lines.append(f"{', '.join(names)}, = arguments")
    lines += _arguments(words, refuse)
    if kind != "value_and_grad":  # which gives a number, and what has the shapes of arguments
        for size in dict.fromkeys(form.size for form in words.wide if not form.has_lead):
            lines += _test(f"{size} > room", refuse)
    lines += [
        "token = silence(SILENT)",
        f"try: result = function({', '.join(passed)})",
        "except FAULTS as error: raise told(function.__name__, error) from None",
        "finally: restore(token)",
    ]
    apart = partial(_planned, keyword_only[0]) if keyword_only else _own
    if kind == "value_and_grad":
        forms = [words.forms[i] for i in real]
        results, shapes = [f"r{i}" for i in range(len(real))], [f"a{i}.shape" for i in real]
        lines.append(f"value, {_tuple(results)} = result")
        tests = ["type(value) is real", *apart(words, forms, results, shapes)]
    else:
        forms = list(words.results)
        results = [f"r{i}" for i in range(len(forms))]
        lines += ["value, saved = result"] if kind == "forward" else []
        whole = "value" if kind == "forward" else "result"
        lines.append(f"{', '.join(results)} = {whole}")
        tests = apart(words, forms, results, [""] * len(forms))
    way_out = "result"
    if kind == "forward":
        arrays = [name for name, form in zip(results, forms, strict=True) if form.dims]
        if arrays and not keyword_only:
            tests.append(f"are_apart({_tuple(arrays)}, saved)")
        owns = _tuple([f"a{i}.shape" for i in real])
        slopes = [i for i, form in enumerate(forms) if form.kind is float]
        outs = _tuple([f"r{i}.shape" for i in slopes])
        way_out = f"value, Saved(saved, {owns}, {outs}, reals, {len(slopes) > 1}, None)"
    lines.append(f"if {' and '.join(tests) or True}: return {way_out}")
    lines.append(f"return finish(result, arguments, {others}, reals)")
    return [f"def entered(*arguments, {own}**keywords):", *(f"    {line}" for line in lines)]


def _tuple(names: Sequence[str]) -> str:
    return f"({''.join(f'{name}, ' for name in names)})"


def _arguments(words: Interface, refuse: str) -> list[str]:
    """Types, then the sizes that axes and numbers give to names, then shapes and conditions."""
    tensors = [(i, form) for i, form in enumerate(words.forms) if form.dims]
    lines = [
        f"{variable} = {words.constants[name]}"
        for name, variable in words.variables.items()
        if name in words.constants
    ]
    for i, form in enumerate(words.forms):
        if form.dims:
            kind = DTYPES[form.kind]
            lines.append(f"if type(a{i}) is not ndarray or a{i}.dtype is not {kind}: {refuse}")
        else:
            is_size = form.kind is int and words.names[i] in words.variables
            variable = words.variables[words.names[i]] if is_size else None
            lines += _number(f"a{i}", form.kind, variable, refuse)
    for i, form in tensors:
        axes = {axis: name for name, (own, axis) in words.origins.items() if own == i and axis >= 0}
        if axes:
            lines += [f"s = a{i}.shape", f"if len(s) != {len(form.dims)}: {refuse}"]
            lines += [f"{words.variables[name]} = s[{axis}]" for axis, name in axes.items()]
    for i, form in tensors:
        if any(words.origins.get(d.text) != (i, axis) for axis, d in enumerate(form.dims)):
            shape = "".join(f"{dim.expression}, " for dim in form.dims)
            lines += _test(f"a{i}.shape != ({shape})", refuse)
    for condition in words.conditions:
        lines += _test(f"not ({condition.expression})", refuse)
    return lines


def _test(condition: str, refuse: str) -> list[str]:
    if "//" not in condition:
        return [f"if {condition}: {refuse}"]
    return ["try:", f"    if {condition}: {refuse}", f"except ZeroDivisionError: {refuse}"]


def _number(name: str, kind: type, variable: str | None, refuse: str) -> list[str]:
    """A number of Python or NumPy as a scalar of NumPy, and as the size of a dimension."""
    bound = {float: "largest", int: "last"}.get(kind)
    in_range = f" and -{bound} <= {name} <= {bound}" if bound else ""
    bind = [f"    {variable} = int({name})"] if variable else []
    return [
        f"if type({name}) is {PLAIN[kind]}{in_range}:",
        *bind,
        f"    {name} = {SCALARS[kind]}({name})",
        f"elif type({name}) is {SCALARS[kind]}:",
        *(bind or ["    pass"]),
        f"else: {refuse}",
    ]


def _own(
    words: Interface, forms: Sequence[Form], names: Sequence[str], shapes: Sequence[str]
) -> list[str]:
    """That each part is an array that owns its memory, of the rank or of the shape, and is no
    argument and no other part: only one of its kind and rank could be. Many are compared by their
    ids, all at once; an argument that is given twice then looks like one that comes out."""
    tests = []
    pairs = []
    taken = [(f"a{i}", form) for i, form in enumerate(words.forms) if form.dims]
    for name, form, shape in zip(names, forms, shapes, strict=True):
        if not form.dims:
            tests.append(f"type({name}) is {SCALARS[form.kind]}")
            continue
        tests += [
            f"type({name}) is ndarray",
            f"{name}.dtype is {DTYPES[form.kind]}",
            f"{name}.base is None",
            f"{name}.shape == {shape}" if shape else f"{name}.ndim == {len(form.dims)}",
        ]
        for other, like in taken:
            if like.kind is form.kind and len(like.dims) == len(form.dims):
                pairs.append(f"{name} is not {other}")
        taken.append((name, form))
    if len(pairs) <= FEW:
        return tests + pairs
    ids = ", ".join(f"id({name})" for name, _ in taken)
    return [*tests, f"len({{{ids}}}) == {len(taken)}"]


def _planned(
    work: str, words: Interface, forms: Sequence[Form], names: Sequence[str], _: Sequence[str]
) -> list[str]:
    """What plans its memory gives arrays of their own. That no argument, and nothing that an
    argument is a view of, is one of them."""
    given = [(f"a{i}", form.kind) for i, form in enumerate(words.forms) if form.dims]
    tests = []
    pairs = []
    for name, form in zip(names, forms, strict=True):
        kinds = DTYPES if form.dims else SCALARS
        tests.append(f"{f'{name}.dtype' if form.dims else f'type({name})'} is {kinds[form.kind]}")
        like = [other for other, kind in given if form.dims and kind is form.kind]
        pairs += [f"{name} is not {other} and {name} is not {other}.base" for other in like]
    if len(pairs) > FEW:
        arrays = [name for name, form in zip(names, forms, strict=True) if form.dims]
        ids = ", ".join(f"id({name}), id({name}.base)" for name, _ in given)
        pairs = [f"{{{ids}}}.isdisjoint(map(id, {_tuple(arrays)}))"]
    return [*tests, f"({work} is None or {' and '.join(pairs)})"] if pairs else tests
