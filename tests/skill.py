"""The calls in the text of the skill for agents, as an agent would make them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .conftest import REPOSITORY
from .readme import blocks

SKILL = REPOSITORY / "skills" / "roboflow-coco-masks" / "SKILL.md"


@dataclass(frozen=True)
class Call:
    """A call of a tool of FiftyOne's MCP server."""

    tool: str
    arguments: dict[str, Any]

    @property
    def operator(self) -> str | None:
        """The operator's name without its plugin, where there is one."""
        uri = self.arguments.get("operator_uri")
        return uri.rpartition("/")[2] if uri else None

    @property
    def params(self) -> dict[str, Any]:
        return self.arguments.get("params") or {}

    def with_params(self, **changes: Any) -> Call:
        """Returns the call with other values of some parameters."""
        params = {**self.params, **changes}
        return Call(self.tool, {**self.arguments, "params": params})

    def at(self, paths: Mapping[str, object]) -> Call:
        """Returns the call with real paths in the place of those of the text."""
        text = json.dumps(self.arguments)
        for placeholder, path in paths.items():
            text = text.replace(f'"{placeholder}', f'"{path}')
        return Call(self.tool, json.loads(text))


def skill_calls() -> list[Call]:
    """Returns the calls in the skill's text, in its order."""
    return [call for block in _blocks() if _is_calls(block) for call in _calls(block)]


def skill_scripts() -> list[str]:
    """Returns the blocks of Python that are not calls of the server."""
    return [block for block in _blocks() if not _is_calls(block)]


def _blocks() -> list[str]:
    return blocks(SKILL.read_text(), "python")


def _is_calls(block: str) -> bool:
    return "import " not in block


def _calls(block: str) -> list[Call]:
    found = []
    for statement in ast.parse(block).body:
        assert isinstance(statement, ast.Expr), ast.unparse(statement)
        call = statement.value
        assert isinstance(call, ast.Call), ast.unparse(call)
        assert isinstance(call.func, ast.Name), ast.unparse(call)
        assert not call.args, ast.unparse(call)
        arguments = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
        found.append(Call(call.func.id, arguments))
    return found
