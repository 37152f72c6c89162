"""What of a label the export says, and what is the label's own.

Args of these functions are documents of labels: ``label`` of one that is there, and
``other`` of what the export says in its place; ``names`` are those of the export's own
attributes, ``own`` the keys that are a person's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..import_base.digests import Document
from .conflicts import untagged

# What an export says and no person changes; the rest of what it writes is content.
_FACTS = (
    "coco_id",
    "coco_id_text",
    "coco_category_id",
    "coco_category_id_text",
    "supercategory",
    "annotated_area",
    "coco_original",
    "outline_iou",
)
_CONTENT = ("label", "points", "closed", "filled", "rle", "bounding_box", "iscrowd")
# The keys of the shape of a polyline, and of a detection.
SHAPE = frozenset({"points", "closed", "filled", "rle", "outline_iou"})
BOX = frozenset({"bounding_box", "mask", "mask_path"})
# What a label keeps whatever the export says.
_OWN = ("_id", "_cls", "tags", "attributes")
# All that an import writes on a label, but for the export's own attributes.
WRITTEN = frozenset({*_FACTS, *_CONTENT, *_OWN})


def says(label: Document | None, other: Document | None, names: Sequence[str]) -> bool:
    """Whether a label says exactly what the export says, and nothing more."""
    if label is None or other is None:
        return label is other
    if not other.items() <= label.items():
        return False
    if len(label) == len(other) + len(_OWN):
        return True
    more = (*names, *_FACTS)
    return not any(label.get(k) is not None and k not in other for k in more)


def with_content(label: Document, other: Document, names: Sequence[str]) -> Document:
    """Returns a label with all that the export says, and the rest its own."""
    outdated = {*_FACTS, *_CONTENT, *names, "mask", "mask_path"}
    kept = {k: v for k, v in label.items() if k not in outdated or k in _OWN}
    return _same_or(label, untagged({**kept, **said(other)}))


def with_own(
    label: Document, other: Document, names: Sequence[str], own: Collection[str]
) -> Document:
    """Returns a label with all that the export says, except for keys that it keeps."""
    said_of_it = with_content(label, other, names)
    merged = {k: v for k, v in said_of_it.items() if k not in own}
    return _same_or(label, {**merged, **{k: label[k] for k in own if k in label}})


def with_facts(label: Document, other: Document, names: Sequence[str]) -> Document:
    """Returns a label with the export's facts, and the rest its own."""
    own = {*_CONTENT, *names}
    facts = {k: v for k, v in said(other).items() if k not in own}
    kept = {k: v for k, v in label.items() if k not in _FACTS}
    return _same_or(label, {**kept, **facts})


def said(other: Document) -> Document:
    """Returns what an export says in a label document."""
    return {k: v for k, v in other.items() if k not in _OWN}


def _same_or(label: Document, merged: Document) -> Document:
    return label if merged == label else merged
