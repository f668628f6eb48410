"""What a temporary is called: by what it is, in the names of the source, or by the part that it
plays in a value that has a name.

exp(-t)    exp_minus_t        X @ w - y      X_w_minus_y      solve(K, y)  K_inverse_y
r*r        r_squared          sum(v*v)       v_norm_squared   its root     v_norm
x > 0      x_is_positive      exp(long)      the long one: exponent

Phrases (schedule.phrases) come first. Where one would be too long, or misread, the name is the
part that a value plays: alone if there is one such part (`exponent`, `angle`, `terms`), with the
name of the whole if there are several (`u_factor`, `term_of_d_x`). Else it is what any value of the
operation is (`difference`, `sum_of_squares`). What only moves, repeats or widens values plays no
part: one looks through it, up and down. What a `where` puts a number in the place of is `unmasked`.
"""

from __future__ import annotations

from collections.abc import Mapping

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import TABLE, exact
from mgrad.compiler.schedule.phrases import (
    LONGEST,
    SIGNS,
    THROUGH,
    UNMASKED,
    Named,
    is_compound,
    is_gradient,
    is_identity,
    is_of_itself,
    looked_through,
    phrase,
    smooth_step,
)

FARTHEST = 8  # how far up to look for a user that has a name

NOUNS = {
    "add": "total",
    "sub": "difference",
    "mul": "product",
    "div": "ratio",
    "pow": "power",
    "integer_power": "power",
    "where": "choice",
    "and": "both",
    "or": "either",
    "not": "otherwise",
    "item": "value",
    "exp": "exponential",
    "log": "logarithm",
    "sqrt": "root",
    "root": "root",
    "cbrt": "root",
    "sin": "sine",
    "cos": "cosine",
    "tan": "tangent",
    "abs": "size",
    "maximum": "greatest",
    "minimum": "least",
    "max_over": "greatest",
    "min_over": "least",
    "sum": "total",
    "contract": "product",
    "take": "part",
    "arange": "index",
    "concat": "joined",
    "put": "updated",
    "pad": "padded",
    "solve": "solution",
    "solve_triangular": "solution",
    "inv": "inverse",
    "cumsum": "running_total",
    "lt": "is_below",
    "le": "is_not_above",
    "gt": "is_above",
    "ge": "is_not_below",
    "eq": "is_equal",
    "ne": "is_different",
}
# The part that an operand plays: one of a kind,
PARTS = {
    "div": ("numerator", "denominator"),
    "pow": ("base", "exponent"),
    "integer_power": ("base",),
    "exp": ("exponent",),
    "expm1": ("exponent",),
    "sin": ("angle",),
    "cos": ("angle",),
    "tan": ("angle",),
    "sqrt": ("radicand",),
    "root": ("radicand",),
    "cbrt": ("radicand",),
    "sum": ("terms",),
    "cumsum": ("terms",),
    "prod_over": ("factors",),
    "prod_others": ("factors",),
    "solve": ("matrix", "right_side"),
    "solve_triangular": ("matrix", "right_side"),
    "inv": ("matrix",),
    "det": ("matrix",),
    "cholesky": ("matrix",),
}
# or one of several, which says something only beside the name of the whole;
OF_SEVERAL = {"add": "term", "sub": "term", "mul": "factor"}
MEMBERS = frozenset(OF_SEVERAL.values())
CASES = ("if_true", "otherwise")  # or one of the two of a choice
# Values that were only moved.
PLACED = THROUGH | {"transpose", "flip", "take", "put", "pad", "concat"}
BACK = {"neg": "", "transpose": "transposed", "flip": "reversed", "reshape": "reshaped"}
FUNCTIONS = frozenset({"exp", "log", "sqrt", "root", "cbrt", "sin", "cos", "tan"})
UNSAID = THROUGH | {"neg", "transpose", "flip"}
OPERATORS = (frozenset(NOUNS) | PLACED | {"neg"}) - FUNCTIONS
ALONE = frozenset(word for words in PARTS.values() for word in words)
WORDS = frozenset(["argument", "part", *MEMBERS, *NOUNS.values(), *ALONE])


def role(node: Node, named: Named, whole: Named, users: Mapping[Node, Node]) -> str:
    """A name for a node that has none. `named` gives those that have one, now or later; `whole`
    what to call a value that a node is part of; `users` one user of each node."""
    found = phrase(node, named)
    if found is not None and not _is_twofold(found):
        return found
    base = looked_through(node, named)
    is_own = is_of_itself(base) or is_identity(base) or smooth_step(base) is not None
    return (None if is_own or base.op not in OPERATORS else _part(node, whole, users)) or noun(node)


def role_of_origin(node: Node, named: Named, whole: Named, users: Mapping[Node, Node]) -> str:
    """What a value that has no line is called in the name of its gradient: rather by its part than
    as a product, for `d_A_times_b` might be a gradient times b."""
    found = role(node, named, whole, users)
    part = _part(node, whole, users) if "_times_" in found else None
    return part if part is not None and part in ALONE else found


def noun(node: Node) -> str:
    """What any value of this operation is."""
    before = ""
    for _ in range(FARTHEST):
        arm = _masked_arm(node)
        if arm is not None and "masked_" not in before:
            before += "masked_"
            node = arm
        elif node.op in UNSAID:
            before += "minus_" if node.op == "neg" else ""
            node = node.inputs[0]
        else:
            break
    return before + _noun(node)


def _noun(node: Node) -> str:
    if is_identity(node):
        return "identity"
    if is_of_itself(node):
        return "sum_of_squares"
    if node.op == "mul" and node.inputs[0] is node.inputs[1]:
        return "square"
    smooth = smooth_step(node)
    if smooth is not None:
        return f"{smooth[0]}_value"
    if node.op in SIGNS and exact(node.inputs[1]) == 0:
        return SIGNS[node.op]
    return NOUNS.get(node.op, f"{node.op.rstrip('_').removesuffix('_over')}_value")


def _is_twofold(found: str) -> bool:
    """Whether a phrase is that of a function of the part that it gave a name: `exp_exponent`."""
    function, _, rest = found.partition("_")
    part = rest.rstrip("_0123456789")
    return part.endswith("argument") or part in PARTS.get(function, ())


def _part(node: Node, whole: Named, users: Mapping[Node, Node]) -> str | None:
    """`denominator`, or `u_factor` of a node that is a factor of a term of u."""
    first, is_masked = node, False
    word: str | None = None  # the part that it plays
    moved: list[Node] = []  # what only placed it, before that
    for _ in range(FARTHEST):
        user = users.get(node)
        if user is None:
            break
        place = next((i for i, x in enumerate(user.inputs) if x is node), 0)
        if word is not None:
            pass
        elif _masked_arm(user) is node:
            is_masked = True
        elif user.op in PLACED or user.op == "neg":
            moved.append(user)
        else:
            word = _word(user, place)
            if word is None:
                break
        name = whole(user)
        if name is not None:
            found = _of(name, word, first, moved)
            if found is not None:
                return _masked(found, is_masked)
            break
        is_case = word in CASES and user.op != "where"
        if is_case or (word is not None and _is_function(user)):
            break
        node = user
    if word is not None and word not in MEMBERS and word not in CASES:
        return _masked(word, is_masked)
    return _masked(noun(first), True) if is_masked else None


def _masked(name: str, is_masked: bool) -> str:
    made = f"{UNMASKED}{name}"
    return made if is_masked and len(made) <= LONGEST else name


def _masked_arm(node: Node) -> Node | None:
    """What a `where` gives a number in the place of, at some elements."""
    if node.op != "where":
        return None
    _, x, y = node.inputs
    if exact(x) is not None:
        return None if exact(y) is not None else y
    return x if exact(y) is not None else None


def _is_function(user: Node) -> bool:
    """Whether what is in it is no part of what it is in."""
    return len(user.inputs) == 1 and user.op not in PLACED and user.op != "neg"


def _word(user: Node, place: int) -> str | None:
    """The part that an operand plays."""
    if user.op in OF_SEVERAL:
        return OF_SEVERAL[user.op]
    if user.op == "where":
        return ("condition", *CASES)[place]
    words = PARTS.get(user.op)
    if words is None and len(user.inputs) == 1 and user.op in TABLE:
        return f"{user.op.rstrip('_')}_argument"
    return words[place] if words is not None and place < len(words) else None


def _of(name: str, word: str | None, node: Node, moved: list[Node]) -> str | None:
    """The name of a part of a value, if that says more than the part alone."""
    if word is None:
        made = _unmoved(name, node, moved)
    elif word in CASES:
        made = f"{name}_{word}"
    elif name == "value" or not _is_plain(name):
        made = None
    else:  # d_x_term would be the gradient of x_term
        made = f"{word}_of_{name}" if is_gradient(name) else f"{name}_{word}"
    return made if made is not None and len(made) <= LONGEST else None


def _is_plain(name: str) -> bool:
    """Whether a name bears another word: one number is enough, and one word of this kind."""
    *_, last = words = name.split("_")
    return not (last.isdigit() or is_compound(name) or not WORDS.isdisjoint(words))


def _unmoved(name: str, node: Node, moved: list[Node]) -> str | None:
    """A value that goes by a name when it has been moved: `minus_y` of x where y = -x."""
    if not moved:
        return name
    if len(moved) == 1 and moved[0].op in BACK:
        return f"minus_{name}" if moved[0].op == "neg" else f"{name}_{BACK[moved[0].op]}"
    joins = [m for m in moved if m.op == "concat"]
    word = "row" if joins and node.op == "concat" and joins[0].attribute("axis") == 0 else "part"
    if all(m.op in THROUGH for m in moved) or any(m.op == "take" for m in moved):
        return None
    return word if name == "value" else f"{name}_{word}"
