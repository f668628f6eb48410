"""Drop the notes of nodes that no result needs; the nodes themselves are gone by being unreached.

names {t: "t", …}, t unused   ->   names {…}
"""

from mgrad.compiler.ir.graph import Graph, Notes


def run(graph: Graph) -> Graph:
    alive = set(graph.nodes())
    notes = graph.notes
    return graph.noted(
        Notes(
            {n: v for n, v in notes.names.items() if n in alive},
            {n: v for n, v in notes.spans.items() if n in alive},
            {n: v for n, v in notes.comments.items() if n in alive},
            # what a gradient belongs to is told even where the value itself is not needed
            {n: v for n, v in notes.gradient_of.items() if n in alive},
            {n: v for n, v in notes.paths.items() if n in alive},
            {n: v for n, v in notes.tangent_of.items() if n in alive},
        )
    )
