"""One annotation as a JSON has it -> its parts, each checked for itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..words import number_or_type, type_name
from .attributes import safe_attributes
from .categories import Categories
from .document import Raw, normal_id
from .issues import Action, IssueCode
from .originals import ANNOTATION_KEYS, split_attributes
from .records import Box, Category, CocoId
from .rotated_boxes import read_rotated_box
from .shapes import Shape, number_of, read_box, read_shape


@dataclass(slots=True)
class Draft:
    """An annotation that has been read and not yet judged.

    Attributes:
        raw: the annotation, undecoded
        values: the same, decoded
        coco_id: its id, if it has a usable one
        category_id: the id of its category
        category: its category
        iscrowd: 1 where it marks a crowd, else 0
        area: its ``area``, if that is a number
        box: its box, if that is usable
        shape: its segmentation
        attributes: what else it carries
        renamed: the new names of attributes that could not keep their own
        original: what else writing it back needs, as JSON text
        place: where in the JSON's list it is, if that is to be kept
        findings: code, message and action of what was found; the action is None where
            it depends on what is left in the end
    """

    raw: Raw
    values: dict[str, Any]
    coco_id: CocoId | None
    category_id: CocoId | None
    category: Category
    iscrowd: int
    area: float | None = None
    box: Box | None = None
    shape: Shape = field(default_factory=Shape)
    attributes: dict[str, Any] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    original: str | None = None
    place: int | None = None
    findings: list[tuple[IssueCode, str, Action | None]] = field(default_factory=list)

    def tell(self, code: IssueCode, message: str, action: Action | None) -> None:
        """Adds a finding."""
        self.findings.append((code, message, action))


def read_draft(raw: Raw, entry: dict[str, Any], categories: Categories) -> Draft:
    """Reads an annotation.

    Args:
        raw: the annotation, undecoded
        entry: the same, decoded
        categories: the categories of its split
    """
    category_id = normal_id(entry.get("category_id"))
    crowd = entry.get("iscrowd", 0)
    draft = Draft(
        raw,
        entry,
        normal_id(entry.get("id")),
        category_id,
        categories.get(category_id),
        crowd,
    )
    if type(crowd) is not int or not 0 <= crowd <= 1 or "is_crowd" in entry:
        draft.iscrowd = _read_crowd(entry, draft)
    if not categories.is_listed(category_id):
        what = repr(category_id)
        if category_id is None:
            what = number_or_type(entry.get("category_id"))
        draft.tell(
            IssueCode.UNKNOWN_CATEGORY,
            f"its category_id is {what}, which no category has; its label is "
            f"'{draft.category.name}'",
            Action.REPAIRED,
        )
    draft.area = _read_area(entry, draft)
    if entry.get("segmentation") or not _read_rotated_box(entry, draft):
        draft.box = read_box(entry.get("bbox"), draft.tell)
        draft.shape = read_shape(entry.get("segmentation"), draft.tell)
    if not entry.keys() <= ANNOTATION_KEYS:
        draft.attributes = _read_attributes(entry, draft)
    return draft


def _read_rotated_box(entry: dict[str, Any], draft: Draft) -> bool:
    """Reads the box of an annotation without segmentation if the box has an angle."""
    rotated = read_rotated_box(entry)
    if rotated is None:
        return False
    ring, draft.box, how = rotated
    draft.shape = Shape([ring])
    draft.tell(
        IssueCode.BOX_ROTATED,
        f"its box is {how}; its segmentation is that rectangle",
        Action.REPAIRED,
    )
    return True


def _read_area(entry: dict[str, Any], draft: Draft) -> float | None:
    area = entry.get("area")
    if type(area) is float and 0 <= area < 1e300:
        return area
    if "area" not in entry:
        return None
    number = number_of(area)
    if number is None or number < 0:
        draft.tell(
            IssueCode.AREA_INVALID,
            f"its area is {_value(area)}; expected a number of 0 or more",
            Action.KEPT,
        )
        return number
    if isinstance(area, str):
        draft.tell(
            IssueCode.AREA_INVALID, "its area is written as text", Action.REPAIRED
        )
    return number


def _read_crowd(entry: dict[str, Any], draft: Draft) -> int:
    """Returns 0 or 1 for whatever says so: ``"is_crowd": [0]`` was seen."""
    name = "iscrowd" if "iscrowd" in entry else "is_crowd"
    flag = entry[name]
    if isinstance(flag, list) and len(flag) == 1:
        flag = flag[0]
    number = int(flag) if isinstance(flag, bool) else number_of(flag)
    usable = number in (0, 1)
    draft.tell(
        IssueCode.ISCROWD_INVALID,
        f"it says '{name}': {_value(entry[name])}, which is "
        + (f"read as {number:g}" if usable else "neither 0 nor 1; it counts as 0"),
        Action.REPAIRED,
    )
    return int(number) if usable and number else 0


def _read_attributes(entry: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """Returns what an annotation carries beside COCO's own keys.

    CVAT puts its attributes into an object ``attributes``; they count as the others.
    """
    nested, beside = split_attributes(entry)
    return safe_attributes({**nested, **beside}, draft.renamed)


def _value(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        return f"[{_value(value[0])}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return type_name(value)
    return repr(value)[:40] if isinstance(value, str) else number_or_type(value)
