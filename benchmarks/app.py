"""How soon the App has answers: the panel's first figures, its sections, the forms.

python -m benchmarks.app [--images 1000 10000 100000] [--runs 5]

On a warm server: each is asked for once before it is measured. The first figures are to
come within 1 s, each section within 2 s of being opened, and each form within 0.3 s.
Prints Markdown: medians, with the least and the most.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .common import link_plugin, own_fiftyone, seconds, write_export

_FIRST, _SECTION, _FORM = 1.0, 2.0, 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    folder = own_fiftyone()
    link_plugin()
    print("| images | answer | seconds | at most |")
    print("|---|---|---|---|")
    for images in options.images:
        export = write_export(folder / f"export-{images}", images)
        dataset = _dataset(export)
        for name, limit, ask in _answers(dataset, export):
            ask()
            taken = [seconds(ask) for _ in range(options.runs)]
            print(
                f"| {images:,} | {name} | {statistics.median(taken):.3f} "
                f"({min(taken):.3f} to {max(taken):.3f}) | {limit} |",
                flush=True,
            )
        dataset.delete()


def _dataset(export: Path) -> Any:
    """Returns a dataset with masks, both evaluations, and a search for issues."""
    import fiftyone_cocomask as fcm

    dataset, _ = fcm.import_roboflow_coco(export, "app")
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, label_field="segmentations")
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    fcm.find_mask_issues(dataset)
    return dataset


def _answers(
    dataset: Any, export: Path
) -> list[tuple[str, float, Callable[[], object]]]:
    """Returns what is asked for, within how many seconds, and what asks for it."""
    from fiftyone_cocomask.panels.evaluation.sections import SECTIONS
    from fiftyone_cocomask.panels.evaluation.sections.folded import FoldedSection

    asked: list[tuple[str, float, Callable[[], object]]] = [
        ("the panel's first figures", _FIRST, lambda: _open_panel(dataset))
    ]
    for section in SECTIONS:
        if isinstance(section, FoldedSection):
            asked.append(_of_section(dataset, section))
    return [*asked, *(_of_form(dataset, export, name) for name in _operators())]


def _open_panel(dataset: Any) -> object:
    import fiftyone_cocomask as fcm
    from fiftyone_cocomask.panels.evaluation.sections import read
    from fiftyone_cocomask.panels.evaluation.shown import Choices, shown_of

    evaluation = fcm.load_mask_evaluation(dataset, "mask_area")
    return read(shown_of([evaluation], dataset.view(), Choices()))


def _of_section(dataset: Any, section: Any) -> tuple[str, float, Callable[[], object]]:
    import fiftyone_cocomask as fcm
    from fiftyone_cocomask.panels.evaluation.shown import Choices, shown_of

    choices = Choices(opened=frozenset([section.name]))
    evaluations = [
        fcm.load_mask_evaluation(dataset, key) for key in ("mask_area", "mask_coverage")
    ]
    shown = [shown_of([e], dataset.view(), choices) for e in evaluations]
    which = next((one for one in shown if section.is_for(one)), shown[0])

    def open_section() -> object:
        found = section.read(which)
        while found and "waits" in found:
            found = section.read(which)
        return found

    return f"section '{section.title}'", _SECTION, open_section


def _of_form(
    dataset: Any, export: Path, name: str
) -> tuple[str, float, Callable[[], object]]:
    import fiftyone.operators as foo
    from fiftyone.operators.executor import ExecutionContext

    operator = foo.get_operator(f"@cocomask/cocomask/{name}")
    params = {"path": str(export), "source": str(export)}
    request = {
        "operator_uri": operator.uri,
        "dataset_name": dataset.name,
        "params": params if "export" in name else {},
    }

    def open_form() -> object:
        ctx = ExecutionContext(request, operator_uri=operator.uri)
        shown = operator.resolve_type(ctx, "inputs")
        return shown and shown.to_json()

    return f"form of {name}", _FORM, open_form


def _operators() -> list[str]:
    import yaml  # type: ignore[import-untyped]

    manifest = Path(__file__).resolve().parents[1] / "fiftyone.yml"
    names: list[str] = yaml.safe_load(manifest.read_text())["operators"]
    return [name for name in names if not name.endswith("_error")]


if __name__ == "__main__":
    main()
