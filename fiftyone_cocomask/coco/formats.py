"""Other formats that people take for a COCO export, to say which one it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

# What tells formats apart is short; what is longer would take several times its bytes.
_MAX_DECODED = 2**20


def describe_other_format(value: Any) -> str | None:
    """Returns what a JSON is that is not a COCO export, or None.

    Args:
        value: the JSON's top-level value; lists and objects may hold undecoded parts
    """
    if isinstance(value, list):
        return _describe_list(value)
    return _describe_object(value) if isinstance(value, dict) else None


def describe_other_annotations(annotation: Any) -> str | None:
    """Returns which COCO JSON without objects an annotation is from, or None."""
    if not isinstance(annotation, dict):
        return None
    if "segments_info" in annotation:
        return "COCO panoptic segmentation"
    if "caption" in annotation and "category_id" not in annotation:
        return "COCO captions"
    return None


def describe_other_folder(names: Iterable[str]) -> str | None:
    """Returns what a folder without a COCO JSON is, by its files' names, or None."""
    ends = {name.rpartition("/")[2].lower() for name in names}
    suffixes = {end.rpartition(".")[2] for end in ends}
    if ends & {"data.yaml", "data.yml", "classes.txt", "obj.names"}:
        return "a YOLO export"
    if "tfrecord" in suffixes:
        return "a TFRecord export"
    if ends & {"_classes.csv", "_annotations.csv"}:
        return "a CSV export"
    if "_annotations.createml.json" in ends:
        return "a CreateML export"
    if any(end.endswith("_mask.png") for end in ends):
        return "a mask export"
    if "xml" in suffixes:
        return "a Pascal VOC export"
    if any("labels" in name.split("/")[:-1] for name in names):
        return "a YOLO export"
    return None


def _describe_list(value: list[Any]) -> str | None:
    first = _decoded(value[0]) if value else None
    if not isinstance(first, dict):
        return None
    if "image_id" in first and "caption" in first:
        return "a COCO captions results file"
    if "image_id" in first:
        return "a COCO results file (predictions)"
    if "image" in first and "annotations" in first:
        return "a CreateML file"
    if "data" in first and ("annotations" in first or "completions" in first):
        return "a Label Studio export"
    return None


def _describe_object(value: dict[str, Any]) -> str | None:
    keys = set(value)
    if "shapes" in keys and keys & {"imagePath", "imageData", "flags"}:
        return "a LabelMe file"
    if _decoded(value.get("type")) in ("FeatureCollection", "Feature"):
        return "a GeoJSON file"
    if keys & {"_via_img_metadata", "_via_settings"}:
        return "a VGG Image Annotator project"
    if "samples" in keys and "version" in keys:
        return "a FiftyOne dataset"
    if "names" in keys and keys & {"train", "val", "nc"}:
        return "a YOLO configuration"
    entries = [_decoded(item) for item in list(value.values())[:3]]
    if entries and all(isinstance(e, dict) and "regions" in e for e in entries):
        return "a VGG Image Annotator file"
    return None


def _decoded(part: Any) -> Any:
    if not isinstance(part, msgspec.Raw):
        return part
    if len(memoryview(part)) > _MAX_DECODED:
        return None
    try:
        return msgspec.json.decode(part)
    except (msgspec.MsgspecError, RecursionError):
        return None
