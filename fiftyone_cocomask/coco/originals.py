"""What an export's JSON says beyond what samples and labels hold, for writing it back.

Most of an entry comes back from the fields of its sample or label. What does not
(keys of the image's own, ids written as text, an area that is not a number, attributes
that could not keep their names) is kept beside them as JSON text, which nothing
interprets; nearly every label needs none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from .attributes import original_value, safe_attributes
from .document import Raw, decode
from .records import Box

# Text of a JSON's unknown top-level keys beyond this is left out, and reported.
MAX_HEADER_BYTES = 2**21

ANNOTATION_KEYS = frozenset(
    {"id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd"}
)
_RLE_KEYS = frozenset({"size", "counts"})
_HEADER_KEYS = frozenset({"info", "licenses", "categories"})
_object_decoder = msgspec.json.Decoder(dict[str, Raw])


@dataclass(slots=True)
class Origin:
    """Where an attribute of a label stood in its annotation.

    Attributes:
        name: its name there
        nested: whether it was in the object ``attributes``
    """

    name: str
    nested: bool = False


@dataclass(slots=True)
class AnnotationForm:
    """How the annotations of a split are written, as the first of each kind is.

    Attributes:
        has_iscrowd: whether they have ``iscrowd``
        has_nested: whether they have an object ``attributes``
        has_places: whether their places in the JSON's list are kept
        origins: by the name that an attribute has on a label, where it stood
    """

    has_iscrowd: bool | None = None
    has_nested: bool | None = None
    has_places: bool = False
    origins: dict[str, Origin] = field(default_factory=dict)

    def copy(self) -> AnnotationForm:
        """Returns a form of its own that is the same so far."""
        return replace(self, origins=dict(self.origins))

    def join(self, other: AnnotationForm) -> bool:
        """Takes over what the annotations that come next are the first to have.

        Args:
            other: their form, which began as what this one was some time ago

        Returns:
            whether they could be read so: not if another one was the first meanwhile,
            and is written in another way
        """
        for ours, theirs in (
            (self.has_iscrowd, other.has_iscrowd),
            (self.has_nested, other.has_nested),
        ):
            if ours is not None and theirs is not None and ours is not theirs:
                return False
        for name, origin in other.origins.items():
            if self.origins.get(name, origin) != origin:
                return False
        if self.has_iscrowd is None:
            self.has_iscrowd = other.has_iscrowd
        if self.has_nested is None:
            self.has_nested = other.has_nested
        self.has_places |= other.has_places
        self.origins = {**self.origins, **other.origins}
        return True

    def to_dict(self) -> dict[str, Any]:
        """Returns the form as JSON holds it."""
        return {
            "has_iscrowd": self.has_iscrowd,
            "has_nested": self.has_nested,
            "has_places": self.has_places,
            "origins": {k: [o.name, o.nested] for k, o in self.origins.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AnnotationForm:
        """Returns the form that :meth:`to_dict` gave."""
        origins = values.get("origins") or {}
        return cls(
            values.get("has_iscrowd"),
            values.get("has_nested"),
            bool(values.get("has_places")),
            {name: Origin(*origin) for name, origin in origins.items()},
        )


def header_text(parts: Mapping[str, Raw]) -> tuple[str, list[str]]:
    """Returns all of a JSON's top level but its images and annotations, as JSON text.

    Args:
        parts: the values of the top-level object but those two, undecoded

    Returns:
        the text, and the names of keys that are too large to be kept
    """
    kept: dict[str, Raw] = {}
    left_out = []
    size = 0
    # COCO's own keys are not left out because of others.
    for name in sorted(parts, key=lambda name: name not in _HEADER_KEYS):
        size += len(bytes(parts[name]))
        if size > MAX_HEADER_BYTES:
            left_out.append(name)
            size -= len(bytes(parts[name]))
        else:
            kept[name] = parts[name]
    ordered = {name: kept[name] for name in parts if name in kept}
    return msgspec.json.encode(ordered).decode(), left_out


def image_original(
    entry: Raw,
    values: Mapping[str, Any],
    size: tuple[int, int],
    *,
    counted: tuple[int, int] | None,
    orientation: int,
) -> str | None:
    """Returns what an image's entry says beyond its sample's fields, as JSON text.

    Args:
        entry: the entry, undecoded
        values: the same, decoded
        size: the width and height of the file as it is shown
        counted: the width and height that coordinates count, where they were scaled or
            turned to fit the file, so that the entry's are not to be written again
        orientation: the EXIF orientation that the coordinates were turned by, else 1

    Returns:
        the text of an object with ``rest``, the keys and values; ``without``, the
        usual keys that it lacks; ``orientation``; and ``counted``, where areas of the
        entry's are not areas of the file's; None where it has none of them
    """
    is_fitted = counted is not None
    parts = _parts(entry, values)
    sizes = {"width": size[0], "height": size[1]}
    rest = {}
    for key, part in parts.items():
        if key in sizes:
            if is_fitted or _is_number(values[key], sizes[key]):
                continue
        elif key == "id":
            if _is_usual_id(values[key]):
                continue
        elif key == "file_name" and isinstance(values[key], str):
            continue
        rest[key] = part
    kept: dict[str, Any] = {}
    if rest:
        kept["rest"] = rest
    if not is_fitted and not sizes.keys() <= parts.keys():
        kept["without"] = sorted(sizes.keys() - parts.keys())
    if orientation != 1:
        kept["orientation"] = orientation
    if counted is not None and math.prod(counted) != math.prod(size):
        kept["counted"] = counted
    return msgspec.json.encode(kept).decode() if kept else None


def annotation_original(
    entry: Raw,
    values: Mapping[str, Any],
    box: Box | None,
    size: tuple[int, int] | None,
    has_area: bool,
    attributes: Mapping[str, Any],
    form: AnnotationForm,
    place: int | None = None,
) -> str | None:
    """Returns what an annotation says beyond its label's fields, as JSON text.

    Args:
        entry: the annotation, undecoded
        values: the same, decoded
        box: its box as it is kept, in pixels of the JSON
        size: the width and height that the box is divided by; None where coordinates
            were turned or scaled
        has_area: whether its label has its area
        attributes: its attributes as the label has them
        form: the form of its split; takes what this annotation is the first to have
        place: its place among the annotations, if it is to be kept

    Returns:
        the text of an object, None where nothing is to be kept
    """
    kept: dict[str, Any] = {}
    if place is not None:
        kept["place"] = place
        form.has_places = True
    identifier = values.get("id")
    if identifier is not None and not _is_usual_id(identifier):
        kept["id"] = identifier
    if not has_area and "area" in values:
        kept["area"] = values["area"]
    bbox, segmentation = values.get("bbox"), values.get("segmentation")
    rle = segmentation if type(segmentation) is dict else None
    if box is not None and size is not None and not _is_restored(box, size):
        if isinstance(bbox, list) and tuple(bbox) == box:
            kept["bbox"] = bbox
    elif box is None and size is not None and rle is not None and _is_box(bbox):
        # An RLE without foreground, and a box without extent: no box comes of either.
        kept["empty_bbox"] = bbox
    if rle is not None and type(rle.get("counts")) is list:
        kept["counts"] = "list"
    if rle is not None and rle.keys() - _RLE_KEYS:
        kept["rle"] = {k: v for k, v in rle.items() if k not in _RLE_KEYS}
    has_iscrowd = "iscrowd" in values or "is_crowd" in values
    if form.has_iscrowd is None:
        form.has_iscrowd = has_iscrowd
    if has_iscrowd is not form.has_iscrowd:
        kept["has_iscrowd"] = has_iscrowd
    if len(values) != len(ANNOTATION_KEYS) or not values.keys() <= ANNOTATION_KEYS:
        nested = type(values.get("attributes")) is dict
        if form.has_nested is None:
            form.has_nested = nested
        if nested is not form.has_nested or not _fits(values, attributes, form):
            kept["rest"] = {
                key: part
                for key, part in _parts(entry, values).items()
                if key not in ANNOTATION_KEYS and key != "is_crowd"
            }
    elif form.has_nested:
        kept["rest"] = {}
    elif form.has_nested is None:
        form.has_nested = False
    return msgspec.json.encode(kept).decode() if kept else None


def split_attributes(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the attributes of an annotation in ``attributes``, and those beside it.

    What is in both is the one beside it: a label has each name once.
    """
    beside = {
        key: value
        for key, value in values.items()
        if key not in ANNOTATION_KEYS and key != "is_crowd"
    }
    nested = beside.get("attributes")
    if not isinstance(nested, dict):
        return {}, beside
    del beside["attributes"]
    return nested, beside


def attributes_of(
    label: Mapping[str, Any],
    rest: dict[str, Any] | None,
    form: AnnotationForm,
    *,
    are_changed: bool = False,
) -> dict[str, Any]:
    """Returns the attributes of an annotation as it had them, with a person's changes.

    Args:
        label: the label's document
        rest: what was kept of the annotation, if it is not in its split's form
        form: the split's form
        are_changed: whether a person has changed attributes, so that those which the
            label lacks were taken away

    Returns:
        keys and values of the annotation, ``attributes`` among them if it had that
    """
    if rest is None:
        beside: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        for stored, origin in form.origins.items():
            if stored in label:
                kept = nested if origin.nested else beside
                kept[origin.name] = original_value(label[stored])
        return {"attributes": nested, **beside} if form.has_nested else beside
    was_nested, was_beside = split_attributes(rest)
    renamed: dict[str, str] = {}
    stored_values = safe_attributes({**was_nested, **was_beside}, renamed)
    result: dict[str, Any] = {}
    for key, values in (("attributes", was_nested), (None, was_beside)):
        current = {}
        for name, value in values.items():
            own = renamed.get(name, name)
            stored = _moved_to(own, name, label, form)
            if are_changed and stored not in label and stored_values[own] is not None:
                continue
            changed = stored in label and label[stored] != stored_values[own]
            overridden = key is not None and name in was_beside
            current[name] = (
                original_value(label[stored]) if changed and not overridden else value
            )
        if key is None:
            result.update(current)
        elif isinstance(rest.get("attributes"), dict):
            result[key] = current
    return result


def known_attributes(rest: dict[str, Any] | None, form: AnnotationForm) -> set[str]:
    """Returns the names of a label's attributes that :func:`attributes_of` writes."""
    if rest is None:
        return set(form.origins)
    nested, beside = split_attributes(rest)
    flat = {**nested, **beside}
    own = set(safe_attributes(flat, {}))
    names = own | flat.keys()
    return own | {s for s, origin in form.origins.items() if origin.name in names}


def _moved_to(
    stored: str, name: str, label: Mapping[str, Any], form: AnnotationForm
) -> str:
    """Returns where a label has an attribute that did not fit the field of its name."""
    if stored in label:
        return stored
    for other, origin in form.origins.items():
        if other in label and origin.name in (stored, name):
            return other
    return stored


def _fits(
    values: Mapping[str, Any], attributes: Mapping[str, Any], form: AnnotationForm
) -> bool:
    """Whether attributes can be written from a label's by a split's form alone."""
    nested, beside = split_attributes(values)
    if nested.keys() & beside.keys():
        return False
    renamed: dict[str, str] = {}
    flat = {**nested, **beside}
    if attributes.keys() != flat.keys():
        safe_attributes(flat, renamed)
    for name, value in flat.items():
        stored = renamed.get(name, name)
        if not _is_same(original_value(attributes.get(stored)), value):
            return False
        origin = form.origins.setdefault(stored, Origin(name, name not in beside))
        if origin.name != name or origin.nested is (name in beside):
            return False
    return True


def _is_same(stored: Any, value: Any) -> bool:
    return type(stored) is type(value) and stored == value


def _is_usual_id(identifier: Any) -> bool:
    """Whether a database keeps an id as it is: others are kept as text."""
    return type(identifier) is int and -(2**63) <= identifier < 2**63


def _is_number(value: Any, number: int) -> bool:
    return type(value) in (int, float) and value == number


def _is_box(bbox: Any) -> bool:
    """Whether a value is four finite numbers."""
    return (
        isinstance(bbox, list)
        and len(bbox) == 4
        and all(type(number) in (int, float) for number in bbox)
        and all(map(math.isfinite, bbox))
    )


def _is_restored(box: Box, size: tuple[int, int]) -> bool:
    """Whether a box comes back from its relative one, rounded to nine decimals."""
    width, height = size
    left, top, wide, high = box
    return (
        round(left / width * width, 9) == left
        and round(top / height * height, 9) == top
        and round(wide / width * width, 9) == wide
        and round(high / height * height, 9) == high
    )


def box_original(bbox: Sequence[int | float]) -> str:
    """Returns :func:`annotation_original` where only the box does not come back."""
    return msgspec.json.encode({"bbox": bbox}).decode()


def are_restored(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns which boxes come back from their relative ones.

    Args:
        boxes: x, y, width and height of each, all below a million
        sizes: the widths and heights that they are divided by
    """
    scale = np.hstack([sizes, sizes])
    # As exact as `round`: products of this size have no error that could tell.
    rounded = np.rint(boxes / scale * scale * 1e9) / 1e9
    restored: np.ndarray = (rounded == boxes).all(axis=1)
    return restored


def _parts(entry: Raw, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of an object as they are spelled, else as they were read."""
    try:
        return _object_decoder.decode(entry)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {key: decode(Raw(msgspec.json.encode(v))) for key, v in values.items()}
