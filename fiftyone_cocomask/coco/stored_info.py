"""What of an export's own facts a dataset's one document, and a sample's, can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..errors import ExportError
from ..words import shortened
from .records import Category, ImageRecord

# MongoDB's documents have at most 2^24 bytes. A dataset's holds its fields, its classes
# in several lists, and the report as well.
_MAX_INFO_BYTES = 6_000_000
_MAX_CLASS_BYTES = 5_000_000
_CLASS_LISTS = 5
# What a sample keeps beside its labels.
_MAX_FACTS_BYTES = 2_000_000
_MAX_TAGS = 1000
_MAX_NAME = 1000
# Documents are larger than JSON: each entry of a list has its number.
_FACTOR = 1.3
_CLASS_BYTES = 20

_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY: dict[str, Any] = {"licenses": [], "info": {}, "categories": [], "header": ""}


def check_classes(name: str, categories: list[Category]) -> None:
    """Checks that a dataset can list the classes of an export.

    Args:
        name: the export's name
        categories: its categories in use

    Raises:
        ExportError: if it cannot
    """
    size = sum(len(c.name.encode()) + _CLASS_BYTES for c in categories)
    if _CLASS_LISTS * size > _MAX_CLASS_BYTES:
        raise ExportError(
            f"{shortened(name)} has {len(categories):,} classes in use, whose names "
            f"take {_megabytes(size)}; a dataset can list "
            f"{_megabytes(_MAX_CLASS_BYTES / _CLASS_LISTS)} of them"
        )


def fit_info(splits: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, bool]]:
    """Leaves out of the splits' facts what is too large, the largest first.

    What the text of the header has as well goes first.

    Args:
        splits: the facts of each split; changed in place

    Yields:
        the split, the key that was left out, and whether the header has it still
    """
    sizes = {
        (split, key): _FACTOR * len(msgspec.json.encode(facts[key]))
        for split, facts in splits.items()
        for key in _EMPTY
    }
    total = sum(sizes.values())
    by_size = sorted(sizes, key=lambda place: (place[1] == "header", -sizes[place]))
    for split, key in by_size:
        if total <= _MAX_INFO_BYTES:
            return
        total -= sizes[split, key]
        splits[split][key] = type(_EMPTY[key])()
        header = splits[split]["header"]
        yield split, key, bool(header) and key in _parts.decode(header)


def fit_facts(record: ImageRecord) -> str | None:
    """Leaves out of an image's own facts what is too large for a sample.

    Returns:
        what was left out, as the end of a sentence; None for nothing
    """
    left_out = []
    size = len((record.original or "").encode())
    if size > _MAX_FACTS_BYTES:
        record.original = None
        left_out.append(f"{_megabytes(size)} of keys")
    tags = [tag for tag in record.user_tags if len(tag) <= _MAX_NAME][:_MAX_TAGS]
    if len(tags) < len(record.user_tags):
        left_out.append(f"{len(record.user_tags) - len(tags):,} tags")
        record.user_tags = tags
    if len(record.source_name) > _MAX_NAME:
        left_out.append("the middle of its source's name")
        record.source_name = shortened(record.source_name, _MAX_NAME)
    record.stored_bytes += len((record.original or "").encode())
    record.stored_bytes += sum(len(tag.encode()) for tag in record.user_tags)
    return " and ".join(left_out) or None


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
