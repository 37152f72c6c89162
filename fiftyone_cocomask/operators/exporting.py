"""What the operators share that write files for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .forms import count, note, target_samples
from .job import JobOperator, Results
from .markdown import code
from .results import outcome


class ExportOperator(JobOperator):
    """An operator over a function that returns an ``ExportedFiles``."""

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Leaves the App as it is: the dataset has not changed."""
        yield from ()

    def warnings(self, results: Results) -> list[str]:
        """Returns why some files were not written."""
        if not results["num_skipped"]:
            return []
        first = results["skipped"][0]
        return [
            f"{count(results['num_skipped'], 'file')} not written. The first is of "
            f"{first['filepath']}: {first['reason']}"
        ]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how many files there are, and why some are not."""
        place = results["output_dir"]
        outputs.view(
            "files",
            outcome(
                results["files"],
                label=f"{count(results['files'], 'file')} written",
                description=f"In {code(place)}" if place else "Beside the images",
            ),
        )


def say_where(ctx: ExecutionContext, inputs: types.Object, pattern: str) -> None:
    """Says what will be written where."""
    images = count(len(target_samples(ctx)), "image")
    note(
        inputs,
        "outcome",
        f"Writes the files of {images}",
        f"Each is {code(pattern)}. Files that are there with other content are kept "
        "and reported.",
    )
