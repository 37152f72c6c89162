"""Values of a JSON in the words of a message."""

from __future__ import annotations

from typing import Any

_TYPE_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def type_name(value: Any) -> str:
    """Returns what kind of JSON value this is."""
    return _TYPE_NAMES.get(type(value), "null")


def printable(text: str) -> str:
    """Returns text on one line, without what would command a terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


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
