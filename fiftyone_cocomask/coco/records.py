"""What an export holds, checked and ready to be imported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.outlines import Outline
from .issues import IssueCode

CocoId = int | str
Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Category:
    """A category of a split.

    Attributes:
        id: its id in the split's JSON; None for annotations that name no category
        name: the label of its annotations; no other category in use has it
        original_name: its name in the JSON
        supercategory: its supercategory, if the JSON says one
        used: whether any annotation of the export refers to it
    """

    id: CocoId | None
    name: str
    original_name: str
    supercategory: str | None = None
    used: bool = False


@dataclass(slots=True)
class Annotation:
    """One annotation, in pixels of its image's file as it is shown.

    Attributes:
        coco_id: its id, if it has one
        category_id: the id of its category as the JSON has it
        label: the name of its category
        supercategory: the category's supercategory
        iscrowd: 1 where it marks a crowd, else 0
        annotated_area: the JSON's ``area``, as found
        box: x, y, width and height; None if there is neither box nor segmentation
        rings: arrays of shape (n, 2), n >= 3; the object is the union of the rings
        rle: a checked, compressed RLE of the image's size; then it is the geometry
        attributes: what else it carries, under names and as values that FiftyOne
            can store
        issues: the codes of its issues
        original: what writing it back needs beside that, as JSON text
            (:mod:`.originals`)
        outline: what to show of the RLE where its own outline has too many vertices
    """

    coco_id: CocoId | None
    category_id: CocoId | None
    label: str
    supercategory: str | None
    iscrowd: int
    annotated_area: float | None
    box: Box | None
    rings: list[np.ndarray]
    rle: dict[str, Any] | None
    attributes: dict[str, Any]
    issues: list[IssueCode]
    original: str | None = None
    outline: Outline | None = None


@dataclass(slots=True)
class ImageRecord:
    """One image that can become a sample, with its annotations.

    Attributes:
        split: the split's name
        coco_id: its id in the split's JSON
        file_name: its file name in the JSON
        path: the file, absolute, with no links in it
        width: the width of the file as it is shown (EXIF applied), in pixels
        height: its height
        num_channels: the number of channels of the file
        size_bytes: the size of the file
        mime_type: the type that its name says
        user_tags: Roboflow's ``extra.user_tags``
        source_name: the image before Roboflow's augmentation
        annotations: those that are in the dataset afterwards
        issues: the codes of the image's own issues and its dropped annotations'
        original: what else the JSON says of it, as JSON text (:mod:`.originals`)
        stored_bytes: about how much of the database its annotations will take
        source_key: what the copies of its source have in common; None for no copy
        fingerprint: tells its file from others, if the reader was asked for that
    """

    split: str
    coco_id: CocoId
    file_name: str
    path: Path
    width: int
    height: int
    num_channels: int
    size_bytes: int
    mime_type: str
    user_tags: list[str]
    source_name: str
    annotations: list[Annotation] = field(default_factory=list)
    issues: list[IssueCode] = field(default_factory=list)
    original: str | None = None
    stored_bytes: int = 0
    source_key: str | None = None
    fingerprint: str | None = None

    def all_issue_codes(self) -> Iterator[IssueCode]:
        """Yields the codes of the image and of its annotations; some repeatedly."""
        yield from self.issues
        for annotation in self.annotations:
            yield from annotation.issues
