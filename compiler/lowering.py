"""Typed program to graphs: a value becomes a node, a name a note beside it.

bind         the node of its value, with a name note; a `mark` if a derivative is taken by it
call         `call`, which gives a Bundle, and an `item` for a single result
derivative   a call of `f@prime`, of `f@prime@prime` for f''
diff         `diff` of the expression and the mark; `autodiff.resolve` puts the adjoint there
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from mgrad.compiler import mapping, vectorise
from mgrad.compiler.ir.graph import Graph, Notes
from mgrad.compiler.ir.module import Module, Signature
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import broadcast
from mgrad.compiler.sema.program import Function, Program, Value
from mgrad.compiler.source import Span

DERIVATIVES = ("diff", "jacobian", "hessian")


def lower(program: Program, tests: bool = False) -> Module:
    """The graphs of all functions and stated partials, callees first; with `tests` also both sides
    of the file's tests."""
    pool = Pool()
    functions = [*program.functions.values(), *program.derivatives.values()]
    if tests:
        functions += [side for test in program.tests for side in (test.left, test.right)]
    signatures = _signatures(program, functions)
    graphs: dict[str, Graph] = {}
    shaped: set[str] = set()
    of_arrays = {
        key
        for key, signature in signatures.items()
        if any(t.shape for t in (*(t for _, t in signature.parameters), *signature.results))
    }
    for function in _callees_first(functions):
        key = function.key
        graphs[key] = _Lowering(function, pool, graphs, shaped, of_arrays).graph()
        if mapping.is_shaped(graphs[key], shaped):
            shaped.add(key)
            if key in signatures:
                signatures[key] = replace(signatures[key], maps=False)
    return Module(graphs, signatures, program.constants)


def _signatures(program: Program, functions: list[Function]) -> dict[str, Signature]:
    stated = {key: partials.key for key, partials in program.derivatives.items()}
    signatures: dict[str, Signature] = {}
    for extern in program.externs.values():
        signatures[extern.key] = Signature(
            tuple((a.name, a.type) for a in extern.arguments),
            (extern.result,),
            stated.get(extern.key),
            (extern.module, extern.attribute),
            name=extern.name,
            doc=extern.doc,
        )
    for function in functions:
        signatures[function.key] = Signature(
            tuple((a.name, a.type) for a in function.arguments),
            tuple(_array(r) for r in function.results),
            stated.get(function.key),
            name=function.name,
            doc=function.doc,
            defaults={a.name: a.default for a in function.arguments if a.default is not None},
            conditions=tuple(str(c) for c in function.conditions),
        )
    return signatures


def stretched(number: Node, shape: Shape) -> Node:
    """A number as an array."""
    return broadcast(number, shape, range(len(shape)))


def _targets(values: Iterable[Value]) -> set[Value]:
    """The values by which derivatives are taken, also inside index notation."""
    found: set[Value] = set()
    waiting = [values]
    while waiting:
        for value in waiting.pop():
            if value.form in DERIVATIVES:
                found.add(value.args[1])
            elif value.form == "each":
                waiting.append(value.attribute("body"))  # type: ignore[arg-type]
    return found


def _array(value: Value | Node) -> Type:
    assert isinstance(value.type, Type)
    return value.type


def _callees_first(functions: list[Function]) -> list[Function]:
    """The functions in their order, but for those that must stand before one that calls them."""
    known = {f.key: f for f in functions}
    calls = {
        f.key: [
            key
            for v in f.values
            if v.form in ("call", "derivative") and (key := str(v.attribute("callee"))) in known
        ]
        for f in functions
    }
    done: dict[str, Function] = {}
    for function in functions:
        stack = [(function.key, 0)]
        while stack:
            key, position = stack.pop()
            if key in done:
                continue
            if position < len(calls[key]):
                stack += [(key, position + 1), (calls[key][position], 0)]
            else:
                done[key] = known[key]
    return list(done.values())


@dataclass(slots=True, eq=False)
class _Lowering:
    """One function on its way."""

    function: Function
    pool: Pool
    graphs: Mapping[str, Graph]  # of the functions that it may call
    shaped: Collection[str]  # those that hold more than numbers
    of_arrays: Collection[str]  # those that take or give arrays
    parameters: list[Node] = field(default_factory=list)
    nodes: dict[Value, Node] = field(default_factory=dict)
    names: dict[Node, str] = field(default_factory=dict)
    spans: dict[Node, list[Span]] = field(default_factory=dict)
    comments: dict[Node, list[str]] = field(default_factory=dict)
    targets: set[Value] = field(default_factory=set)  # by which derivatives are taken

    def graph(self) -> Graph:
        function = self.function
        targets = self.targets = _targets(function.values)
        for value in function.values:
            node = self.nodes[value] = self.node(value, value in targets)
            if node.op != "constant":
                self.spans.setdefault(node, []).append(value.span)
        results = tuple(self.nodes[r] for r in function.results)
        if function.comments and results[0].op != "constant":
            self.comments.setdefault(results[0], []).extend(function.comments)
        return Graph(
            name=function.key,
            pool=self.pool,
            parameters=tuple(self.parameters),
            results=results,
            notes=Notes(
                names=self.names,
                spans={node: tuple(dict.fromkeys(s)) for node, s in self.spans.items()},
                comments={node: tuple(lines) for node, lines in self.comments.items()},
            ),
        )

    def node(self, value: Value, is_target: bool) -> Node:
        form, pool = value.form, self.pool
        inputs = tuple([self.nodes[a] for a in value.args])
        match form:
            case "constant":
                number = value.attribute("value")
                assert isinstance(number, Fraction | bool | float)
                return pool.constant(number, _array(value))
            case "argument":
                assert value.name is not None
                node = pool.parameter(value.name, value.type)
                self.names[node] = value.name
                self.parameters.append(node)
                # a mark: where the function is inlined, two arguments may be one value
                return self.marked(node, value) if is_target else node
            case "bind":
                return self.bind(value, inputs[0], is_target)
            case "call" | "derivative" if self.needs_mapping(value):
                return self.mapped(value, inputs)
            case "call":
                callee = str(value.attribute("callee"))
                return self.call(callee, inputs, value)
            case "item":
                if inputs[0].op == "bundle":
                    index = value.attribute("index")
                    assert isinstance(index, int)
                    return inputs[0].inputs[index]
                return pool.make("item", inputs, value.type, index=value.attribute("index"))
            case "derivative":
                order = value.attribute("order")
                assert isinstance(order, int)
                callee = str(value.attribute("callee")) + "@prime" * order
                return self.call(callee, inputs, value)
            case "diff" | "jacobian" | "hessian":
                return pool.make(form, inputs, value.type)
        if form in TABLE:
            return pool.make(form, inputs, value.type)
        match form:
            case "size":
                return vectorise.size(pool, value)
            case "arange":
                start = value.attribute("start")
                assert isinstance(start, Dim)
                return vectorise.arange(pool, start, _array(value).shape[0])
            case "bundle":  # its items are its operands
                return pool.make("bundle", inputs, value.type)
            case "each":
                vectoriser = self.vectoriser()
                return vectoriser.aligned(vectoriser.each(value), ())
        return vectorise.shifted(form, value, inputs, ())

    def vectoriser(self) -> vectorise.Vectoriser:
        return vectorise.Vectoriser(
            self.pool, self.nodes, self.names, self.graphs, self.shaped, self.targets
        )

    def needs_mapping(self, value: Value) -> bool:
        """Whether a function is called for each element of arrays that holds more than numbers."""
        key = str(value.attribute("callee"))
        graph = self.graphs.get(key)
        if graph is None or any(_array(p).shape for p in graph.parameters):
            return False
        return key in self.shaped and any(_array(a).shape for a in value.args)

    def mapped(self, value: Value, inputs: tuple[Node, ...]) -> Node:
        results = self.vectoriser().over(value, inputs)
        if not isinstance(value.type, Bundle):
            return results[0]
        return self.pool.make("bundle", results, value.type)

    def call(self, callee: str, inputs: tuple[Node, ...], value: Value) -> Node:
        """A call; a single result is taken out of its bundle."""
        several = isinstance(value.type, Bundle)
        is_mapped = any(i.array.shape for i in inputs) and callee not in self.of_arrays
        if is_mapped and callee in self.graphs and self.graphs[callee].is_constant():
            results = [stretched(r, inputs[0].array.shape) for r in self.graphs[callee].results]
            return self.pool.make("bundle", results, value.type) if several else results[0]
        bundle = value.type if several else Bundle((value.type,))
        attributes = {"arrays": True} if callee.partition("@")[0] in self.of_arrays else {}
        node = self.pool.make("call", inputs, bundle, callee=callee, **attributes)
        return node if several else self.pool.make("item", (node,), value.type, index=0)

    def bind(self, value: Value, node: Node, is_target: bool) -> Node:
        """A constant keeps no name: it is one node wherever the number stands."""
        if is_target:
            node = self.marked(node, value)
        if node.op != "constant":
            if value.name is not None:
                self.names.setdefault(node, value.name)
            if value.comments:
                self.comments.setdefault(node, []).extend(value.comments)
        return node

    def marked(self, node: Node, value: Value) -> Node:
        return self.pool.make("mark", (node,), value.type, index=self.pool.fresh())
