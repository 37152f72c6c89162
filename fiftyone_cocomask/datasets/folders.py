"""Folders of a dataset's own, and names that are safe in them."""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import fiftyone as fo

from ..errors import CocoMaskError
from .documents import dataset_id

_MAX_BYTES = 200


def dataset_folder(dataset_name: str) -> Path:
    """Returns the folder for files of a dataset, in FiftyOne's folder for them."""
    return Path(fo.config.default_dataset_dir) / safe_name(dataset_name)


def export_folder(dataset: fo.Dataset) -> Path:
    """Returns the folder for what is unpacked of a dataset's exports.

    It goes by the dataset's id: names change, and two of them can make one folder. It
    stays where it is when the dataset is renamed.
    """
    name = str(dataset_id(dataset))
    # What this user may not look into holds nothing that it could use.
    with suppress(OSError):
        for found in sorted(
            Path(fo.config.default_dataset_dir).glob(f"*/export/{name}")
        ):
            return found
    return dataset_folder(dataset.name) / "export" / name


def check_is_inside(place: Path, folder: Path) -> None:
    """Checks that what is written to a place below a folder is written there.

    Raises:
        CocoMaskError: if a link leads out of the folder
    """
    if not place.resolve().is_relative_to(folder.resolve()):
        raise CocoMaskError(f"{place} is a link that leads out of {folder}")


def safe_name(name: str) -> str:
    """Returns a name that is one plain component of a path on every system."""
    cleaned = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name).strip(". ")
    encoded = cleaned.encode("utf-8", "replace")
    if len(encoded) > _MAX_BYTES:
        tail = blake2b(encoded, digest_size=6).hexdigest()
        cleaned = encoded[: _MAX_BYTES - 20].decode("utf-8", "ignore") + "-" + tail
    return cleaned or "_"
