"""What Roboflow's uploader makes of an export: its client's rules, and their traps.

The client (``roboflow`` on PyPI, ``util/folderparser.py``) looks for the split in the
whole path of an image, and takes only some kinds of files for images.
"""

from __future__ import annotations

import os
from functools import lru_cache

_SPLITS = ("valid", "train", "test")
_USUAL_FOLDERS = frozenset({"", "default", *_SPLITS})
_EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tiff", ".tif", ".avif", ".heic"}
)


def uploader_split(path: str) -> str:
    """Returns the split that the uploader puts an image in.

    Args:
        path: its path from the export's folder
    """
    stem = os.path.splitext(path)[0].lower()
    return next((name for name in _SPLITS if name in stem), "train")


def uploader_warning(name: str, split: str) -> str | None:
    """Returns what is to be said of an image, if the uploader does otherwise.

    Args:
        name: its file name in its split
        split: the split's folder, from that of the export; empty for that itself
    """
    if os.path.splitext(name)[1].lower() not in _EXTENSIONS:
        kind = os.path.splitext(name)[1] or "no extension"
        return f"Roboflow's uploader leaves out images with {kind}"
    meant = _split_meant(split)
    found = uploader_split(f"/{split}/{name}")
    if split not in _USUAL_FOLDERS:
        return (
            f"Roboflow's uploader knows the splits train, valid and test: it puts "
            f"'{split}' into {meant}"
        )
    if found != meant:
        return (
            "Roboflow's uploader reads the split from the whole path: it puts images "
            f"with '{found}' in their names into {found}"
        )
    return None


@lru_cache(maxsize=256)
def _split_meant(split: str) -> str:
    return uploader_split(f"/{split}/")
