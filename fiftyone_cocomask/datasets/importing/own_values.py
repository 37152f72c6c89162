"""What people and other programs have put on samples beside an import's labels."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ..documents import Document
from ..field_names import IMPORT_FIELDS
from ..import_base.base import BASE_FIELD, SampleBase
from ..owned_fields import INFO_KEY
from .conflicts import CONFLICT_TAG
from .identity import OLD_COPY_TAG
from .label_contents import WRITTEN
from .samples import GONE_TAG, ImportRules
from .states import AnnotationState, annotation_states

# What every sample of FiftyOne has, and the tags and labels that are looked at anyway.
_OF_ALL_SAMPLES = frozenset(
    {"id", "filepath", "tags", "metadata", "created_at", "last_modified_at"}
)
# What merges themselves put on samples.
_MERGE_TAGS = frozenset({CONFLICT_TAG, GONE_TAG, OLD_COPY_TAG})
# What FiftyOne itself writes into documents.
_NO_VALUES = frozenset({"_cls", "_id", "id"})


def has_persons_work(document: Document, rules: ImportRules) -> bool:
    """Whether a person has changed, tagged or added anything on a sample.

    Args:
        document: the sample's document, with the fields of :attr:`ImportRules.paths`
        rules: how the import writes
    """
    base = SampleBase.from_document(document.get(BASE_FIELD), rules.base_fields)
    if base is None:
        return True
    given = {base.split, *base.user_tags, *rules.tags, *_MERGE_TAGS}
    if not given.issuperset(document.get("tags") or ()):
        return True
    lines = (document.get(rules.fields[0]) or {}).get("polylines") or []
    boxes = (document.get(rules.fields[1]) or {}).get("detections") or []
    base = base.with_names(rules.attributes)
    return any(map(_is_touched, annotation_states(base, lines, boxes)))


def _is_touched(state: AnnotationState) -> bool:
    is_tagged = any(label.get("tags") for label in state.labels)
    return state.base is None or state.is_changed or is_tagged


class OwnValues:
    """Tells whether a sample has values that neither imports nor this plugin wrote.

    A sample's labels of an import into other fields are such values too: the export
    that is imported now cannot bring them back.

    Args:
        dataset: the dataset
        rules: how the import writes

    Attributes:
        paths: the fields to read for it
    """

    def __init__(self, dataset: fo.Dataset, rules: ImportRules) -> None:
        keys = dataset.list_evaluations()
        self.paths = [
            field.db_field or name
            for name, field in dataset.get_field_schema().items()
            if name not in {*_OF_ALL_SAMPLES, *IMPORT_FIELDS, *rules.fields}
            and INFO_KEY not in (field.info or {})
            # Numbers of FiftyOne's evaluations, as of two fields of masks.
            and not any(name.startswith(f"{key}_") for key in keys)
        ]
        self._label_fields = rules.fields
        self._written = {*WRITTEN, *rules.attributes}
        self._written.update(
            path.rpartition(".")[2]
            for path, field in dataset.get_field_schema(flat=True).items()
            if path.partition(".")[0] in rules.fields and INFO_KEY in (field.info or {})
        )

    def are_in(self, document: Document) -> bool:
        """Whether a sample has any.

        Args:
            document: the sample, with its labels and the fields of :attr:`paths`
        """
        if any(_says_anything(document.get(path)) for path in self.paths):
            return True
        base = document.get(BASE_FIELD) or {}
        written = self._written.union(base.get("names") or ())
        return any(
            name not in written and _says_anything(value)
            for label in self._labels(document)
            for name, value in label.items()
        )

    def _labels(self, document: Document) -> list[Document]:
        lines, boxes = (document.get(name) or {} for name in self._label_fields)
        return [*(lines.get("polylines") or []), *(boxes.get("detections") or [])]


def _says_anything(value: Any) -> bool:
    """Whether a value is more than an empty document, list or text."""
    if isinstance(value, dict):
        said = (item for name, item in value.items() if name not in _NO_VALUES)
        return any(map(_says_anything, said))
    if isinstance(value, (list, str)):
        return bool(value)
    return value is not None
