"""What counts as an issue of a mask, and the rules that need one image only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import blake2b
from typing import Any, ClassVar

import numpy as np

from ...errors import CocoMaskError
from ...geometry.objects import Canvas, MaskObject, Patch
from ..labels import LabelObject
from ..measuring.measure import LabelFigures

# A side this long, in pixels, can be told from a rounded one.
_MIN_SIDE = 3
# The cosine of an angle that still passes as a right one: about 1 degree off.
_RIGHT_ANGLE = 0.02


class MaskIssue(str, Enum):
    """The issues that :func:`find_mask_issues` finds."""

    EMPTY = "empty"
    TINY = "tiny"
    HUGE = "huge"
    CUT_BY_EDGE = "cut_by_edge"
    HIDDEN = "hidden"
    RECTANGLE = "rectangle"
    DUPLICATE = "duplicate"
    TWO_CLASSES = "two_classes"
    CLASS_OUTLIER = "class_outlier"
    EMPTY_MASK = "empty_mask"
    COPY_AREA = "copy_area"

    @property
    def of_sample(self) -> bool:
        """Whether it is an issue of a sample, not of a label."""
        return self in (MaskIssue.EMPTY_MASK, MaskIssue.COPY_AREA)


@dataclass(frozen=True, slots=True)
class IssueLimits:
    """The numbers in the rules of issues.

    Attributes:
        tiny_px: a label of fewer pixels is tiny
        huge_share: a label of at least this share of its image is huge
        outlier_score: a modified z-score beyond which a label is an outlier
        min_class_size: a class of fewer labels has no outliers
        copy_tolerance: the largest deviation of a copy's coverage from the median of
            all copies, as a share of that median

    Raises:
        CocoMaskError: if one of them makes no rule
    """

    # The least and the most that each may be; None is no limit.
    BOUNDS: ClassVar[dict[str, tuple[float, float | None]]] = {
        "tiny_px": (0, None),
        "huge_share": (0, 1),
        "outlier_score": (0, None),
        "min_class_size": (1, None),
        "copy_tolerance": (0, None),
    }

    tiny_px: int = 16
    huge_share: float = 0.95
    outlier_score: float = 3.5
    min_class_size: int = 10
    copy_tolerance: float = 0.1

    def __post_init__(self) -> None:
        for name, (least, most) in self.BOUNDS.items():
            value = getattr(self, name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            # Written so that NaN is refused too.
            if not (is_number and value >= least and (most is None or value <= most)):
                bounds = f"{least} or more" if most is None else f"{least} to {most}"
                raise CocoMaskError(f"{name} must be {bounds}, not {value!r}")

    def to_dict(self) -> dict[str, Any]:
        """Returns the numbers by name."""
        return asdict(self)

    def definition(self, issue: MaskIssue) -> str:
        """Returns the rule of an issue in words."""
        return {
            MaskIssue.EMPTY: "The label has a geometry that covers no pixel",
            MaskIssue.TINY: f"The label covers fewer than {self.tiny_px} pixels",
            MaskIssue.HUGE: (
                f"The label covers {self.huge_share:.0%} of its image or more"
            ),
            MaskIssue.CUT_BY_EDGE: (
                "The label covers pixels at the edge of its image, so it may go on "
                "outside"
            ),
            MaskIssue.HIDDEN: "Other labels cover every pixel of the label",
            MaskIssue.RECTANGLE: (
                "The label is a rectangle, upright or rotated: perhaps a box that was "
                "exported as a mask"
            ),
            MaskIssue.DUPLICATE: (
                "The label covers the very pixels of an earlier one of the same class"
            ),
            MaskIssue.TWO_CLASSES: (
                "The label covers the very pixels of one of another class"
            ),
            MaskIssue.CLASS_OUTLIER: (
                "The label's share of its image is far from the median of its class: "
                "the modified z-score of its logarithm (Iglewicz and Hoaglin, by the "
                f"median absolute deviation) is beyond {self.outlier_score:g}; classes "
                f"of fewer than {self.min_class_size} labels are left out"
            ),
            MaskIssue.EMPTY_MASK: "The mask is all 0 though the image has labels",
            MaskIssue.COPY_AREA: (
                "The share of the image that is covered differs by more than "
                f"{self.copy_tolerance:.0%} from the median of all augmented copies of "
                "the same source image"
            ),
        }[issue]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is to be known of the pixels of one label drawn alone."""

    area: int
    touches_edge: bool
    is_rectangle: bool
    pixels: bytes


def label_issues(
    objects: list[LabelObject],
    figures: LabelFigures,
    canvas: Canvas,
    limits: IssueLimits,
) -> dict[int, set[MaskIssue]]:
    """Returns the issues of one image's labels.

    Args:
        objects: the labels that have a geometry
        figures: their areas
        canvas: draws them
        limits: the numbers in the rules

    Returns:
        the issues of each label that has some, by its index
    """
    found: dict[int, set[MaskIssue]] = {item.index: set() for item in objects}
    image_px = canvas.height * canvas.width
    seen: dict[bytes, list[LabelObject]] = {}
    for item in objects:
        shape = _shape(item.geometry, canvas)
        issues = found[item.index]
        if shape.area == 0:
            issues.add(MaskIssue.EMPTY)
            continue
        if shape.area < limits.tiny_px:
            issues.add(MaskIssue.TINY)
        if shape.area >= limits.huge_share * image_px:
            issues.add(MaskIssue.HUGE)
        if shape.touches_edge:
            issues.add(MaskIssue.CUT_BY_EDGE)
        if shape.is_rectangle:
            issues.add(MaskIssue.RECTANGLE)
        if figures.visible_px[item.index] == 0:
            issues.add(MaskIssue.HIDDEN)
        for other in seen.setdefault(shape.pixels, []):
            if other.label == item.label:
                issues.add(MaskIssue.DUPLICATE)
            else:
                issues.add(MaskIssue.TWO_CLASSES)
                found[other.index].add(MaskIssue.TWO_CLASSES)
        seen[shape.pixels].append(item)
    return {index: issues for index, issues in found.items() if issues}


def log_share_outliers(log_shares: np.ndarray, limits: IssueLimits) -> np.ndarray:
    """Returns which values of a class are outliers, by their modified z-score.

    ``0.6745 * (x - median) / MAD``, beyond 3.5 in either direction: Iglewicz and
    Hoaglin, "How to detect and handle outliers", 1993. Where more than half of the
    values are equal, so that the MAD is 0, there is no scale and no outlier.

    Args:
        log_shares: the logarithms of the labels' shares of their images
        limits: the numbers in the rule

    Returns:
        a bool array of the same length
    """
    if len(log_shares) < limits.min_class_size:
        return np.zeros(len(log_shares), bool)
    deviations = log_shares - np.median(log_shares)
    mad = np.median(np.abs(deviations))
    if mad == 0:
        return np.zeros(len(log_shares), bool)
    return np.abs(0.6745 * deviations / mad) > limits.outlier_score


def deviating_copies(shares: np.ndarray, limits: IssueLimits) -> np.ndarray:
    """Returns which of the copies of a source differ from their median coverage.

    Args:
        shares: the share of each copy that is covered
        limits: the numbers in the rule

    Returns:
        a bool array of the same length
    """
    median = np.median(shares)
    return np.abs(shares - median) > limits.copy_tolerance * median


def is_right_angled(ring: np.ndarray) -> bool:
    """Whether a ring is a rectangle, in any rotation, up to a degree.

    Args:
        ring: an array of shape (n, 2), closed or open
    """
    kept = ring[np.any(ring != np.roll(ring, 1, axis=0), axis=1)]
    if len(kept) != 4:
        return False
    sides = np.roll(kept, -1, axis=0) - kept
    lengths = np.hypot(*sides.T)
    if lengths.min() < _MIN_SIDE:
        return False
    cosines = (sides * np.roll(sides, -1, axis=0)).sum(axis=1)
    cosines /= lengths * np.roll(lengths, -1)
    return bool(np.abs(cosines).max() <= _RIGHT_ANGLE)


def _shape(geometry: MaskObject, canvas: Canvas) -> _Shape:
    patch = _trimmed(canvas.patch(geometry))
    height, width = patch.mask.shape
    area = patch.area
    fills_its_box = area == height * width and min(height, width) >= _MIN_SIDE
    rings = geometry.rings if not geometry.line_width else ()
    digest = blake2b(np.packbits(patch.mask).tobytes(), digest_size=16)
    digest.update(repr((patch.x, patch.y, height, width)).encode())
    return _Shape(
        area=area,
        touches_edge=patch.x == 0
        or patch.y == 0
        or patch.x + width == canvas.width
        or patch.y + height == canvas.height,
        is_rectangle=fills_its_box or (len(rings) == 1 and is_right_angled(rings[0])),
        pixels=digest.digest(),
    )


def _trimmed(patch: Patch) -> Patch:
    """Returns the part of a patch that its foreground needs."""
    rows = np.flatnonzero(patch.mask.any(axis=1))
    columns = np.flatnonzero(patch.mask.any(axis=0))
    if not len(rows):
        return Patch(patch.x, patch.y, patch.mask[:0, :0])
    top, left = int(rows[0]), int(columns[0])
    mask = patch.mask[top : rows[-1] + 1, left : columns[-1] + 1]
    return Patch(patch.x + left, patch.y + top, mask)
