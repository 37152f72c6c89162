"""The comparison with other tools in docs/benchmarks.md is what they do."""

from __future__ import annotations

import pytest

from benchmarks.comparison.cases import CASES, Case
from benchmarks.comparison.outcomes import outcome
from benchmarks.comparison.tools import TOOLS
from tests.readme import sections

for _name in ("supervision", "datumaro"):
    pytest.importorskip(_name)


def stated() -> dict[tuple[str, str], str]:
    """Returns the cells of the page's table, by case and tool."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in sections("docs/benchmarks.md")["Beside other tools"].splitlines()
        if line.startswith("|")
    ]
    table = rows[: len(CASES) + 2]
    return {
        (row[0], tool): cell
        for row in table[2:]
        for tool, cell in zip(table[0][1:], row[1:], strict=True)
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("tool", TOOLS)
def test_the_page_says_what_becomes_of_it(tool: str, case: Case) -> None:
    assert stated()[case.name, tool] == outcome(tool, case)
