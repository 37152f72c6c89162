"""What can be wrong with an export, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class _Word(str, Enum):
    """A value that is the word it stands for, printed as that word."""

    def __str__(self) -> str:
        return str(self.value)


class Severity(_Word):
    """How much an issue matters."""

    ERROR = "error"
    """Something of the export is not in the dataset, or not as it was drawn."""
    WARNING = "warning"
    """Something was put right or looks wrong; a person should look at it."""
    INFO = "info"
    """Worth knowing; nothing to do."""


class Action(_Word):
    """What became of the annotation, image or entry that an issue is about."""

    KEPT = "kept"
    """It is in the dataset as it was found."""
    REPAIRED = "repaired"
    """It is in the dataset, put right as the message says."""
    BOX_ONLY = "box_only"
    """It is in the dataset as a box; its segmentation was unusable."""
    DROPPED = "dropped"
    """It is not in the dataset."""


class IssueCode(_Word):
    """Every kind of issue, by the name that reports and samples carry."""

    # Of the export's files.
    TEXT_REPAIRED = "text_repaired"
    """The JSON holds bytes or half characters that are no text."""
    JSON_IGNORED = "json_ignored"
    """A JSON file beside the export's own was left out."""
    LINK_REFUSED = "link_refused"
    """A link leads out of the export."""
    UNLISTED_FILES = "unlisted_files"
    """Image files that the JSON does not list."""
    SOURCE_IN_SEVERAL_SPLITS = "source_in_several_splits"
    """Copies of one source image lie in more than one split: leakage."""
    GONE_FROM_EXPORT = "gone_from_export"
    """The dataset has a sample that this version of the export no longer has."""

    # Of the categories.
    CATEGORIES_MISSING = "categories_missing"
    """The JSON has no list of categories."""
    CATEGORY_MALFORMED = "category_malformed"
    """An entry of ``categories`` is no object with an id."""
    CATEGORY_WITHOUT_NAME = "category_without_name"
    """A category has no name."""
    CATEGORY_UNUSED = "category_unused"
    """No annotation uses this category; Roboflow's root is one."""
    DUPLICATE_CATEGORY_ID = "duplicate_category_id"
    """Two categories share an id; the first one has it."""
    DUPLICATE_CATEGORY_NAME = "duplicate_category_name"
    """Two categories in use share a name; they stay two classes."""
    CATEGORY_NAMES_DIFFER_IN_CASE = "category_names_differ_in_case"
    """Two names of categories in use differ only in case."""

    # Of the images.
    IMAGE_MALFORMED = "image_malformed"
    """An entry of ``images`` is no object, or lacks an id or a file name."""
    DUPLICATE_IMAGE_ID = "duplicate_image_id"
    """Two images share an id, so their annotations cannot be told apart."""
    DUPLICATE_FILE_NAME = "duplicate_file_name"
    """One file is listed more than once."""
    FILE_NAMES_DIFFER_IN_CASE = "file_names_differ_in_case"
    """Two file names differ only in case."""
    FILE_NAME_UNSAFE = "file_name_unsafe"
    """A file name is absolute, leads out of the export or is no file name."""
    IMAGE_MISSING = "image_missing"
    """The file is not in the export."""
    IMAGE_UNREADABLE = "image_unreadable"
    """The file is no image."""
    IMAGE_TOO_LARGE = "image_too_large"
    """The file claims to have more pixels than any image."""
    IMAGE_TRUNCATED = "image_truncated"
    """The end of the image file is missing."""
    IMAGE_FOUND_ELSEWHERE = "image_found_elsewhere"
    """The file lies elsewhere in the export than its name says."""
    IMAGE_RESIZED = "image_resized"
    """The file has the JSON's size times one factor; coordinates were scaled."""
    IMAGE_SIZE_DIFFERS = "image_size_differs"
    """The file has another size than the JSON says; coordinates were kept."""
    IMAGE_SIZE_MISSING = "image_size_missing"
    """The JSON does not give the image's size."""
    IMAGE_ROTATED = "image_rotated"
    """The file's EXIF orientation turns or mirrors it where it is shown."""
    IMAGE_NOT_RGB = "image_not_rgb"
    """Images that are grayscale, palette, 16-bit or have an alpha channel."""
    IMAGE_WITHOUT_ANNOTATIONS = "image_without_annotations"
    """Negative images: no annotation refers to them."""

    # Of an annotation as a whole.
    ANNOTATION_MALFORMED = "annotation_malformed"
    """An entry of ``annotations`` is no object."""
    ANNOTATION_WITHOUT_IMAGE = "annotation_without_image"
    """No image has the annotation's ``image_id``."""
    ANNOTATION_OF_DROPPED_IMAGE = "annotation_of_dropped_image"
    """The annotation's image could not be used."""
    IMAGE_FULL = "image_full"
    """The image's other annotations fill what MongoDB can hold of one sample."""
    ANNOTATION_WITHOUT_ID = "annotation_without_id"
    """The annotation has no id."""
    DUPLICATE_ANNOTATION_ID = "duplicate_annotation_id"
    """Two annotations of a split share an id."""
    DUPLICATE_OBJECT = "duplicate_object"
    """Another annotation of the image has the very same segmentation."""
    UNKNOWN_CATEGORY = "unknown_category"
    """No category has the annotation's ``category_id``."""
    ISCROWD_INVALID = "iscrowd_invalid"
    """``iscrowd`` is not 0 or 1, or has another name."""
    AREA_INVALID = "area_invalid"
    """``area`` is no number of at least 0."""
    AREA_IS_BOX_AREA = "area_is_box_area"
    """``area`` is the box's area; Roboflow writes it so."""
    AREA_DIFFERS = "area_differs"
    """``area`` is neither the area of the segmentation nor that of the box."""
    CROWD = "crowd"
    """Annotations that mark a crowd."""
    KEYPOINTS = "keypoints"
    """Keypoints, which are kept as an attribute."""
    ATTRIBUTE_RENAMED = "attribute_renamed"
    """An attribute's name is one that FiftyOne uses or cannot store."""

    # Of its box.
    BOX_MISSING = "box_missing"
    """There is no box."""
    BOX_INVALID = "box_invalid"
    """The box is not four finite numbers of a size that images have."""
    BOX_NUMBERS_AS_TEXT = "box_numbers_as_text"
    """Numbers of the box are written as text."""
    BOX_EMPTY = "box_empty"
    """The box has no width or no height."""
    BOX_NEGATIVE = "box_negative"
    """The box has a negative width or height."""
    BOX_DIFFERS = "box_differs"
    """The box is not the one around the segmentation."""
    BOX_OUTSIDE_IMAGE = "box_outside_image"
    """The box of an annotation without segmentation lies outside the image."""

    # Of its segmentation.
    SEGMENTATION_MISSING = "segmentation_missing"
    """There is no segmentation, or an empty one."""
    SEGMENTATION_INVALID = "segmentation_invalid"
    """The segmentation is neither a list of rings nor an RLE."""
    SEGMENTATION_FLAT = "segmentation_flat"
    """The segmentation is one ring instead of a list of rings."""
    SEGMENTATION_PAIRS = "segmentation_pairs"
    """A ring is a list of points instead of a flat list of numbers."""
    MULTI_PART = "multi_part"
    """Annotations of several parts; their union is the object."""
    RING_TOO_SHORT = "ring_too_short"
    """A ring has fewer than three points."""
    RING_ODD_LENGTH = "ring_odd_length"
    """A ring has an odd number of numbers."""
    RING_NOT_NUMBERS = "ring_not_numbers"
    """A ring holds text, null, true, false or other things that are no numbers."""
    RING_NOT_FINITE = "ring_not_finite"
    """A ring holds NaN or infinity."""
    RING_TOO_LARGE = "ring_too_large"
    """A ring has coordinates or a length that no image has."""
    RING_NUMBERS_AS_TEXT = "ring_numbers_as_text"
    """Numbers of a ring are written as text, and fit the annotation's box."""
    RING_JOINED_NUMBERS = "ring_joined_numbers"
    """Numbers of a ring were joined as text: 178 and 0.60 became 1780.60."""
    RING_FAR_OUTSIDE = "ring_far_outside"
    """A ring passes its own box and the image by far."""
    PARTLY_OUTSIDE = "partly_outside"
    """The segmentation passes the image's edge by more than a pixel."""
    OUTSIDE_IMAGE = "outside_image"
    """The whole segmentation lies outside the image: it has no pixel."""
    ZERO_AREA = "zero_area"
    """The segmentation encloses nothing."""
    SMALLER_THAN_PIXEL = "smaller_than_pixel"
    """The segmentation encloses less than one pixel."""
    RLE_INVALID = "rle_invalid"
    """The RLE is malformed, cut off, or does not add up to its size."""
    RLE_SIZE_DIFFERS = "rle_size_differs"
    """The RLE has another size than the image, and no common factor."""
    RLE_RESIZED = "rle_resized"
    """The RLE has the image's size divided by one factor; it was scaled."""

    @property
    def severity(self) -> Severity:
        """How much an issue of this kind matters where nothing was lost."""
        return _SEVERITIES.get(self, Severity.WARNING)


_SEVERITIES = {
    IssueCode.LINK_REFUSED: Severity.ERROR,
    IssueCode.IMAGE_MISSING: Severity.ERROR,
    IssueCode.IMAGE_UNREADABLE: Severity.ERROR,
    **dict.fromkeys(
        (
            IssueCode.JSON_IGNORED,
            IssueCode.UNLISTED_FILES,
            IssueCode.GONE_FROM_EXPORT,
            IssueCode.CATEGORY_UNUSED,
            IssueCode.IMAGE_FOUND_ELSEWHERE,
            IssueCode.IMAGE_SIZE_MISSING,
            IssueCode.IMAGE_NOT_RGB,
            IssueCode.IMAGE_WITHOUT_ANNOTATIONS,
            IssueCode.ANNOTATION_WITHOUT_ID,
            IssueCode.AREA_IS_BOX_AREA,
            IssueCode.AREA_DIFFERS,
            IssueCode.CROWD,
            IssueCode.KEYPOINTS,
            IssueCode.ATTRIBUTE_RENAMED,
            IssueCode.SEGMENTATION_MISSING,
            IssueCode.MULTI_PART,
            IssueCode.PARTLY_OUTSIDE,
            IssueCode.SMALLER_THAN_PIXEL,
        ),
        Severity.INFO,
    ),
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong or worth knowing, where it is, and what was done.

    Attributes:
        code: what kind of issue it is
        severity: how much it matters
        split: the split it is in, None if it is about the whole export
        file_name: the image's file name as the JSON has it
        image_id: the image's id as the JSON has it
        annotation_id: the annotation's id as the JSON has it
        message: one sentence for a person
        action: what became of what the issue is about
    """

    code: IssueCode
    severity: Severity
    split: str | None
    file_name: str | None
    image_id: int | str | None
    annotation_id: int | str | None
    message: str
    action: Action

    def to_dict(self) -> dict[str, Any]:
        """Returns the issue as plain strings and numbers, without what is None."""
        values = {
            "code": self.code.value,
            "severity": self.severity.value,
            "action": self.action.value,
            "split": self.split,
            "file_name": self.file_name,
            "image_id": self.image_id,
            "annotation_id": self.annotation_id,
            "message": self.message,
        }
        return {name: value for name, value in values.items() if value is not None}
