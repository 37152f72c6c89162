"""The code blocks of the README and of docs, as a person would copy them."""

from __future__ import annotations

import re

from .conftest import REPOSITORY

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def sections(page: str = "README.md") -> dict[str, str]:
    """Returns the text below each heading, up to the next one."""
    text = (REPOSITORY / page).read_text()
    # A line of a block that begins with # is not a heading.
    masked = _BLOCK.sub(lambda found: "x" * len(found[0]), text)
    headings = list(_HEADING.finditer(masked))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    return {
        heading[1]: text[heading.end() : end]
        for heading, end in zip(headings, ends, strict=True)
    }


def blocks(text: str, language: str) -> list[str]:
    """Returns the code blocks of a language in a text."""
    return [code for kind, code in _BLOCK.findall(text) if kind == language]


def readme_blocks(language: str, heading: str) -> list[str]:
    """Returns the code blocks of a language below a heading of the README."""
    return blocks(sections()[heading], language)
