"""Every kind of issue: its code, how much it matters, and what it means."""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """A value that is the word it stands for, printed as that word."""

    def __str__(self) -> str:
        return str(self.value)


class Severity(Word):
    """How much an issue matters."""

    ERROR = "error"
    """Something of the export is not in the dataset, or not as it was drawn."""
    WARNING = "warning"
    """Something was put right or looks wrong; a person should look at it."""
    INFO = "info"
    """Worth knowing; nothing to do."""


class IssueCode(Word):
    """Every kind of issue, by the name that reports and samples carry.

    An entry is the code, what it means in a sentence, how much it matters where nothing
    was lost, and, for what is counted over a split instead of told of each image or
    annotation, the message with the count. Reports list codes in this order: what
    causes others comes before them.
    """

    severity: Severity
    explanation: str
    counted_message: str | None

    def __new__(
        cls,
        code: str,
        explanation: str = "",
        severity: Severity = Severity.WARNING,
        counted_message: str | None = None,
    ) -> IssueCode:
        member = str.__new__(cls, code)
        member._value_ = code
        member.severity = severity
        member.explanation = explanation
        member.counted_message = counted_message
        return member

    # Of the export's files.
    TEXT_REPAIRED = (
        "text_repaired",
        "The JSON holds bytes or half characters that are not text.",
    )
    KEY_TOO_LARGE = (
        "key_too_large",
        "The JSON has a key, beside COCO's, that is too large to keep.",
    )
    JSON_IGNORED = (
        "json_ignored",
        "JSON files that are not COCO exports were left out.",
        Severity.INFO,
    )
    JSON_SET_ASIDE = (
        "json_set_aside",
        "A JSON was left out: a copy of another, or one of captions, keypoints, "
        "panoptic segments or results.",
    )
    JSON_NOT_READ = (
        "json_not_read",
        "A COCO JSON was not read: it is broken, or lists another one's images.",
        Severity.ERROR,
    )
    DUPLICATE_KEY = (
        "duplicate_key",
        "An object of the JSON has a key twice, with different values.",
        Severity.ERROR,
    )
    ANNOTATIONS_MISSING = (
        "annotations_missing",
        "The JSON has no list of annotations: its images are negative ones.",
    )
    COORDINATES_NORMALIZED = (
        "coordinates_normalized",
        "Coordinates run from 0 to 1 instead of being in pixels.",
        Severity.ERROR,
    )
    SEVERAL_PROJECTS = (
        "several_projects",
        "The folder holds exports of several projects, under several licences.",
    )
    LINK_REFUSED = ("link_refused", "A link leads out of the export.", Severity.ERROR)
    UNLISTED_FILES = (
        "unlisted_files",
        "Image files that the JSON does not list.",
        Severity.INFO,
    )
    SOURCE_IN_SEVERAL_SPLITS = (
        "source_in_several_splits",
        "Copies of one source image lie in more than one split: leakage.",
    )
    LEAK = (
        "leak",
        "Image files with the same content lie in more than one split: leakage.",
    )
    INFO_TOO_LARGE = (
        "info_too_large",
        "Facts of the JSON or of an image are more than the database can hold.",
    )
    GONE_FROM_EXPORT = (
        "gone_from_export",
        "The dataset has a sample that this version of the export no longer has.",
        Severity.INFO,
    )

    IMAGE_DELETED = (
        "image_deleted",
        "The image was deleted from the dataset after an earlier import.",
        Severity.INFO,
    )
    IMAGE_MOVED = (
        "image_moved",
        "The dataset has this image in another split, from an earlier import.",
        Severity.INFO,
    )
    OTHER_IMAGE_OF_NAME = (
        "other_image_of_name",
        "The dataset has another picture of this name and split; both are kept.",
    )
    IMAGE_OF_OTHER_PROJECT = (
        "image_of_other_project",
        "The dataset has this image from another project; the labels of both are kept.",
    )
    LABELS_REPLACED = (
        "labels_replaced",
        "Nearly all labels of these images are replaced: another project's export?",
    )
    OLD_COPIES = (
        "old_copies",
        "The dataset has older augmented copies of sources that this export has again.",
    )
    MERGE_CONFLICT = (
        "merge_conflict",
        "The export and a person have changed an annotation in different ways.",
    )

    # Of the categories.
    CATEGORIES_MISSING = ("categories_missing", "The JSON has no list of categories.")
    CATEGORY_MALFORMED = (
        "category_malformed",
        "An entry of 'categories' is not an object with an id.",
    )
    CATEGORY_WITHOUT_NAME = ("category_without_name", "A category has no name.")
    CATEGORY_NAME_NOT_TEXT = (
        "category_name_not_text",
        "A category's name is a number, or true or false; its text is the label.",
        Severity.INFO,
    )
    CATEGORY_NAME_TOO_LONG = (
        "category_name_too_long",
        "A category's name is longer than a label can be; it was shortened.",
    )
    CATEGORY_UNUSED = (
        "category_unused",
        "No annotation uses this category; Roboflow's root is one.",
        Severity.INFO,
    )
    DUPLICATE_CATEGORY_ID = (
        "duplicate_category_id",
        "Two categories share an id; the first one has it.",
    )
    DUPLICATE_CATEGORY_NAME = (
        "duplicate_category_name",
        "Two categories in use share a name; they stay two classes.",
    )
    CATEGORY_NAMES_DIFFER_IN_CASE = (
        "category_names_differ_in_case",
        "Two names of categories in use differ only in case.",
    )
    CATEGORY_NAMES_SIMILAR = (
        "category_names_similar",
        "Names of categories in use are nearly the same: one class, or two?",
    )
    IDS_DIFFER = (
        "ids_differ",
        "A category id names different classes in different splits.",
    )
    CATEGORY_MISSING_FROM_SPLIT = (
        "category_missing_from_split",
        "A split has no annotation of a class that others have.",
        Severity.INFO,
    )
    CATEGORY_SINGLETON = (
        "category_singleton",
        "A class has one annotation in the whole export.",
        Severity.INFO,
    )

    # Of the images.
    IMAGE_MALFORMED = (
        "image_malformed",
        "An entry of 'images' is not an object, or lacks an id or a file name.",
    )
    DUPLICATE_IMAGE_ID = (
        "duplicate_image_id",
        "Two images share an id, so their annotations cannot be told apart.",
    )
    DUPLICATE_FILE_NAME = ("duplicate_file_name", "One file is listed more than once.")
    FILE_NAMES_DIFFER_IN_CASE = (
        "file_names_differ_in_case",
        "Two file names differ only in case.",
    )
    FILE_NAME_UNSAFE = (
        "file_name_unsafe",
        "A file name is absolute, leads out of the export or is not a file name.",
    )
    IMAGE_MISSING = ("image_missing", "The file is not in the export.", Severity.ERROR)
    IMAGE_UNREADABLE = ("image_unreadable", "The file is not an image.", Severity.ERROR)
    IMAGE_TOO_LARGE = (
        "image_too_large",
        "The file claims to have more pixels than any image.",
    )
    IMAGE_TRUNCATED = ("image_truncated", "The end of the image file is missing.")
    IMAGE_FOUND_ELSEWHERE = (
        "image_found_elsewhere",
        "The file lies elsewhere in the export than its name says.",
        Severity.INFO,
    )
    IMAGE_NAME_DIFFERS = (
        "image_name_differs",
        "The file's name differs from the JSON's in case or in the extension.",
    )
    IMAGE_RESIZED = (
        "image_resized",
        "The file's size is the JSON's times one factor; coordinates were scaled.",
    )
    IMAGE_SIZE_DIFFERS = (
        "image_size_differs",
        "The file has another size than the JSON says; coordinates were kept.",
    )
    IMAGE_SIZE_MISSING = (
        "image_size_missing",
        "The JSON does not give the image's size.",
        Severity.INFO,
    )
    IMAGE_ROTATED = (
        "image_rotated",
        "The file's EXIF orientation turns or mirrors it where it is shown.",
    )
    IMAGE_NOT_RGB = (
        "image_not_rgb",
        "Images that are grayscale, palette, 16-bit or have an alpha channel.",
        Severity.INFO,
        "{some} {are} not plain RGB but {detail}",
    )
    IMAGE_WITHOUT_ANNOTATIONS = (
        "image_without_annotations",
        "Negative images: no annotation refers to them.",
        Severity.INFO,
        "{some} {have} no annotations: negative images",
    )

    # Of an annotation as a whole.
    ANNOTATION_MALFORMED = (
        "annotation_malformed",
        "An entry of 'annotations' is not an object.",
    )
    ANNOTATION_WITHOUT_IMAGE = (
        "annotation_without_image",
        "No image has the annotation's 'image_id'.",
    )
    IMAGE_FULL = (
        "image_full",
        "The image's other annotations fill what MongoDB can hold of one sample.",
    )
    ANNOTATION_WITHOUT_ID = (
        "annotation_without_id",
        "The annotation has no id.",
        Severity.INFO,
        "{some} {have} no id",
    )
    DUPLICATE_ANNOTATION_ID = (
        "duplicate_annotation_id",
        "Two annotations of a split share an id.",
    )
    DUPLICATE_OBJECT = (
        "duplicate_object",
        "Another annotation of the image has the very same segmentation.",
    )
    UNKNOWN_CATEGORY = (
        "unknown_category",
        "No category has the annotation's 'category_id'.",
    )
    ISCROWD_INVALID = (
        "iscrowd_invalid",
        "'iscrowd' is not 0 or 1, or has another name.",
    )
    AREA_INVALID = ("area_invalid", "'area' is not a number of 0 or more.")
    AREA_IS_BOX_AREA = (
        "area_is_box_area",
        "'area' is the box's area; Roboflow writes it so.",
        Severity.INFO,
        "'area' of {some} is the box's area, as Roboflow writes it, and not that of "
        "the segmentation",
    )
    AREA_DIFFERS = (
        "area_differs",
        "'area' is neither the area of the segmentation nor that of the box.",
        Severity.INFO,
        "'area' of {some} is neither that of the segmentation nor that of the box",
    )
    CROWD = (
        "crowd",
        "Annotations that mark a crowd.",
        Severity.INFO,
        "{some} {mark} a crowd (iscrowd 1)",
    )
    KEYPOINTS = (
        "keypoints",
        "Keypoints, which are kept as an attribute.",
        Severity.INFO,
        "{some} {have} keypoints; they are kept as the attribute 'coco_keypoints'",
    )
    ATTRIBUTE_RENAMED = (
        "attribute_renamed",
        "An attribute's name is one that FiftyOne uses or cannot store.",
        Severity.INFO,
        "{some} {have} attributes of names that FiftyOne cannot take; they were "
        "renamed: {detail}",
    )

    # Of its box.
    BOX_MISSING = ("box_missing", "There is no box.")
    BOX_INVALID = (
        "box_invalid",
        "The box is not four finite numbers in a range that images have.",
    )
    BOX_NUMBERS_AS_TEXT = (
        "box_numbers_as_text",
        "Numbers of the box are written as text.",
    )
    BOX_ROTATED = (
        "box_rotated",
        "The box has an angle; it was read as a rotated rectangle.",
    )
    BOX_EMPTY = ("box_empty", "The box has no width or no height.")
    BOX_NEGATIVE = ("box_negative", "The box has a negative width or height.")
    BOX_DIFFERS = ("box_differs", "The box is not the one around the segmentation.")
    BOX_OUTSIDE_IMAGE = (
        "box_outside_image",
        "The box of an annotation without segmentation lies outside the image.",
    )

    # Of its segmentation.
    SEGMENTATION_MISSING = (
        "segmentation_missing",
        "There is no segmentation, or an empty one.",
        Severity.INFO,
    )
    SEGMENTATION_INVALID = (
        "segmentation_invalid",
        "The segmentation is neither a list of rings nor an RLE.",
    )
    SEGMENTATION_FLAT = (
        "segmentation_flat",
        "The segmentation is one ring instead of a list of rings.",
    )
    SEGMENTATION_PAIRS = (
        "segmentation_pairs",
        "A ring is a list of points instead of a flat list of numbers.",
    )
    SEGMENTATION_NESTED = (
        "segmentation_nested",
        "The rings are nested one list too deep.",
    )
    SEGMENTATION_POINT_OBJECTS = (
        "segmentation_point_objects",
        "A ring is a list of objects with 'x' and 'y'.",
    )
    MULTI_PART = (
        "multi_part",
        "Annotations of several parts; their union is the object.",
        Severity.INFO,
        "{some} {have} several parts; their union is the object",
    )
    RING_TOO_SHORT = ("ring_too_short", "A ring has fewer than three points.")
    RING_ODD_LENGTH = ("ring_odd_length", "A ring has an odd number of numbers.")
    RING_NOT_NUMBERS = (
        "ring_not_numbers",
        "A ring holds text, null, true, false or other things that are not numbers.",
    )
    RING_NOT_FINITE = ("ring_not_finite", "A ring holds NaN or infinity.")
    RING_TOO_LARGE = (
        "ring_too_large",
        "A ring has coordinates or a length out of range for any image.",
    )
    RING_NUMBERS_AS_TEXT = (
        "ring_numbers_as_text",
        "Numbers of a ring are written as text, and fit the annotation's box.",
    )
    RING_JOINED_NUMBERS = (
        "ring_joined_numbers",
        "Numbers of a ring were joined as text: 178 and 0.60 became 1780.60.",
    )
    RING_FAR_OUTSIDE = (
        "ring_far_outside",
        "A ring reaches far beyond its own box and the image.",
    )
    PARTLY_OUTSIDE = (
        "partly_outside",
        "The segmentation reaches more than a pixel beyond the image's edge.",
        Severity.INFO,
    )
    OUTSIDE_IMAGE = (
        "outside_image",
        "The whole segmentation lies outside the image: it has no pixel.",
    )
    ZERO_AREA = ("zero_area", "The segmentation encloses nothing.")
    SMALLER_THAN_PIXEL = (
        "smaller_than_pixel",
        "The segmentation encloses less than one pixel.",
        Severity.INFO,
    )
    RLE_INVALID = (
        "rle_invalid",
        "The RLE is malformed, cut off, or does not add up to its size.",
    )
    RLE_SIZE_DIFFERS = (
        "rle_size_differs",
        "The RLE has another size than the image, and not by one factor.",
    )
    RLE_RESIZED = (
        "rle_resized",
        "The RLE's size is the image's divided by one factor; it was scaled.",
    )
    RLE_ROWS_FITTED = (
        "rle_rows_fitted",
        "The RLE has too many or too few rows or columns of background.",
    )
    RLE_COUNTS_REWRITTEN = (
        "rle_counts_rewritten",
        "The RLE's counts are floats, Python's bytes as text, or base64.",
    )
    OUTLINE_SIMPLIFIED = (
        "outline_simplified",
        "The RLE is kept exactly, but its outline was too large to be stored.",
        Severity.INFO,
    )

    # What follows from other issues.
    ANNOTATION_OF_DROPPED_IMAGE = (
        "annotation_of_dropped_image",
        "The annotation's image could not be used.",
    )
