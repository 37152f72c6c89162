"""The code blocks of the README, as a person would copy them."""

from __future__ import annotations

import re

from .conftest import REPOSITORY

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def readme_blocks(language: str, heading: str) -> list[str]:
    """Returns the code blocks of a language below a heading, up to the next one."""
    text = (REPOSITORY / "README.md").read_text()
    # A line of a block that begins with # is no heading.
    masked = _BLOCK.sub(lambda found: "x" * len(found[0]), text)
    headings = list(_HEADING.finditer(masked))
    for found, following in zip(headings, [*headings[1:], None], strict=True):
        if found[1] == heading:
            part = text[found.end() : following.start() if following else None]
            return [code for kind, code in _BLOCK.findall(part) if kind == language]
    raise AssertionError(f"README.md has no heading {heading!r}")
