"""The difference between two exports, or between exports and datasets."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...arguments import checked
from ...coco.compared import ComparedExport
from ...coco.comparing import Mapped, compare_opened
from ...coco.comparison import ExportComparison
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..parallel.processes import CAN_FORK, map_in_processes, num_cores

_MAX_WORKERS = 4
_WORTH_PROCESSES = 300


@checked
def compare_exports(
    old: Any,
    new: Any,
    *,
    label_field: str = "segmentations",
    old_label_field: str | None = None,
    num_workers: int | None = None,
    progress: Any = None,
) -> ExportComparison:
    """Says what changed between two versions of an export, or two annotators.

    Images are matched by split and file name, then by file name, then by their source.
    Annotations of the very same shape are matched first, the rest by Hungarian
    assignment on mask IoU; a crowd is matched with many. No database is needed where
    both are paths. Nothing is written.

    Example::

        import fiftyone_cocomask as fcm

        comparison = fcm.compare_exports("/path/to/v1", "/path/to/v2.zip")
        print(comparison.summary())

        # Two annotators of one dataset.
        fcm.compare_exports(dataset, dataset, label_field="b", old_label_field="a")

    Args:
        old: an export's folder, ``.zip`` or COCO JSON, or a dataset or view
        new: the same
        label_field: the objects of datasets and views
        old_label_field: those of ``old``, where they are in another field
        num_workers: the number of processes that compare the images that differ. By
            default one for each core that this process may use, at most 4, where that
            is worth starting them; 0 or 1 is this process alone
        progress: whether to render a progress bar (True/False), or a function to call
            with the bar. None renders one where a dataset is compared, if FiftyOne's
            default says so

    Returns:
        an :class:`ExportComparison`

    Raises:
        ExportError: if a path is not a COCO export
        CocoMaskError: if an argument does not fit
    """
    with ExitStack() as stack:
        opened = []
        for option, source in (("old", old), ("new", new)):
            if isinstance(source, (str, os.PathLike)):
                export = ComparedExport(Path(source).expanduser())
            else:
                of_old = old_label_field or label_field
                field = of_old if option == "old" else label_field
                export = _of_samples(option, source, field, stack)
            opened.append(stack.enter_context(export))
        before, after = opened
        total = max(len(before.images), len(after.images))
        workers = _workers(num_workers, total)
        has_samples = not all(isinstance(s, (str, os.PathLike)) for s in (old, new))
        if progress is None and not has_samples:
            # No bar is worth loading FiftyOne for.
            return compare_opened(before, after, mapped=workers)
        import fiftyone.core.utils as fou

        bar = stack.enter_context(
            fou.ProgressBar(total=total, progress=progress, iters_str="images")
        )
        return compare_opened(before, after, bar.update, workers)


def _workers(num_workers: int | None, num_images: int) -> Mapped:
    """Returns what calls a function for each item, in processes or not."""
    if num_workers is None:
        is_worth = CAN_FORK and num_images >= _WORTH_PROCESSES
        num_workers = min(num_cores(), _MAX_WORKERS) if is_worth else 1
    elif not isinstance(num_workers, int) or isinstance(num_workers, bool):
        raise CocoMaskError(f"num_workers must be a whole number, not {num_workers!r}")
    elif num_workers < 0:
        raise CocoMaskError(f"num_workers must be 0 or more, not {num_workers}")
    # Only forked processes have what is to be compared.
    return partial(map_in_processes, num_workers=num_workers if CAN_FORK else 1)


def _of_samples(
    option: str, samples: SampleCollection, label_field: str, stack: ExitStack
) -> ComparedExport:
    import fiftyone as fo

    if not isinstance(samples, (fo.Dataset, fo.DatasetView)):
        raise CocoMaskError(
            f"{option} must be an export's path, or a dataset or view, not "
            f"{type(samples).__name__}"
        )
    from ..database_errors import explain_database_errors
    from ..documents import backing_dataset
    from .coco import write_for_comparison

    folder = Path(stack.enter_context(TemporaryDirectory(prefix="cocomask-compare-")))
    with explain_database_errors():
        write_for_comparison(samples, folder, label_field)
        name = backing_dataset(samples).name
        return ComparedExport(folder, name, is_of_dataset=True)
