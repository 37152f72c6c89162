"""How soon the App has answers: the panel's first figures, its sections, the forms.

The first figures are to come within 1 s, each section within 2 s of being opened, and
each form within 0.3 s.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import fiftyone.operators as foo
import yaml  # type: ignore[import-untyped]
from fiftyone.operators.executor import ExecutionContext
from fiftyone.operators.store import ExecutionStore

import fiftyone_cocomask as fcm
from fiftyone_cocomask.panels.evaluation.sections import SECTIONS, read
from fiftyone_cocomask.panels.evaluation.sections.folded import FoldedSection
from fiftyone_cocomask.panels.evaluation.shown import Choices, shown_of

from .measuring import link_plugin, timed
from .stages import Case

# What is answered to forms, so that they say all that they would do.
_ANSWERS: dict[str, dict[str, Any]] = {
    "fix_mask_issues": {"preview": True},
    "merge_classes": {"into": "blob", "classes": ["spot"]},
    "export_masks": {"beside_images": True},
}


def answers(case: Case) -> dict[str, list[float]]:
    """Returns the seconds of each answer, by what is asked: at first, and again.

    At first nothing is known but what the evaluations have written. A section that
    needs a pass over all samples answers with how far it is, and so do forms.
    """
    link_plugin()
    dataset = case.dataset()
    ExecutionStore.create("cocomask_sums", dataset_id=dataset._doc.id).clear()
    asked = _answers(dataset, case.export)
    return {name: [timed(ask)[0] for _ in range(2)] for name, ask in asked.items()}


def _answers(dataset: Any, export: Path) -> dict[str, Callable[[], object]]:
    asked: dict[str, Callable[[], object]] = {
        "the panel's first figures": lambda: _open_panel(dataset)
    }
    for section in SECTIONS:
        if isinstance(section, FoldedSection):
            asked[f"section '{section.title}'"] = _of_section(dataset, section)
    for name in _operators():
        asked[f"form of {name}"] = _of_form(dataset, export, name)
    return asked


def _open_panel(dataset: Any) -> object:
    evaluation = fcm.load_mask_evaluation(dataset, "mask_area")
    return read(shown_of([evaluation], dataset.view(), Choices()))


def _of_section(dataset: Any, section: Any) -> Callable[[], object]:
    choices = Choices(opened=frozenset([section.name]))
    evaluations = [
        fcm.load_mask_evaluation(dataset, key) for key in ("mask_area", "mask_coverage")
    ]
    shown = [shown_of([e], dataset.view(), choices) for e in evaluations]
    which = next((one for one in shown if section.is_for(one)), shown[0])

    return lambda: section.read(which)


def _of_form(dataset: Any, export: Path, name: str) -> Callable[[], object]:
    operator = foo.get_operator(f"@cocomask/cocomask/{name}")
    params = dict(_ANSWERS.get(name, {}))
    if name in ("check_export", "compare_exports", "import_roboflow_coco"):
        params["path"] = {"absolute_path": str(export)}
    if name == "import_roboflow_coco":
        params["dataset"] = dataset.name
    request = {
        "operator_uri": operator.uri,
        "dataset_name": dataset.name,
        # As the App opens a form, and asks again after a change in it.
        "prompt_id": uuid4().hex,
        "params": params,
    }

    def open_form() -> object:
        ctx = ExecutionContext(request, operator_uri=operator.uri)
        shown = operator.resolve_type(ctx, "inputs")
        return shown and shown.to_json()

    return open_form


def _operators() -> list[str]:
    manifest = Path(__file__).resolve().parents[1] / "fiftyone.yml"
    names: list[str] = yaml.safe_load(manifest.read_text())["operators"]
    return [name for name in names if not name.endswith("_error")]
