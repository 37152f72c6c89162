"""What parameters may be: one table for the SDK, the operators' forms and the commands.

The first of each table is the default. Nothing heavy is imported here, since forms and
commands are made before anything runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple


class Choice(NamedTuple):
    """One value of a choice.

    Attributes:
        value: the value of the parameter
        label: what the form calls it; the value itself by default
        description: what it means
    """

    value: str
    label: str | None = None
    description: str | None = None


def values(choices: Sequence[Choice]) -> tuple[str, ...]:
    """Returns the values of a table."""
    return tuple(choice.value for choice in choices)


def default(choices: Sequence[Choice]) -> str:
    """Returns the value that holds where none is given."""
    return choices[0].value


def meanings(choices: Sequence[Choice]) -> str:
    """Returns what each value of a table means, in one line."""
    return "; ".join(_meaning(choice) for choice in choices)


def _meaning(choice: Choice) -> str:
    label = choice.label or choice.value
    # A label that is the value says nothing.
    said = [label] if label.lower() != choice.value else []
    said += [choice.description] if choice.description else []
    first, *rest = map(_within_sentence, said)
    return f"{choice.value}: {first}{f' ({rest[0]})' if rest else ''}"


def _within_sentence(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


# Of masks.
Mode = Literal["binary", "semantic", "instance"]
MODES = (
    Choice("binary", "Binary", "255 where there is an object, else 0"),
    Choice("semantic", "Semantic", "The value of each object's class"),
    Choice("instance", "Instance", "1, 2, 3 ... for the objects of an image"),
)
Rasterizer = Literal["coco", "opencv"]
RASTERIZERS = (
    Choice("coco", "COCO", "The pixels of pycocotools, as COCO counts them"),
    Choice(
        "opencv",
        "OpenCV",
        "cv2.fillPoly on truncated coordinates: wider by about half a pixel",
    ),
)
Overlap = Literal["largest_first", "smallest_first", "annotation_order"]
OVERLAPS = (
    Choice("largest_first", "Small objects on top", "So that they stay visible"),
    Choice("smallest_first", "Large objects on top", "So that they stay whole"),
    Choice("annotation_order", "Later annotations on top", "As the export has them"),
)
Boxes = Literal["skip", "draw", "error"]
BOXES = (
    Choice("skip", "Leave them out", "The masks have background there"),
    Choice("draw", "Draw them as rectangles", "Every box that has no mask"),
    Choice("error", "Refuse", "Where there are any, nothing is drawn"),
)
Storage = Literal["disk", "database"]
STORAGES = (
    Choice("disk", "PNG files", "Lossless, 1 bit a pixel for binary masks"),
    Choice("database", "Arrays in the database", "No files are written"),
)

# Of imports.
IfExists = Literal["merge", "replace", "error"]
IF_EXISTS = (
    Choice(
        "merge",
        "Merge",
        "Add what is new in the export, and keep what you have edited",
    ),
    Choice("replace", "Replace", "Remove all its samples first"),
    Choice("error", "Refuse", "Nothing is imported"),
)
ConflictRule = Literal["keep", "export"]
CONFLICTS = (
    Choice("keep", "Keep what is in the dataset", "Tagged merge_conflict"),
    Choice("export", "Take the export's", "What a person made there is replaced"),
)
OldCopies = Literal["tag", "delete"]
OLD_COPIES = (
    Choice("tag", "Tag them old_copy", "They stay in the dataset"),
    Choice("delete", "Delete them", "Except those that a person has worked on"),
)

# Of exports.
Images = Literal["copy", "link", "none"]
IMAGES = (
    Choice("copy", "Copy them", "The export has files of its own"),
    Choice("link", "Link them", "Hard links, which take no space; else copies"),
    Choice("none", "Leave them out", "Only the JSONs are written"),
)
Area = Literal["mask", "box"]
AREAS = (
    Choice("mask", "Pixels of the object", "What COCO means"),
    Choice("box", "Width times height of the box", "What Roboflow writes"),
)
Masks = Literal["rle", "polygons"]
MASKS = (
    Choice("rle", "RLE", "Compact, and exact"),
    Choice("polygons", "Polygons", "Along the edges of the pixels, and exact"),
)
Values = Literal["binary", "class", "instance"]
VALUES = (
    Choice("binary", "0 and 255", "255 wherever a mask is not 0"),
    Choice("class", "Class values", "Of semantic masks, with a table of the classes"),
    Choice("instance", "Instance numbers", "Of instance masks, with a table"),
)
