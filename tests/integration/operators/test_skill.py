"""The skill for agents: FiftyOne finds it, and what it says works."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.plugins as fop
import pytest

from tests.plugin import PLUGIN


@pytest.fixture
def skill() -> Any:
    (found,) = fop.list_skills(plugin=PLUGIN)
    return found


def test_fiftyone_finds_the_skill(skill: Any) -> None:
    assert skill.name == "roboflow-coco-masks"
    assert skill.category == "curation"
    assert "COCO export" in skill.description
    assert fop.list_skills(category="curation")


def test_every_operator_that_it_names_takes_the_parameters_that_it_names(
    skill: Any, operator: Callable[[str], Any]
) -> None:
    rows = re.findall(rf"\| `{PLUGIN}/(\w+)` \| (.*) \|", skill.content)
    assert len(rows) == 6
    for name, parameters in rows:
        taken = operator(name).__call__.__code__.co_varnames
        assert set(re.findall(r"`(\w+)`", parameters)) <= set(taken)
        assert foo.operator_exists(f"{PLUGIN}/{name}")


def test_its_steps_run(
    skill: Any, demo_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", skill.content, re.DOTALL)
    names: dict[str, Any] = {"path": demo_export}
    exec(code, names)
    assert "moth" in capsys.readouterr().out
    assert fo.load_dataset("butterflies").list_runs() == [
        "area",
        "coverage",
        "mask_issues",
    ]
