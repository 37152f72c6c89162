"""What counts as an issue of a mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, ClassVar

from ...arguments import is_number, shown, without_numpy
from ...errors import CocoMaskError


class MaskIssue(str, Enum):
    """The issues that :func:`find_mask_issues` finds."""

    EMPTY = "empty"
    TINY = "tiny"
    HUGE = "huge"
    HIDDEN = "hidden"
    RECTANGLE = "rectangle"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    TWO_CLASSES = "two_classes"
    CONTAINED = "contained"
    SELF_CROSSING = "self_crossing"
    SPIKE = "spike"
    STRAY_PART = "stray_part"
    COARSE = "coarse"
    OUTSIDE = "outside"
    UNFILLED = "unfilled"
    BOX_ONLY = "box_only"
    CLASS_OUTLIER = "class_outlier"
    IDS_DIFFER = "ids_differ"
    EMPTY_MASK = "empty_mask"
    COPY_AREA = "copy_area"
    LEAK = "leak"

    @property
    def of_sample(self) -> bool:
        """Whether it is an issue of a sample, not of a label."""
        return self in (MaskIssue.EMPTY_MASK, MaskIssue.COPY_AREA, MaskIssue.LEAK)

    @property
    def of_image(self) -> bool:
        """Whether an image alone tells of it, without the others of the dataset."""
        return self not in (
            MaskIssue.CLASS_OUTLIER,
            MaskIssue.COARSE,
            MaskIssue.COPY_AREA,
            MaskIssue.LEAK,
        )


# Labels and samples with this tag have been looked at by a person, and are right.
CHECKED = "checked"
# Issues of earlier versions, whose tags and views a search still takes away.
RETIRED_ISSUES = ("cut_by_edge",)
_NAMES = frozenset({*(issue.value for issue in MaskIssue), *RETIRED_ISSUES})


def search_of_tag(tag: Any) -> str | None:
    """Returns the key of the search that sets a tag; None of other tags."""
    key, _, name = str(tag).partition(":")
    return key if name in _NAMES else None


@dataclass(frozen=True, slots=True)
class IssueLimits:
    """The numbers in the rules of issues.

    Attributes:
        tiny_px: a label of fewer pixels is tiny
        huge_share: a label of at least this share of its image is huge
        near_iou: the mask IoU from which two labels of one class are near duplicates
        near_iou_across: the same for two labels of different classes
        contained_share: a label is contained if at least this share of its pixels lies
            in another label of its class
        spike_degrees: an angle below this many degrees between two long sides is a
            spike
        spike_side: a side is long beyond this share of its ring's perimeter
        stray_share: a part of an object below this share of the object's pixels is
            stray
        coarse_score: how far below 0 a modified z-score makes an outline coarse
        outlier_score: a modified z-score beyond which a label is an outlier
        min_class_size: a class of fewer labels has no outliers and no coarse outlines
        copy_tolerance: the largest deviation of a copy's coverage from the median of
            all copies, as a share of that median
        leak_distance: the number of bits, of 256, in which the perceptual hashes of
            two images may differ that still count as the same picture
        exempt_pairs: pairs of classes whose labels may overlap in any way: no
            ``near_duplicate``, ``two_classes`` or ``contained`` is found between them

    Raises:
        CocoMaskError: if one of them makes no rule
    """

    # The least and the most that each number may be; None is unlimited.
    BOUNDS: ClassVar[dict[str, tuple[float, float | None]]] = {
        "tiny_px": (0, None),
        "huge_share": (0, 1),
        "near_iou": (0, 1),
        "near_iou_across": (0, 1),
        "contained_share": (0, 1),
        "spike_degrees": (0, 180),
        "spike_side": (0, 1),
        "stray_share": (0, 1),
        "coarse_score": (0, None),
        "outlier_score": (0, None),
        "min_class_size": (1, None),
        "copy_tolerance": (0, None),
        "leak_distance": (0, 256),
    }

    tiny_px: int = 16
    huge_share: float = 0.95
    near_iou: float = 0.9
    near_iou_across: float = 0.95
    contained_share: float = 0.95
    spike_degrees: float = 20.0
    spike_side: float = 0.05
    stray_share: float = 0.02
    coarse_score: float = 3.5
    outlier_score: float = 3.5
    min_class_size: int = 10
    copy_tolerance: float = 0.1
    leak_distance: int = 10
    exempt_pairs: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name, (least, most) in self.BOUNDS.items():
            # As JSON and MongoDB hold it: NumPy has numbers of its own.
            value = without_numpy(getattr(self, name))
            object.__setattr__(self, name, value)
            is_within = (
                is_number(value) and value >= least and (most is None or value <= most)
            )
            # Written so that NaN is refused too.
            if not is_within:
                bounds = f"{least} or more" if most is None else f"{least} to {most}"
                raise CocoMaskError(f"{name} must be {bounds}, not {value!r}")
        object.__setattr__(self, "exempt_pairs", _checked_pairs(self.exempt_pairs))

    @classmethod
    def of_numbers(cls, given: IssueLimits | Mapping[str, Any] | None) -> IssueLimits:
        """Returns the limits that a caller gave, also as numbers by their names.

        Raises:
            CocoMaskError: if they are not limits
        """
        if given is None or isinstance(given, cls):
            return given or cls()
        names = [rule.name for rule in fields(cls)]
        if not isinstance(given, Mapping):
            raise CocoMaskError(
                f"limits must be IssueLimits or numbers by name, not {shown(given)}"
            )
        for name in given:
            if name not in names:
                raise CocoMaskError(
                    f"limits has no {shown(name)}; it has {', '.join(names)}"
                )
        return cls(**given)

    @classmethod
    def of_dict(cls, stored: Mapping[str, Any]) -> IssueLimits:
        """Returns what :meth:`to_dict` gave, of this version or an earlier one."""
        names = {rule.name for rule in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in names})

    def are_exempt(self, label: str | None, other: str | None) -> bool:
        """Whether labels of these classes may overlap in any way."""
        return (label, other) in self.exempt_pairs or (
            other,
            label,
        ) in self.exempt_pairs

    def to_dict(self) -> dict[str, Any]:
        """Returns the limits by name, as JSON holds them."""
        return {**asdict(self), "exempt_pairs": [list(p) for p in self.exempt_pairs]}

    def definition(self, issue: MaskIssue) -> str:
        """Returns the rule of an issue in words."""
        return {
            MaskIssue.EMPTY: "The label has a geometry that covers no pixel",
            MaskIssue.TINY: f"The label covers fewer than {self.tiny_px} pixels",
            MaskIssue.HUGE: (
                f"The label covers {self.huge_share:.0%} of its image or more"
            ),
            MaskIssue.HIDDEN: "Other labels cover every pixel of the label",
            MaskIssue.RECTANGLE: (
                "The label is a rectangle, upright or rotated: perhaps a box that was "
                "exported as a mask"
            ),
            MaskIssue.DUPLICATE: (
                "The label covers the very pixels of an earlier one of the same class"
            ),
            MaskIssue.NEAR_DUPLICATE: (
                "The label covers nearly the pixels of an earlier one of its class "
                f"(mask IoU of {self.near_iou:g} or more), or of one of another class "
                f"({self.near_iou_across:g} or more)"
            ),
            MaskIssue.TWO_CLASSES: (
                "The label covers the very pixels of one of another class"
            ),
            MaskIssue.CONTAINED: (
                f"At least {self.contained_share:.0%} of the label's pixels lie in a "
                "larger label of its class"
            ),
            MaskIssue.SELF_CROSSING: "Two sides of the outline cross each other",
            MaskIssue.SPIKE: (
                f"The outline has an angle below {self.spike_degrees:g} degrees "
                f"between two sides, each over {self.spike_side:.0%} of its perimeter"
            ),
            MaskIssue.STRAY_PART: (
                f"A part of the label has less than {self.stray_share:.0%} of its "
                "pixels"
            ),
            MaskIssue.COARSE: (
                "The outline has few vertices for its length: the modified z-score of "
                "log(vertices / square root of the perimeter) in its class is below "
                f"-{self.coarse_score:g}; classes of fewer than {self.min_class_size} "
                "labels are left out"
            ),
            MaskIssue.OUTSIDE: (
                "A vertex of the outline lies more than 1 pixel outside the image"
            ),
            MaskIssue.UNFILLED: (
                "The label is a polyline of three points or more that is not filled"
            ),
            MaskIssue.BOX_ONLY: "The label has a box and no shape",
            MaskIssue.CLASS_OUTLIER: (
                "The label's share of its image is far from the median of its class: "
                "the modified z-score of its logarithm (Iglewicz and Hoaglin, by the "
                f"median absolute deviation) is beyond {self.outlier_score:g}; classes "
                f"of fewer than {self.min_class_size} labels are left out"
            ),
            MaskIssue.IDS_DIFFER: (
                "The label's category id names another class in most other images"
            ),
            MaskIssue.EMPTY_MASK: "The mask is all 0 though the image has labels",
            MaskIssue.COPY_AREA: (
                "The share of the image that is covered differs by more than "
                f"{self.copy_tolerance:.0%} from the median of all augmented copies of "
                "the same source image; where that is so of a third of the sources, "
                "copies are random crops and none is named"
            ),
            MaskIssue.LEAK: (
                "Another split has the same picture: an image of the same source, of "
                "equal content, or with a perceptual hash (256 bits of brightness "
                f"differences) that differs in at most {self.leak_distance} bits"
            ),
        }[issue]


def _checked_pairs(pairs: Any) -> tuple[tuple[str, str], ...]:
    problem = f"exempt_pairs must be a list of pairs of class names, not {pairs!r}"
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise CocoMaskError(problem)
    checked = []
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Iterable):
            raise CocoMaskError(problem)
        names = tuple(pair)
        if len(names) != 2 or not all(isinstance(name, str) for name in names):
            raise CocoMaskError(problem)
        checked.append(names)
    return tuple(checked)
