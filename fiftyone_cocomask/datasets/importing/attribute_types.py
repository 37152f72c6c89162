"""The annotations' own attributes: which fields they go to, and of what types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import fiftyone as fo

from ...coco.issues import Action, IssueCode
from ...coco.records import ImageRecord
from ...coco.report import ExportReport
from ..documents import declare_paths, has_any_sample, label_value_types
from ..import_base.info import known_info
from ..locks import changing_outline

_KeyT = TypeVar("_KeyT")

_FIELD_OF_TYPE: dict[type, type] = {
    bool: fo.BooleanField,
    int: fo.IntField,
    float: fo.FloatField,
    str: fo.StringField,
}
_TYPE_OF_BSON: dict[str, type] = {
    "bool": bool,
    "int": int,
    "long": int,
    "double": float,
    "string": str,
}
_TYPES = {kind.__name__: kind for kind in (bool, int, float, str, list, dict)}
# What is put behind an attribute's name where its own field has another type.
_SUFFIXES: dict[type, str] = {
    bool: "flag",
    int: "number",
    float: "number",
    str: "text",
    list: "list",
    dict: "object",
}


class KnownKinds(NamedTuple):
    """What is known of the annotations' own attributes.

    Attributes:
        kinds: what the values of each are
        moved: the new name of each that cannot have its own, by that and its type
        types: the types of the values of some images
    """

    kinds: dict[str, str]
    moved: dict[tuple[str, type], str]
    types: dict[str, set[type]]

    def packed(self) -> list[Any]:
        """Returns it as plain values, for another machine."""
        moved = [[old, kind.__name__, new] for (old, kind), new in self.moved.items()]
        types = {
            name: [kind.__name__ for kind in kinds]
            for name, kinds in self.types.items()
        }
        return [self.kinds, moved, types]

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> KnownKinds:
        """Returns what :meth:`packed` gave."""
        kinds, moved, types = values
        return cls(
            dict(kinds),
            {(old, _TYPES[kind]): new for old, kind, new in moved},
            {name: {_TYPES[kind] for kind in of} for name, of in types.items()},
        )


class AttributeTypes:
    """Gives the annotations' own attributes fields of their types as they pass by.

    A field that the dataset has with another type cannot hold a value: no sample could
    be read any more; and a field of several types ends some exports. The value goes to
    a field of another name then, and that is reported. Attributes are declared in the
    end, so that the App lists them and filters by them.

    Args:
        dataset: the dataset, in which all other fields are declared; None if there is
            none, for what would be done
        label_field: the field of the segmentations
        box_field: the field of the boxes

    Attributes:
        kinds: what the values of each attribute are that was not declared before
    """

    def __init__(
        self, dataset: fo.Dataset | None, label_field: str, box_field: str
    ) -> None:
        self.label_fields = (label_field, box_field)
        self._dataset = dataset
        self._paths = label_paths(label_field, box_field)
        self._types: dict[str, set[type]] = {}
        self._declared: dict[str, list[Any]] = {}
        # What the first value of an attribute was, which the dataset does not have.
        before = known_info(dataset, self.label_fields) if dataset is not None else {}
        self.kinds: dict[str, str] = dict(before.get("kinds") or {})
        # The new name of an attribute, by its own and the type of its value.
        self._moved: dict[tuple[str, type], str] = {}
        self._has_samples = dataset is not None and has_any_sample(dataset)

    @property
    def moved(self) -> dict[str, str]:
        """The names of the attributes that went to another field, by that field's."""
        return {new: old for (old, _), new in self._moved.items()}

    def add(self, record: ImageRecord) -> None:
        """Gives the attributes of an image's annotations the names of fields."""
        for annotation in record.annotations:
            if not annotation.attributes:
                continue
            named = {}
            for name, value in annotation.attributes.items():
                if value is not None:
                    name = self._field_name(name, value)
                    self._types.setdefault(name, set()).add(type(value))
                named[name] = value
            annotation.attributes = named

    def known(self) -> KnownKinds:
        """Returns what is known of attributes by now."""
        return KnownKinds(dict(self.kinds), dict(self._moved), {})

    def begin_at(self, known: KnownKinds) -> None:
        """Goes on from what was known when other images had been passed by."""
        self.kinds, self._moved = dict(known.kinds), dict(known.moved)
        self._types = {}

    def part(self) -> KnownKinds:
        """Returns what is known of attributes since :meth:`begin_at`."""
        return KnownKinds(self.kinds, self._moved, self._types)

    def fits(self, part: KnownKinds) -> bool:
        """Whether the attributes of the images that come next have the same names here.

        Args:
            part: what another process found in them, which began at what was known
                here some time ago
        """
        return _agree(self.kinds, part.kinds) and _agree(self._moved, part.moved)

    def join(self, part: KnownKinds) -> None:
        """Takes over what another process found in the images that come next."""
        self.kinds |= part.kinds
        self._moved |= part.moved
        for name, types in part.types.items():
            self._types.setdefault(name, set()).update(types)

    def declared(self) -> list[str]:
        """Returns what the dataset declares on labels: which names are free for what.

        Attributes have the same fields in other processes if this is the same there.
        """
        if self._dataset is None:
            return []
        schema = self._dataset.get_field_schema(flat=True)
        starts = tuple(f"{path}." for path in self._paths)
        return sorted(
            f"{path} {type(field).__name__} {type(inner).__name__}"
            for path, field in schema.items()
            if path.startswith(starts)
            for inner in [getattr(field, "field", None)]
        )

    def declare(self) -> None:
        """Declares the attributes that have one type in all of the dataset's labels."""
        new = [name for name in self._types if not self._fields(name)]
        fields = {}
        for path in self._paths:
            stored: dict[str, set[str]] = {}
            if self._has_samples:
                stored = label_value_types(self._dataset, path, new)
            for name in new:
                before = {
                    _TYPE_OF_BSON.get(kind, dict) for kind in stored.get(name, ())
                }
                field_type = _common_field(self._types[name] | before)
                if field_type is not None:
                    fields[f"{path}.{name}"] = field_type()
        if fields and self._dataset is not None:
            with changing_outline(self._dataset):
                declare_paths(self._dataset, fields)

    def report_moved(self, report: ExportReport) -> None:
        """Reports which attributes went to fields of other names."""
        for (old, kind), new in self._moved.items():
            report.add(
                IssueCode.ATTRIBUTE_RENAMED,
                f"attribute '{old}' is '{new}' where it is a {_SUFFIXES[kind]}: the "
                f"dataset's '{old}' is of another type",
                Action.REPAIRED,
            )

    def _field_name(self, name: str, value: Any) -> str:
        if self._takes(name, value):
            return name
        key = (name, type(value))
        if key not in self._moved:
            new = f"{name}_{_SUFFIXES[type(value)]}"
            while not self._takes(new, value):
                new += "_"
            self._moved[key] = new
        return self._moved[key]

    def _takes(self, name: str, value: Any) -> bool:
        fields = self._fields(name)
        if fields:
            return all(_takes(field, value) for field in fields)
        kind = _SUFFIXES[type(value)]
        return self.kinds.setdefault(name, kind) == kind

    def _fields(self, name: str) -> list[Any]:
        """Returns the fields of the dataset's labels of this name."""
        if self._dataset is None:
            return []
        if name not in self._declared:
            found = (self._dataset.get_field(f"{path}.{name}") for path in self._paths)
            self._declared[name] = [field for field in found if field is not None]
        return self._declared[name]


def _agree(ours: Mapping[_KeyT, str], theirs: Mapping[_KeyT, str]) -> bool:
    """Whether nothing that is in both is another."""
    return all(ours.get(key, value) == value for key, value in theirs.items())


def label_paths(label_field: str, box_field: str) -> tuple[str, str]:
    """Returns the paths of the labels of the two fields that an import writes."""
    return f"{label_field}.polylines", f"{box_field}.detections"


def _takes(field: Any, value: Any) -> bool:
    """Whether a field can hold a value, so that it is read as it was written."""
    kind = type(value)
    if isinstance(field, fo.FloatField):
        return kind in (int, float)
    if isinstance(field, fo.ListField):
        inner = field.field
        return kind is list and all(inner is None or _takes(inner, v) for v in value)
    if isinstance(field, fo.DictField):
        return kind is dict
    return type(field) is _FIELD_OF_TYPE.get(kind)


def _common_field(types: set[type]) -> type | None:
    if types == {int, float}:
        return fo.FloatField
    return _FIELD_OF_TYPE.get(next(iter(types))) if len(types) == 1 else None
