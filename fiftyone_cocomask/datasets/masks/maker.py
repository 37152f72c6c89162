"""From the documents of samples to their masks: what each process does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bson

from ...errors import MaskFileError
from ..documents import Document
from ..labels import geometry_paths
from .drawing import MaskOptions, MaskResult, MaskTask, make_mask
from .files import MaskPaths


@dataclass(frozen=True, slots=True)
class MadeBatch:
    """What became of a batch.

    Attributes:
        results: those of its samples, up to the one that failed
        error: why that one failed, or None
    """

    results: list[MaskResult]
    error: MaskFileError | None = None


@dataclass(frozen=True, slots=True)
class MaskMaker:
    """Makes the masks of samples; it can be sent to another process.

    Attributes:
        label_field: the field of the objects
        mask_field: the field of the masks
        paths: where the files go, None for masks in the database
        overwrite: whether to replace what is not this field's
        options: what decides the pixels
    """

    label_field: str
    mask_field: str
    paths: MaskPaths | None
    overwrite: bool
    options: MaskOptions

    def paths_to_read(self, samples: Any) -> list[str]:
        """Returns the fields of a sample that :meth:`make_batch` needs."""
        return [
            "filepath",
            *(["split"] if samples.has_field("split") else []),
            "metadata.width",
            "metadata.height",
            f"{self.mask_field}._id",
            f"{self.mask_field}.mask_path",
            f"{self.mask_field}.fingerprint",
            f"{self.mask_field}.drawn.px",
            *geometry_paths(samples, self.label_field),
        ]

    def make_batch(self, encoded: list[bytes]) -> MadeBatch:
        """Makes the masks of some samples, given as BSON."""
        results: list[MaskResult] = []
        for data in encoded:
            try:
                results.append(self._make(bson.decode(data)))
            except MaskFileError as error:
                return MadeBatch(results, error)
        return MadeBatch(results)

    def _make(self, document: Document) -> MaskResult:
        reason = self._reason_to_skip(document)
        if reason is not None:
            return MaskResult(document["_id"], document["filepath"], skipped=reason)
        result = make_mask(self._task(document), self.options)
        if result.segmentation is None and result.skipped is None:
            drawn = document[self.mask_field].get("drawn") or {}
            result.unchanged_objects = sum(px is not None for px in drawn.get("px", []))
        return result

    def _reason_to_skip(self, document: Document) -> str | None:
        if not document.get(self.label_field):
            return f"it has no labels in '{self.label_field}'"
        metadata = document.get("metadata") or {}
        if not metadata.get("width") or not metadata.get("height"):
            return "the size of its image cannot be read"
        mask = document.get(self.mask_field)
        if mask and "fingerprint" not in mask and not self.overwrite:
            return (
                f"its mask in '{self.mask_field}' was not computed from labels; set "
                "overwrite to replace it"
            )
        return None

    def _task(self, document: Document) -> MaskTask:
        mask = document.get(self.mask_field) or {}
        path = self.paths.path_of(document) if self.paths else None
        owned = path is not None and mask.get("mask_path") == str(path)
        return MaskTask(
            sample_id=document["_id"],
            filepath=document["filepath"],
            label=document[self.label_field],
            width=document["metadata"]["width"],
            height=document["metadata"]["height"],
            path=path,
            may_replace=owned or self.overwrite,
            fingerprint=None if self.overwrite else mask.get("fingerprint"),
        )
