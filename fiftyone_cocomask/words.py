"""Names and values of other people, in the words of a message."""

from __future__ import annotations

import unicodedata
from typing import Any

_TYPE_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}

# They join or part letters, as emoji and several scripts need it.
_JOINERS = "\u200c\u200d"


def type_name(value: Any) -> str:
    """Returns what kind of JSON value this is."""
    return _TYPE_NAMES.get(type(value), "null")


def number_or_type(value: Any) -> str:
    """Returns a number as it is, and of any other JSON value what kind it is."""
    return repr(value)[:40] if type(value) in (int, float) else type_name(value)


def printable(text: str) -> str:
    """Returns text as one line that shows what it is and does nothing else.

    Line breaks, escape sequences of terminals, other control characters, marks that
    turn the direction of what follows, and halves of characters are replaced. For
    every message that holds a name or value of an export.
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Returns text of several lines, each of them printable."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(sign: str) -> str:
    if sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs":
        return sign
    return " " if sign == "\t" else "\ufffd"


def count(number: int, noun: str) -> str:
    """Returns ``1 image`` or ``1,234 images``."""
    if noun.endswith("y"):
        plural = f"{noun[:-1]}ies"
    else:
        plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {agree(number, noun, plural)}"


def readable(number: float) -> str:
    """Returns a number with four digits, and those of whole numbers all."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def part_of(number: int, total: int, noun: str) -> str:
    """Returns ``1 of 2 images``."""
    return f"{number:,} of {count(total, noun)}"


def agree(number: int, one: str, many: str) -> str:
    """Returns the form that a number takes: ``has`` after 1, else ``have``."""
    return one if number == 1 else many


def shortened(text: str, length: int = 60) -> str:
    """Returns printable text of at most so many characters, its ends kept."""
    text = printable(text)
    if len(text) <= length:
        return text
    half = (length - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


def shortened_name(name: str, length: int = 80) -> str:
    """Returns a file name of at most so many characters, by which it can be found.

    The copies of a source differ in the token that Roboflow puts at their end: that
    stays whole.
    """
    name = printable(name)
    token = name.rfind(".rf.")
    kept = length - 13
    if len(name) <= length or token < 0 or len(name) - token > kept:
        return shortened(name, length)
    end = name[token:]
    return f"{name[: length - 3 - len(end)]}...{end}"
