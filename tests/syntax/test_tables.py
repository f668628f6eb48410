"""The committed tables are those of the committed grammar."""

from mgrad.compiler.syntax import tables


def test_the_tables_are_up_to_date() -> None:
    committed = (tables.GRAMMAR / "mg.json").read_text(encoding="utf-8")
    assert committed == tables.make(), "run python -m mgrad.compiler.syntax.tables"


def test_every_rule_has_its_builder() -> None:
    from mgrad.compiler.syntax.build import PYTHON_NAMES, Builder

    for rule in tables.load().rules:
        if rule.build not in ("", "list", "extend"):
            assert hasattr(Builder, PYTHON_NAMES.get(rule.build, rule.build)), rule
        elif rule.build == "":
            assert rule.length == 1, rule
