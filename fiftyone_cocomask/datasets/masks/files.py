"""Where the mask files of a dataset's field go."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import fiftyone as fo
import numpy as np

from ..documents import Document, stream_documents
from ..folders import dataset_folder, safe_name


def default_mask_dir(dataset: fo.Dataset, mask_field: str) -> Path:
    """Returns the folder of a field's masks in the dataset's own folder."""
    return dataset_folder(dataset.name) / "masks" / safe_name(mask_field)


class MaskPaths:
    """Gives each sample of a dataset one mask file, and the same one each time.

    A file is ``<output_dir>/<split>/<file name without its last extension>.png``. Only
    the last extension goes, since augmented copies differ behind their common stem.
    Where two samples of the dataset would still share a file, also on a file system
    that ignores case, a hash of the image's path is put behind the name of each.

    Args:
        dataset: the whole dataset, also where only a view's masks are computed
        output_dir: the folder of all files
    """

    PATHS = ("filepath", "split")

    def __init__(self, dataset: fo.Dataset, output_dir: Path) -> None:
        self.output_dir = output_dir
        self._has_split = dataset.has_field("split")
        self._shared = self._shared_names(dataset)

    def path_of(self, document: Document) -> Path:
        """Returns the file of a sample.

        Args:
            document: the sample's document, with its ``filepath`` and ``split``
        """
        name = self._relative_name(document)
        if _hash(name.lower()) in self._shared:
            name += (
                "-" + blake2b(document["filepath"].encode(), digest_size=6).hexdigest()
            )
        return self.output_dir / f"{name}.png"

    def _relative_name(self, document: Document) -> str:
        # Not by pathlib, which takes four times as long, and this is done for all.
        name, _ = os.path.splitext(os.path.basename(document["filepath"]))
        stem = safe_name(name)
        split = document.get("split") if self._has_split else None
        return (
            f"{safe_name(split)}/{stem}" if isinstance(split, str) and split else stem
        )

    def _shared_names(self, dataset: fo.Dataset) -> set[int]:
        """Returns the hashes of the names that more than one sample has.

        Eight bytes a sample are kept while looking: names would take far more.
        """
        chunks = [
            np.array([_hash(self._relative_name(d).lower()) for d in batch], np.uint64)
            for batch in stream_documents(dataset, self.PATHS, batch_size=10_000)
        ]
        if not chunks:
            return set()
        hashes, counts = np.unique(np.concatenate(chunks), return_counts=True)
        return {int(value) for value in hashes[counts > 1]}


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
