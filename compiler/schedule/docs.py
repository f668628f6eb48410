"""The docstrings of routines: a function's own is the source's, the others say what they give."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mgrad.compiler.ir.module import Signature
from mgrad.compiler.schedule.mapped import of_numbers
from mgrad.compiler.schedule.schedule import Kind

WIDEST = 84  # characters of a description that fits into one line


def docstring(
    kind: Kind,
    key: str,
    signature: Signature,
    name: str,
    arguments: Sequence[str],
    results: int,
) -> str:
    """The docstring of a routine; `arguments` are the real ones, `results` their number."""
    own = _own(signature)
    subject = own.partition("\n")[0].rstrip(".")
    value, gradient = ("value", "gradient") if results == 1 else ("values", "gradients")
    those = "that" if len(arguments) == 1 else "those"
    by = ", ".join(arguments)
    match kind:
        case "value":
            return own
        case "forward":
            text = f"{subject}: its {value}, and what the backward pass needs."
            if subject and len(text) <= WIDEST and ":" not in subject:
                return text
            return f"The {value} of {name}, and what the backward pass needs."
        case "backward":
            return f"From the {gradient} of the {value} to {those} of {by}."
        case "value_and_grad":
            return f"The value of {name}, and its gradient by {by}."
        case "jvp":
            return f"The {value} of {name} at a point, and the derivative along a direction."
        case "jacobian":
            rows = "" if results == 1 else ", a row for each result"
            return f"The derivatives of {name} by {by}{rows}."
        case "hessian":
            return f"The second derivatives of {name} by {by}, row by row."
        case "internal":
            return _internal(key, signature)


def _internal(key: str, signature: Signature) -> str:
    origin, _, derived = of_numbers(key).rpartition("@")
    origin = origin.partition("@")[0]
    match derived:
        case "prime":
            order = key.count("@prime")
            words = {1: "The derivative", 2: "The second derivative", 3: "The third derivative"}
            return f"{words.get(order, f'Derivative {order}')} of {origin}."
        case "partials":
            return f"The derivative of {origin}, as stated in the source."
        case "vjp":
            whole = of_numbers(key).rpartition("@")[0].replace("@", "_")
            return f"From the gradient of the value of {whole}."
    return _own(signature)


def _own(signature: Signature) -> str:
    """The source's description, without what stands behind a further `#` in its lines."""
    lines = (re.sub(r"\s+#\s.*", "", line) for line in (signature.doc or "").splitlines())
    return "\n".join(lines).strip()


def door(signature: Signature) -> str:
    """`x: [N, D], w: [D], b -> [N]; N >= 2`: what a function of arrays takes and gives, as
    declared, and what must hold of sizes; empty for a function of numbers, which maps over
    arrays."""
    if signature.maps:
        return ""
    heads = [
        name if str(type) == "real" else f"{name}: {type}" for name, type in signature.parameters
    ]
    text = f"{', '.join(heads)} -> {', '.join(str(r) for r in signature.results)}"
    return f"{text}; {', '.join(signature.conditions)}" if signature.conditions else text
