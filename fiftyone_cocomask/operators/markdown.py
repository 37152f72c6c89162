"""Text as the App shows it, which takes what forms and panels say for Markdown.

What comes from outside, such as the names in an export, goes through one of these, or
it could format what is said, and make the browser fetch an image from anywhere.
"""

from __future__ import annotations

import re

# An underscore inside a word is one, as in most names.
_SPECIAL = re.compile(r"([\\`*\[\]<>#|~&!$]|(?<![^\W_])_|_(?![^\W_]))")
# Addresses become links all the same, and what is escaped in them would not be.
_ADDRESS = re.compile(r"(?<=:)(/)(?=/)|(?<=www)(\.)|(@)", re.IGNORECASE)
# What begins a list, or is a rule, where a line begins with it.
_LIST = re.compile(r"^(\d*)([-+=.)])")


def plain(text: object) -> str:
    """Returns Markdown that is shown as the text itself, on one line."""
    line = " ".join(str(text).split())
    line = _SPECIAL.sub(r"\\\1", line)
    line = _ADDRESS.sub(r"\\\g<0>", line)
    return _LIST.sub(r"\1\\\2", line)


def plain_lines(text: str) -> str:
    """Returns Markdown that is shown as the text itself, line by line."""
    return "  \n".join(plain(line) for line in text.splitlines())


def bold(text: object) -> str:
    """Returns Markdown of a text in bold."""
    return f"**{plain(text)}**"


def code(text: object) -> str:
    """Returns Markdown of a name or path as code."""
    line = " ".join(str(text).split())
    longest = _longest_fence(line)
    fence = "`" * (longest + 1)
    room = " " if longest else ""
    return f"{fence}{room}{line}{room}{fence}"


def code_block(text: str) -> str:
    """Returns Markdown of lines as code."""
    fence = "`" * max(3, _longest_fence(text) + 1)
    return f"{fence}\n{text}\n{fence}"


def _longest_fence(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def unmarked(markdown: str) -> str:
    """Returns what Markdown says, for places that show text as it is."""
    without = re.sub(r"(?<!\\)(\*\*|`)", "", markdown)
    return re.sub(r"\\([\\`*_\[\]<>#|~&!$+=.)@/-])", r"\1", without)
