"""What an import would do to a dataset, counted for a form."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import fiftyone as fo

from ...choices import ConflictRule, OldCopies
from ...coco.merge_counts import MergeCounts
from ..import_base.base import DEFAULT_FIELDS, Fields
from .opening import open_export
from .samples import ImportRules
from .schema import check_schema
from .writer import SampleWriter


def preview_merge(
    path: str | Path,
    dataset: fo.Dataset,
    *,
    image_dir: str | Path | None = None,
    splits: Sequence[str] | None = None,
    fields: Fields = DEFAULT_FIELDS,
    tags: Sequence[str] = (),
    conflicts: ConflictRule = "keep",
    old_copies: OldCopies = "tag",
    every: float = 0.25,
) -> Generator[tuple[MergeCounts, int | None, int], None, None]:
    """Counts what merging an export into a dataset would do.

    Args:
        path: the export
        dataset: the dataset
        image_dir: where the images are, if not in the export
        splits: the splits to import; all by default
        fields: the fields of segmentations and of boxes
        tags: the tags that every sample gets
        conflicts: whose version stays in conflicts
        old_copies: what becomes of older copies of images that were augmented again
        every: after how many seconds the numbers so far are yielded

    Yields:
        the numbers, the number of images that they are about, and that of all; None of
        the former at the end. What is gone is only known then

    Raises:
        CocoMaskError: if the export cannot be read, or the dataset does not fit
    """
    check_schema(dataset, *fields)
    with open_export(
        path, dataset, fields, image_dir=image_dir, splits=splits
    ) as reader:
        total = reader.num_images
        rules = ImportRules(fields, list(tags), conflicts)
        writer = SampleWriter(dataset, reader, rules, lock=None)
        said = time.monotonic()
        for number, record in enumerate(reader.images(), start=1):
            writer.add(record)
            if time.monotonic() - said > every and number < total:
                writer.flush()
                yield replace(writer.counts), number, total
                said = time.monotonic()
        writer.finish(old_copies)
    yield writer.counts, None, total
