"""A report as people read it: one line a function, and details only where there is something to
say. What holds of every target is said once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import TextWrapper

from mgrad.compiler.verify.certificate import FunctionReport, Report, Shortage
from mgrad.compiler.verify.functions import Verdict

LONGEST_FORMULA = 60
WIDTH = 100
KEPT = "\N{NO-BREAK SPACE}"


def summary(reports: Sequence[Report]) -> str:
    """The reports on one source, a target each."""
    source = reports[0].source
    lines = [f"{source} -> {', '.join(r.target for r in reports)}"]
    for report in reports:
        if report.reason:
            lines += [f"  {report.target}: cannot be checked", *_indented(report.reason, 4)]
    known = [r for r in reports if not r.reason]
    rows: list[tuple[str, str, str, str, list[str]]] = []
    names = dict.fromkeys(f.name for r in known for f in r.functions)
    for name in names:
        by_target = {r.target: f for r in known for f in r.functions if f.name == name}
        rows.append(_row(name, by_target))
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for *cells, formula, details in rows:
        padded = [cell.ljust(w) for cell, w in zip(cells, widths, strict=True)]
        lines.append(f"  {'  '.join([*padded, formula])}".rstrip())
        for detail in details:
            lines += _wrapped(detail, 6)
    for missing in dict.fromkeys(name for r in known for name in r.missing):
        lines.append(f"  {missing}: not reached: the time budget ran out")
    lines += _notes(known)
    lines.append(_total(source, known))
    return "\n".join(lines)


def _row(
    name: str, by_target: Mapping[str, FunctionReport]
) -> tuple[str, str, str, str, list[str]]:
    """Cells of the line: name, verdict, digits, derivative; then the details."""
    reports = list(by_target.values())
    first = reports[0]
    worst = min(
        reports, key=lambda r: ("refuted", "not reached", "agreed", "proved").index(r.status)
    )
    verdict = worst.status if worst.status != "refuted" else "REFUTED"
    if worst.status == "proved":
        verdict += f": {_identities(worst)}"
    details = list(_said(by_target, lambda report: list(_failures(report))))
    exceptions = list(_exceptions(reports))
    formula = ", ".join(f"d/d{x} = {text}" for x, text in first.whole)
    formula = (formula if len(formula) <= LONGEST_FORMULA else "") or _sizes(reports)
    if exceptions and formula:  # the exceptions follow the digits that they are exceptions to
        exceptions.append(formula)
        formula = ""
    details = [*details, *exceptions, *_given(reports), *_kinks(first)]
    return name, verdict, _digits(reports, bool(exceptions)), formula, details


def _sizes(reports: Sequence[FunctionReport]) -> str:
    """The sizes of arrays at which the formulas were compared, and those of the numbers."""
    proved = next((r.sizes for r in reports if r.sizes), "")
    measured = next((r.numbers.sizes for r in reports if r.numbers and r.numbers.sizes), "")
    if not proved:
        return ""
    return f"at {proved}" + (f"; digits at {measured}" if measured else "")


def _identities(report: FunctionReport) -> str:
    count = max((v.identities for v in report.verdicts), default=0)
    regions = max((v.regions for v in report.verdicts), default=1)
    noun = "identity" if count == 1 else "identities"
    return f"{count} {noun}" + (f" on {regions} regions" if regions > 1 else "")


def _given(reports: Sequence[FunctionReport]) -> Iterator[str]:
    given = dict.fromkeys(extern for r in reports for extern in r.given)
    if given:
        noun = "derivative" if len(given) == 1 else "derivatives"
        yield f"given the {noun} stated for {', '.join(given)}"


def _digits(reports: Sequence[FunctionReport], has_exceptions: bool) -> str:
    numbers = [r.numbers for r in reports if r.numbers is not None and r.numbers.points]
    if not numbers:
        return ""
    least = int(min(min(n.value, n.gradient) for n in numbers))
    return f"{least} digits" + (", but" if has_exceptions else "")


def _said(
    by_target: Mapping[str, FunctionReport], what: Callable[[FunctionReport], list[str]]
) -> Iterator[str]:
    """Lines that hold of every target plain, the others with the target's name."""
    lines = {target: what(report) for target, report in by_target.items()}
    for line in dict.fromkeys(line for found in lines.values() for line in found):
        holds = [target for target, found in lines.items() if line in found]
        yield line if len(holds) == len(lines) else f"{', '.join(holds)}: {line}"


def _failures(report: FunctionReport) -> Iterator[str]:
    """What is not proved: routines of which the same is to be said share a line."""
    said: dict[str, list[str]] = {}
    for verdict in report.verdicts:
        if verdict.status != "proved":
            said.setdefault(describe(verdict), []).append(verdict.routine)
    for text, routines in said.items():
        if len(routines) == len(report.verdicts):
            yield text
        else:
            yield f"{', '.join(routines)}: {text}"


def describe(verdict: Verdict) -> str:
    """A verdict in one line."""
    match verdict.status:
        case "proved":
            where = f" on {verdict.regions} regions" if verdict.regions > 1 else ""
            count = verdict.identities
            return f"proved: {count} chain-rule identit{'y' if count == 1 else 'ies'}{where}"
        case "agreed":
            reason = f", not proved: {_plain(verdict.reason)}" if verdict.reason else ""
            return f"agreed at {verdict.points} points to {verdict.digits} digits{reason}"
        case "refuted" if verdict.counterexample is not None:
            found = verdict.counterexample
            at = ", ".join(f"{n} = {v}" for n, v in found.point.items())
            place = ""
            if found.line is not None:
                place = f"; line {found.line}" + (f" ({found.variable})" if found.variable else "")
            where = f" at {at}" if at else ""
            return f"refuted: {found.what}{where} is {found.text}, should be {found.program}{place}"
        case status:
            return f"{status}: {verdict.reason}"


def _plain(reason: str) -> str:
    """A reason without SymPy's names for the values of the two sides."""
    if "would not reduce" in reason:
        return "SymPy did not reduce the difference of one step to 0"
    return reason


def _kinks(report: FunctionReport) -> Iterator[str]:
    places: dict[str, list[int]] = {}
    for what, line in report.kinks:
        found = places.setdefault(what, [])
        if line is not None and line not in found:
            found.append(line)
    for what, lines in places.items():
        yield f"kink: {what}{_lines(lines)}"


def _lines(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    return f" (line{'s' if len(lines) > 1 else ''} {', '.join(map(str, sorted(lines)))})"


def _exceptions(reports: Sequence[FunctionReport]) -> Iterator[str]:
    """The worst of each kind and place, over the targets."""
    worst: dict[tuple[str, int | None], Shortage] = {}
    for report in reports:
        for item in report.numbers.exceptions if report.numbers is not None else ():
            key = (item.kind, item.line)
            if key not in worst or item.digits < worst[key].digits:
                worst[key] = item
    for item in sorted(worst.values(), key=lambda item: not item.what.startswith("value")):
        digits = {0: "no digits", 1: "1 digit"}.get(int(item.digits), f"{int(item.digits)} digits")
        others = item.points - 1
        more = f" and {others} more point{'s' if others > 1 else ''}" if others else ""
        place = f" (line {item.line})" if item.line is not None else ""
        why = item.text or "no reason was found"
        if item.kind != "raises":
            what = "the value" if item.what == "value" else item.what
            yield f"{digits} of {what} at {item.point}{more}: {why}{place}"
        elif not any(report.is_refuted for report in reports):
            yield f"at {item.point}{more}: {why}"


def _notes(reports: Sequence[Report]) -> list[str]:
    """What several functions share: the accuracy of built-ins, and warnings with their source."""
    accuracy: dict[tuple[str, str], list[int]] = {}
    warnings: dict[tuple[int | None, str], str] = {}
    for function in (f for r in reports for f in r.functions):
        for name, line, text in function.absolute:
            lines = accuracy.setdefault((name, text), [])
            if line is not None and line not in lines:
                lines.append(line)
        for item in function.numbers.exceptions if function.numbers is not None else ():
            if item.warning:
                warnings.setdefault((item.line, item.text), item.warning)
    notes = ["  The accuracy of built-ins:"] if accuracy else []
    for (name, text), lines in accuracy.items():
        notes += _wrapped(f"{name}{_lines(lines)}: {text}", 4)
    for warning in warnings.values():
        notes += _indented(warning, 2)
    return notes


def _wrapped(text: str, by: int) -> list[str]:
    """Lines of at most `WIDTH` characters, broken neither in what is quoted nor in a place."""
    kept = re.sub(r"`[^`]*`|\(lines? [\d, ]+\)|\w+ = ", lambda m: m[0].replace(" ", KEPT), text)
    wrapper = TextWrapper(WIDTH, " " * by, " " * (by + 2))
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return [line.replace(KEPT, " ") for line in wrapper.wrap(kept)]


def _indented(text: str, by: int) -> list[str]:
    return [f"{' ' * by}{line}".rstrip() for line in text.splitlines()]


def _total(source: str, reports: Sequence[Report]) -> str:
    """One line: what became of the gradients; what is said of all targets is the least."""
    counts = dict.fromkeys(("proved", "agreed", "refuted", "not reached"), 0)
    order = list(counts)
    least: dict[str, FunctionReport] = {}
    for function in (f for r in reports for f in r.functions):
        known = least.get(function.name)
        if known is None or order.index(function.status) > order.index(known.status):
            least[function.name] = function
    for function in least.values():
        counts[function.status] += function.gradients
    numbers = [f.numbers for r in reports for f in r.functions if f.numbers and f.numbers.points]
    digits = min((min(n.value, n.gradient) for n in numbers), default=None)
    short = {f.name for r in reports for f in r.functions if _has_exceptions(f)}
    parts = [
        ", ".join(f"{n} {status}" for status, n in counts.items() if n or status != "not reached")
    ]
    if digits is not None:
        parts.append(f"{int(digits)} digits or more")
        if short:
            noun = "function" if len(short) == 1 else "functions"
            parts[-1] += f", but for the places named in {len(short)} {noun}"
    gradients = "gradient" if sum(counts.values()) == 1 else "gradients"
    return f"{source}: {sum(counts.values())} {gradients}: {'; '.join(parts)}"


def _has_exceptions(function: FunctionReport) -> bool:
    return function.numbers is not None and bool(function.numbers.exceptions)
