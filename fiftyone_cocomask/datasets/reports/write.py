"""A report as a file to pass on, of a dataset or of an export."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...arguments import checked
from ...coco.images import ImageFileError, read_header
from ...errors import CocoMaskError
from ...reporting.of_export import export_page
from ...reporting.page import Page, write_page


@checked
def write_report(
    source: Any,
    output_path: str | Path,
    *,
    eval_keys: Sequence[str] | None = None,
    title: str | None = None,
    progress: Any = None,
) -> Path:
    """Writes what masks and evaluations say as one HTML file of at most 5 MB.

    It opens without a network: figures, charts, findings with their ids, small pictures
    of the worst, definitions, versions and the date are all inside. An export's path
    needs no database.

    Example::

        import fiftyone_cocomask as fcm

        fcm.write_report(dataset, "report.html")
        fcm.write_report("/path/to/export", "export.html", title="Before labelling")

    Args:
        source: a dataset or view, or an export's folder, ``.zip`` or COCO JSON
        output_path: the file, whose name ends with ``.html``; one that is there is
            replaced. Its folder is made
        eval_keys: the evaluations of a dataset to report, all by default
        title: the title, by default the name of the dataset or export
        progress: whether to render a progress bar (True/False), or a function to call
            with the bar. None renders one for a dataset, if FiftyOne's default says so

    Returns:
        the path of the file

    Raises:
        ExportError: if the path is not a COCO export
        CocoMaskError: if an argument does not fit, a dataset has no such evaluation, or
            the file cannot be written
    """
    path = checked_path(output_path)
    if isinstance(source, (str, os.PathLike)):
        if eval_keys is not None:
            raise CocoMaskError("eval_keys are of a dataset; an export has none")
        page = _of_export(Path(source).expanduser(), title, progress)
    else:
        import fiftyone as fo

        from ..database_errors import explain_database_errors
        from .of_dataset import dataset_page

        if not isinstance(source, (fo.Dataset, fo.DatasetView)):
            raise CocoMaskError(
                "source must be an export's path, or a dataset or view, not "
                f"{type(source).__name__}"
            )
        with explain_database_errors():
            page = dataset_page(source, eval_keys, title, progress)
    write_page(page, path)
    return path


def _of_export(path: Path, title: str | None, progress: Any) -> Page:
    if progress is None:
        # No bar is worth loading FiftyOne for.
        return export_page(path, title)
    import fiftyone.core.utils as fou

    def bar(total: int) -> Any:
        return fou.ProgressBar(total=total, progress=progress, iters_str="images")

    return export_page(path, title, bar)


def checked_path(output_path: str | Path) -> Path:
    """Returns the whole path of a report's file.

    Raises:
        CocoMaskError: if no report can be there
    """
    path = Path(output_path).expanduser().absolute()
    if path.suffix.lower() not in (".html", ".htm"):
        raise CocoMaskError(
            f"output_path must be a file whose name ends with .html, not {path.name!r}"
        )
    try:
        if path.is_dir():
            raise CocoMaskError(f"output_path {path} is a folder; name a file in it")
        for folder in path.parents:
            if folder.exists() and not folder.is_dir():
                raise CocoMaskError(f"output_path {path} lies in {folder}, a file")
        if _is_image(path):
            raise CocoMaskError(
                f"output_path {path} is an image, which no report replaces"
            )
    except OSError as error:
        raise CocoMaskError(f"output_path cannot be written: {error}") from error
    return path


def _is_image(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            read_header(file)
    except (FileNotFoundError, ImageFileError):
        return False
    return True
