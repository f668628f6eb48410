"""A graph as text, and back. One line a node, inputs first:

    graph f(%0 x: real, %1 grad: real) split=1 seeds=1
      %2 = mul %0 %0 : real  # y
      return %2
    end

A loop's body is printed before the graph that holds it, and named by its place: `region=body1`.
Names after `#` are notes: told, not read back.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, Notes, Region
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import AnyType, Bundle, Dim, Saved, Type


def print_graph(graph: Graph) -> str:
    """The graph, after the bodies of its loops."""
    bodies: list[str] = []
    regions: dict[Graph, int] = {}
    stack = [graph]
    order: list[Graph] = []
    while stack:  # innermost bodies last in `order`, printed first
        current = stack.pop()
        order.append(current)
        for node in current.nodes():
            if node.op == "loop":
                stack.append(_region(node).body)
    for current in reversed(order):
        if current not in regions:
            regions[current] = len(regions) + 1
            bodies.append(_one(current, regions))
    return "\n".join(bodies)


def _one(graph: Graph, regions: dict[Graph, int]) -> str:
    number: dict[Node, int] = {}
    for node in (*graph.parameters, *graph.nodes()):
        number.setdefault(node, len(number))
    heads = [f"%{number[p]} {p.attribute('name')}: {p.type}" for p in graph.parameters]
    tail = f" split={graph.split}" if graph.split is not None else ""
    if graph.seeds:
        tail += f" seeds={len(graph.seeds)}"
    lines = [f"graph {graph.name}({'; '.join(heads)}){tail}"]
    for node in graph.nodes():
        if node.op == "parameter":
            continue
        words = [node.op, *(f"%{number[i]}" for i in node.inputs)]
        words += [f"{key}={_value(value, regions)}" for key, value in node.attributes]
        name = graph.notes.names.get(node)
        note = f"  # {name}" if name else ""
        lines.append(f"  %{number[node]} = {' '.join(words)} : {node.type}{note}")
    lines.append("  return " + " ".join(f"%{number[r]}" for r in graph.results))
    return "\n".join([*lines, "end", ""])


def _value(value: object, regions: dict[Graph, int]) -> str:
    if isinstance(value, Region):
        flags = ",".join(
            str(int(v)) for v in (value.captured, value.carried, value.stacked, value.reverse)
        )
        return f"body{regions[value.body]}[{flags}]"
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Dim):
        return f"{{{value}}}".replace(" ", "")
    if isinstance(value, tuple):
        parts = [_value(part, regions) for part in value]
        return f"({','.join(parts)}{',' if len(parts) == 1 else ''})"
    return repr(value).replace(" ", "")


def _region(node: Node) -> Region:
    region = node.attribute("region")
    assert isinstance(region, Region)
    return region


def parse_graph(text: str, pool: Pool | None = None) -> Graph:
    """The graph of a text that `print_graph` made; the last one, the others being its bodies."""
    pool = pool or Pool()
    graphs: list[Graph] = []
    nodes: dict[str, Node] = {}
    head: re.Match[str] | None = None
    parameters: list[Node] = []
    for raw in text.splitlines():
        line = raw.partition("  # ")[0].strip()
        if line.startswith("graph "):
            head = re.fullmatch(r"graph (\S+?)\((.*)\)(?: split=(\d+))?(?: seeds=(\d+))?", line)
            assert head is not None, line
            nodes, parameters = {}, []
            for part in head[2].split("; ") if head[2] else []:
                label, name, type = re.fullmatch(r"(%\d+) (.+?): (.+)", part).groups()  # type: ignore[union-attr]
                nodes[label] = pool.parameter(name, parse_type(type))
                parameters.append(nodes[label])
        elif line.startswith("return"):
            assert head is not None, line
            seeds = int(head[4] or 0)
            graphs.append(
                Graph(
                    head[1],
                    pool,
                    tuple(parameters),
                    tuple(nodes[word] for word in line.split()[1:]),
                    Notes(),
                    tuple(parameters[len(parameters) - seeds :]),
                    int(head[3]) if head[3] else None,
                )
            )
        elif line and line != "end":
            label, _, rest = line.partition(" = ")
            body, _, type = rest.rpartition(" : ")
            op, *words = body.split()
            inputs = [nodes[w] for w in words if w.startswith("%")]
            pairs = [w.partition("=") for w in words if not w.startswith("%")]
            attributes = {key: _parsed(value, graphs) for key, _, value in pairs}
            nodes[label] = pool.make(op, inputs, parse_type(type), **attributes)
    return graphs[-1]


def _parsed(text: str, graphs: list[Graph]) -> object:
    found = re.fullmatch(r"body(\d+)\[(\d+),(\d+),(\d+),(\d)\]", text)
    if found:
        place, captured, carried, stacked, reverse = map(int, found.groups())
        return Region(graphs[place - 1], captured, carried, stacked, bool(reverse))
    if text in ("inf", "-inf", "nan"):
        return float(text)
    if re.fullmatch(r"-?\d+/\d+", text):
        return Fraction(text)
    return _literal(ast.parse(re.sub(r"\{([^}]*)\}", r"Dim('\1')", text), mode="eval").body)


def _literal(tree: ast.expr) -> object:
    """A string, number or size, or a tuple of them; tuples nest two deep."""
    if isinstance(tree, ast.Tuple):
        return tuple(_literal(part) for part in tree.elts)
    if isinstance(tree, ast.Call) and isinstance(tree.args[0], ast.Constant):
        return parse_dim(str(tree.args[0].value))
    return ast.literal_eval(tree)


def parse_type(text: str) -> AnyType:
    text = text.strip()
    if text.startswith("("):
        return Bundle(tuple(parse_type(part) for part in _split(text[1:-1])))
    if text.startswith("saved "):
        return Saved(text.removeprefix("saved "))
    found = re.fullmatch(r"(real|int|bool)?(?:\[(.*)\])?", text)
    assert found is not None, text
    dtype = found[1] or "real"
    shape = tuple(parse_dim(part) for part in _split(found[2])) if found[2] else ()
    return Type(dtype, shape)  # type: ignore[arg-type]


def _split(text: str) -> list[str]:
    """At the commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [p for p in (*parts, text[start:]) if p.strip()]


def parse_dim(text: str) -> Dim:
    """`2*H + N^2 - 1`; a size's text is short, so this may recurse."""

    def build(tree: ast.expr) -> Dim:
        match tree:
            case ast.Name(id=name):
                return Dim.of(name)
            case ast.Constant(value=int(value)):
                return Dim.of(value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -build(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
                result = Dim.of(1)
                for _ in range(power):
                    result = result * build(left)
                return result
            case ast.BinOp(left=left, op=op, right=right):
                x, y = build(left), build(right)
                if isinstance(op, ast.Add):
                    return x + y
                if isinstance(op, ast.Sub):
                    return x - y
                return x * y if isinstance(op, ast.Mult) else x // y
        raise ValueError(text)

    return build(ast.parse(text.strip().replace("^", "**"), mode="eval").body)
