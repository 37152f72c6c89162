"""What there is to see of one sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .issues import SampleIssue
from .pictures import Pictures


class MaskState(str, Enum):
    """Whether a sample's mask can be shown."""

    SHOWN = "shown"
    NONE = "none"
    """The sample has no mask in the field."""
    UNREADABLE = "unreadable"
    """Its file is missing or is not a mask."""
    NO_FIELD = "no_field"
    """The dataset has no field of masks."""


@dataclass(frozen=True, slots=True)
class ClassArea:
    """What one class covers in a sample.

    Attributes:
        name: the class
        value: its value in the mask, None where values are not classes
        objects: how many objects it has, None where there are no objects
        px: the area of its objects, each counted alone, None where there are none
        visible_px: its pixels in the mask, None if not counted
        ratio: these, or else ``px``, as a share of the image's pixels
    """

    name: str
    value: int | None
    objects: int | None
    px: int | None
    visible_px: int | None
    ratio: float


@dataclass(frozen=True, slots=True)
class ObjectArea:
    """What one object covers.

    Attributes:
        label_id: the id of its label
        name: the annotation's id in the export, else its place in the list, from 1
        label: its class
        px: its area, None if it has no geometry
        visible_px: what is left of it after overlap, None if it is not in the mask or
            not counted
        ratio: its area as a share of the image's pixels
        issues: what searches for mask issues have found of it
    """

    label_id: str
    name: str
    label: str
    px: int | None
    visible_px: int | None
    ratio: float
    issues: tuple[str, ...] = ()

    @property
    def is_hidden(self) -> bool:
        """Whether it is in the mask without a visible pixel."""
        return self.visible_px == 0


@dataclass(slots=True)
class SampleInspection:
    """Everything there is to see of a sample.

    Attributes:
        sample_id: the sample
        filepath: its image
        mask_field: the field of the mask, None if the dataset has none
        label_field: the field of the objects, None if the dataset has none
        size: the image's (width, height) in pixels, None if it cannot be read
        state: whether the mask can be shown
        problem: why the mask cannot be shown, a sentence, or None
        foreground_px: the mask's pixels that are not 0, None without a mask
        coverage: these as a share of all of the mask's pixels
        overlap_px: the pixels under two or more objects, None if not counted
        pictures: image, mask, overlay and cut-out
        classes: the classes, the greatest first
        objects: the objects, the greatest first
        issues: the import's issues, errors first
        notes: what else a person should know, a sentence each
    """

    sample_id: str
    filepath: str
    mask_field: str | None
    label_field: str | None
    size: tuple[int, int] | None = None
    state: MaskState = MaskState.SHOWN
    problem: str | None = None
    foreground_px: int | None = None
    coverage: float | None = None
    overlap_px: int | None = None
    pictures: Pictures = field(default_factory=Pictures)
    classes: list[ClassArea] = field(default_factory=list)
    objects: list[ObjectArea] = field(default_factory=list)
    issues: list[SampleIssue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def hidden(self) -> list[ObjectArea]:
        """The objects without a visible pixel."""
        return [item for item in self.objects if item.is_hidden]
