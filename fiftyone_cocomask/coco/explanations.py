"""What each kind of issue means, in the words that stand beside it in ``issues``."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise

from . import issues


def explanation(code: str) -> str | None:
    """Returns what an issue code means: a sentence; None if there is no such code.

    Args:
        code: the code, as reports and samples carry it
    """
    return _explanations().get(code)


@cache
def _explanations() -> dict[str, str]:
    """Returns the docstring of each code.

    Python drops the strings that document the members of an enum, so they are read from
    the source: the texts are there once, for readers of the code and of the App.
    """
    tree = ast.parse(inspect.getsource(issues.IssueCode))
    body = tree.body[0].body  # type: ignore[attr-defined]
    texts = {}
    for member, text in pairwise(body):
        match member, text:
            case (
                ast.Assign(value=ast.Constant(value=str(code))),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                texts[code] = words.replace("``", "'")
    return texts
