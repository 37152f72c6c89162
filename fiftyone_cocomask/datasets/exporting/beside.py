"""Whether images, or files to write, lie in the folder of an export."""

from __future__ import annotations

import os
from contextlib import suppress

from ...fiftyone_types import SampleCollection
from ..documents import Document, aggregate_documents, root_dataset
from ..import_base.info import export_info

_JSON_END = ".coco.json"


def export_folders(samples: SampleCollection) -> list[str]:
    """Returns the folders of images that lie in an export, sorted.

    Those beside a COCO JSON or below one, and those in the folder that the dataset was
    imported from.
    """
    # MongoDB finds them: they are few, of perhaps millions of images.
    folder = {"$regexFind": {"input": "$filepath", "regex": r"(?s)^.*[/\\]"}}
    stages: list[Document] = [
        {"$project": {"folder": folder}},
        {"$group": {"_id": "$folder.match"}},
    ]
    found = aggregate_documents(samples, stages)
    folders = {os.path.dirname(row["_id"]) for row in found if row["_id"]}
    source = _source(samples)
    return sorted(folder for folder in folders if _is_of_export(folder, source))


def lies_in_export(samples: SampleCollection, folder: str) -> bool:
    """Whether a folder lies in an export, as those of :func:`export_folders` do."""
    return _is_of_export(os.path.normpath(folder), _source(samples))


def _source(samples: SampleCollection) -> str | None:
    """Returns where the dataset was imported from, if it was."""
    path = export_info(root_dataset(samples)).get("path")
    return path if isinstance(path, str) else None


def _is_of_export(folder: str, source: str | None) -> bool:
    if source is not None and _is_below(folder, source):
        return True
    return any(_has_json(place) for place in (folder, os.path.dirname(folder)))


def _is_below(folder: str, source: str) -> bool:
    source = os.path.realpath(source)
    source = source if os.path.isdir(source) else os.path.dirname(source)
    real = os.path.realpath(folder)
    return real == source or real.startswith(os.path.join(source, ""))


def _has_json(folder: str) -> bool:
    with suppress(OSError), os.scandir(folder) as entries:
        return any(entry.name.endswith(_JSON_END) for entry in entries)
    return False
