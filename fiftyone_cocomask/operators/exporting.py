"""What the operators share that write files for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from ..words import count
from .confirming import is_confirmed, reject_unconfirmed
from .forms import note, stop
from .in_time import images_in, known
from .job import JobOperator, Results
from .markdown import code
from .paths import given_path
from .results import outcome
from .target_samples import target_samples


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
    images = images_in(target_samples(ctx))
    note(
        inputs,
        "outcome",
        f"Writes the files of {images}",
        f"Each is {code(pattern)}. Files that are there with other content are kept "
        "and reported.",
    )


def confirm_beside_images(ctx: ExecutionContext, inputs: types.Object) -> None:
    """Asks before files are put beside images that lie in an export."""
    from ..datasets.exporting.beside import export_folders

    samples = target_samples(ctx)
    folders = known(
        "looking where the images lie",
        "export folders",
        samples,
        lambda: export_folders(samples),
    )
    if folders is None:
        # Whoever has not been asked has not said yes.
        stop(inputs, "Wait until it is known whether the images lie in an export")
    else:
        _confirm(ctx, inputs, folders)


def confirm_folder(ctx: ExecutionContext, inputs: types.Object) -> None:
    """Asks before files are put into an ``output_dir`` that lies in an export."""
    from ..datasets.exporting.beside import lies_in_export

    folder = given_path(ctx.params.get("output_dir"))
    if folder is not None and not inputs.properties["output_dir"].invalid:
        is_inside = lies_in_export(ctx.dataset, folder)
        _confirm(ctx, inputs, [folder] if is_inside else [])


def _confirm(ctx: ExecutionContext, inputs: types.Object, folders: list[str]) -> None:
    """Asks before files are put among those of an export.

    An upload of the folder would take the masks for images.
    """
    if not folders:
        return
    yes = "Yes, write into the export's folder"
    if is_confirmed(ctx, inputs, yes, tuple(folders)):
        return
    said = inputs.view(
        "confirmation",
        types.Warning(
            label="This is the folder of an export",
            description=f"{code(folders[0])}: Roboflow would take masks there for "
            "images",
        ),
    )
    reject_unconfirmed(
        ctx,
        said,
        f"{folders[0]} is the folder of an export, where an upload takes masks for "
        "images; confirm=True writes there all the same, output_dir writes elsewhere",
    )
