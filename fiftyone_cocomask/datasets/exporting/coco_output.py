"""Where an export to COCO goes: not to what its dataset, or its images, came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import fiftyone as fo

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import aggregate_documents
from ..folders import export_folder
from ..import_base.info import export_info
from .coco_folder import ExportFolder


def output_folder(
    dataset: fo.Dataset, output_dir: str | Path, *, overwrite: bool
) -> ExportFolder:
    """Returns the folder to write to, which is not what the dataset came from.

    Args:
        dataset: the dataset
        output_dir: the folder
        overwrite: whether it may hold an export already

    Raises:
        CocoMaskError: if it cannot be written to
    """
    folders, files = [export_folder(dataset)], []
    path = export_info(dataset).get("path")
    if isinstance(path, str) and path:
        if os.path.isdir(path):
            folders.append(Path(path))
        elif os.path.isfile(path):
            files.append(Path(path))
    return ExportFolder(output_dir, folders, files, overwrite=overwrite)


def refuse_folders_of_images(
    samples: SampleCollection, folders: Iterable[Path]
) -> None:
    """Checks that no split goes into a folder that the dataset's images are in.

    Args:
        samples: the images
        folders: the folders of the splits

    Raises:
        CocoMaskError: if one does
    """
    places = {str(place) for f in folders for place in (f, f.resolve())}
    parents = "|".join(re.escape(place + os.sep) for place in sorted(places))
    found = aggregate_documents(
        samples,
        [
            {"$match": {"filepath": {"$regex": rf"^(?:{parents})[^/\\]+$"}}},
            {"$limit": 1},
            {"$project": {"filepath": 1}},
        ],
    )
    if found:
        folder = os.path.dirname(found[0]["filepath"])
        raise CocoMaskError(
            f"{folder} holds images of the dataset itself; give another output_dir"
        )
