"""Names in charts are short, and no two of them look the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fiftyone_cocomask.panels.text import told_apart

PRODUCTS = [
    f"supermarket shelf product {kind} family size variant {number:02d} right facing"
    for kind in ("cereal", "detergent", "shampoo")
    for number in (8, 18, 28)
]


def test_short_names_are_shown_as_they_are() -> None:
    assert told_apart(["bee", "moth"]) == ["bee", "moth"]


def test_names_that_differ_in_the_middle_are_told_apart_by_it() -> None:
    shown = told_apart(PRODUCTS[::3])
    for name, kind in zip(shown, ("cereal", "detergent", "shampoo"), strict=True):
        assert kind in name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab c", max_size=40), unique=True, max_size=12))
def test_no_two_names_look_the_same(names: list[str]) -> None:
    for of in (names, [f"a very long name that begins {name}" for name in names]):
        assert len({*told_apart(of, length=9)}) == len(of)


def test_all_products_of_a_shelf_are_told_apart() -> None:
    assert len({*told_apart(PRODUCTS)}) == len(PRODUCTS)
