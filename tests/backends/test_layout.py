"""Long statements are broken as the usual formatters break them."""

from mgrad.compiler.backends.layout import WIDTH, bracketed, split, statement

LONG = "a_rather_long_name_of_a_value"


def test_what_fits_stays_on_its_line() -> None:
    assert statement("    x = ", "a + b") == ["    x = a + b"]
    assert statement("    return ", "a, b") == ["    return a, b"]


def test_a_sum_breaks_before_its_operators() -> None:
    terms = [f"{LONG}_{k}*w{k}" for k in range(3)]
    assert statement("    total = ", f"{terms[0]} + {terms[1]} - {terms[2]}") == [
        "    total = (",
        f"        {terms[0]}",
        f"        + {terms[1]}",
        f"        - {terms[2]}",
        "    )",
    ]


def test_a_tuple_takes_an_item_a_line() -> None:
    names = [f"{LONG}_{k}" for k in range(4)]
    lines = statement("    ", ", ".join(names), " = saved")
    assert lines == ["    (", *(f"        {n}," for n in names), "    ) = saved"]
    text = f"x, ({', '.join(names)})"
    inner = [f"            {n}," for n in names]
    expected = ["    return (", "        x,", "        (", *inner, "        ),", "    )"]
    assert statement("    return ", text) == expected


def test_a_call_goes_over_its_arguments() -> None:
    few = ", ".join(f"argument_{k}" for k in range(6))
    assert bracketed("    first, second = function_of", few) == [
        "    first, second = function_of(",
        f"        {few}",
        "    )",
    ]
    many = [f"{LONG}_{k}" for k in range(4)]
    assert statement("    first = ", f"function_of({', '.join(many)})") == [
        "    first = function_of(",
        *(f"        {name}," for name in many),
        "    )",
    ]


def test_a_choice_breaks_at_if_and_else() -> None:
    text = f"{LONG}*{LONG} if {LONG} > 0.0 else {LONG}"
    assert statement("    x = ", text) == [
        "    x = (",
        f"        {LONG}*{LONG}",
        f"        if {LONG} > 0.0",
        f"        else {LONG}",
        "    )",
    ]


def test_a_product_is_broken_in_its_last_factor() -> None:
    text = f"{LONG}*({LONG} + {LONG} - {LONG})"
    lines = statement("    x = ", text)
    assert lines[0] == f"    x = {LONG}*(" and lines[-1] == "    )"
    assert all(len(line) <= WIDTH for line in lines)


def test_brackets_are_not_looked_into() -> None:
    assert split("f(a, b), (c, d), e", (", ",)) == ["f(a, b)", "(c, d)", "e"]
    assert split("a*(b + c) - d", (" + ", " - ")) == ["a*(b + c)", "- d"]


def test_brackets_of_one_item_stay_what_they_are() -> None:
    """A comma would make a tuple of an expression in brackets."""
    long = " + ".join(f"value_{i}" for i in range(12))
    for item in (f"({long})", f"({long},)"):
        text = "\n".join(statement("x = ", f"{item}, 1"))
        names = {f"value_{i}": i for i in range(12)}
        space = dict(names)
        exec(text, space)
        assert space["x"] == eval(f"{item}, 1", dict(names))
