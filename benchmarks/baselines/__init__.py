"""What stages are compared with: FiftyOne's nearest function, or a plain loop.

A loop goes over the samples as FiftyOne gives them, and over the objects of each, with
pycocotools, OpenCV and NumPy: what somebody would write who had the rules and no
plugin. Each is held to finding what the stage has found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ..stages import Case


def nothing_to_begin(case: Case, samples: Any) -> None:
    pass


def nothing_to_check(case: Case, samples: Any, found: Any) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Baseline:
    """Another way to do what a stage does.

    Attributes:
        name: its name in the tables
        run: does it, given the case and the copy of its dataset
        check: holds what it has returned, or written, to what the stage has
        of: the dataset that it has a copy of: that of the stages, that with two
            versions, or none
        images: the number of images in the copy, None for all; a loop takes the same
            time for each
        begin: makes what it needs, which is not measured
    """

    name: str
    run: Callable[[Case, Any], Any]
    check: Callable[[Case, Any, Any], None] = nothing_to_check
    of: str | None = "dataset"
    images: int | None = 200
    begin: Callable[[Case, Any], None] = nothing_to_begin

    def copy(self, case: Case) -> None:
        """Copies the dataset as it is before the stage is run."""
        name = {"dataset": case.name, "versions": case.two_versions}.get(self.of or "")
        if name is None:
            return
        if fo.dataset_exists(case.copied):
            fo.delete_dataset(case.copied)
        samples = fo.load_dataset(name, reload=True)
        if self.images is not None:
            samples = samples.limit(self.images)
        samples.clone(case.copied, persistent=True)

    def opened(self, case: Case) -> Any:
        """Returns the copy, None if there is none."""
        return None if self.of is None else fo.load_dataset(case.copied)


def baselines() -> dict[str, Baseline]:
    """Returns what each stage is compared with, by the stage's name."""
    from . import exports, fiftyone_ways, outlines, pixels, repairs, report, search

    return {
        "import": fiftyone_ways.IMPORT,
        "masks": fiftyone_ways.MASKS,
        "area of masks and objects": pixels.AREA,
        "coverage and overlap": pixels.COVERAGE,
        "area of masks from elsewhere": pixels.COUNT,
        "search for issues": search.SEARCH,
        "ranking of outlines": outlines.RANKING,
        "repairs": repairs.REPAIRS,
        "report": report.REPORT,
        "export to COCO, without images": fiftyone_ways.EXPORT,
        "comparison of exports, every object edited": exports.COMPARISON,
        "comparison of masks": fiftyone_ways.COMPARE_MASKS,
        "matching of their objects": fiftyone_ways.MATCH_OBJECTS,
    }
