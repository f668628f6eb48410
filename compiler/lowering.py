"""Typed program to graphs: a value becomes a node, a name a note beside it.

bind         the node of its value, with a name note; a `mark` if a derivative is taken by it
call         `call`, which gives a Bundle, and an `item` for a single result
derivative   a call of `f@prime`, of `f@prime@prime` for f''
diff         `diff` of the expression and the mark; `autodiff.resolve` puts the adjoint there
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, Notes
from mgrad.compiler.ir.module import Module, Signature
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.sema.program import Function, Program, Value
from mgrad.compiler.source import Span


def lower(program: Program, tests: bool = False) -> Module:
    """The graphs of all functions and stated partials, callees first; with `tests` also both sides
    of the file's tests."""
    pool = Pool()
    functions = [*program.functions.values(), *program.derivatives.values()]
    if tests:
        functions += [side for test in program.tests for side in (test.left, test.right)]
    signatures = _signatures(program, functions)
    graphs = {f.key: _Lowering(f, pool).graph() for f in _callees_first(functions)}
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
        )
    return signatures


def _array(value: Value) -> Type:
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
    parameters: list[Node] = field(default_factory=list)
    nodes: dict[Value, Node] = field(default_factory=dict)
    names: dict[Node, str] = field(default_factory=dict)
    spans: dict[Node, list[Span]] = field(default_factory=dict)
    comments: dict[Node, list[str]] = field(default_factory=dict)

    def graph(self) -> Graph:
        function = self.function
        targets = {v.args[1] for v in function.values if v.form == "diff"}
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
            case "call":
                callee = str(value.attribute("callee"))
                return self.call(callee, inputs, value)
            case "item":
                return pool.make("item", inputs, value.type, index=value.attribute("index"))
            case "derivative":
                order = value.attribute("order")
                assert isinstance(order, int)
                callee = str(value.attribute("callee")) + "@prime" * order
                return self.call(callee, inputs, value)
            case "diff":
                return pool.make("diff", inputs, value.type)
        return pool.make(form, inputs, value.type)

    def call(self, callee: str, inputs: tuple[Node, ...], value: Value) -> Node:
        """A call; a single result is taken out of its bundle."""
        several = isinstance(value.type, Bundle)
        bundle = value.type if several else Bundle((value.type,))
        node = self.pool.make("call", inputs, bundle, callee=callee)
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
