"""What the import declares on a dataset: fields, classes, mask targets and info."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
from fiftyone.core.odm import DynamicEmbeddedDocument, create_field

from ...coco.attributes import encode_key
from ...coco.check import ExportReader
from ...coco.records import Category
from ...errors import CocoMaskError
from ...limits import MAX_NAMED
from ..documents import (
    declare_missing_paths,
    declare_paths,
    rename_label_attributes,
)
from ..field_display import are_shown, colour_classes, show_fields
from ..import_base.base import BASE_FIELD
from ..import_base.info import store_info
from ..locks import changing_outline
from .attribute_types import AttributeTypes, label_paths
from .earlier_classes import classes_before, forget_exports
from .label_schema import declare_label_schemas

# MongoDB takes documents of at most 16 MB: `dataset.info` keeps so much of the issues.
_MAX_ISSUE_BYTES = 2_000_000

_SAMPLE_FIELDS: tuple[tuple[str, type, type | None, str], ...] = (
    ("coco_id", fo.IntField, None, "The image's id in its split's COCO JSON"),
    ("split", fo.StringField, None, "The split of the export: train, valid, test"),
    ("file_name", fo.StringField, None, "The image's file name in the COCO JSON"),
    (
        "source_name",
        fo.StringField,
        None,
        "The image before Roboflow's augmentation; its copies share this name",
    ),
    (
        "coco_original",
        fo.StringField,
        None,
        "What else the COCO JSON says of the image, as JSON text: licence, date, ...",
    ),
    (
        "import_issues",
        fo.ListField,
        fo.StringField,
        "Codes of what the import found wrong with this image or its annotations",
    ),
)

_LABEL_ATTRIBUTES: tuple[tuple[str, type, str], ...] = (
    ("coco_id", fo.IntField, "The annotation's id in its split's COCO JSON"),
    ("coco_category_id", fo.IntField, "The category's id in its split's COCO JSON"),
    ("supercategory", fo.StringField, "The category's supercategory"),
    ("iscrowd", fo.IntField, "1 where the annotation marks a crowd, else 0"),
    (
        "annotated_area",
        fo.FloatField,
        "The JSON's area, as found: in Roboflow exports it is the box's, in pixels",
    ),
)

# Its name in version 0.1, which FiftyOne's COCO exporter takes for its own argument.
_OLD_CATEGORY_ID = "category_id"


def declare_fields(dataset: fo.Dataset, label_field: str, box_field: str) -> None:
    """Declares the fields that every import writes; those present stay as they are."""
    with changing_outline(dataset):
        _declare_fields(dataset, label_field, box_field)


def _declare_fields(dataset: fo.Dataset, label_field: str, box_field: str) -> None:
    documents = {
        BASE_FIELD: _embedded(
            DynamicEmbeddedDocument,
            "What the import wrote last, for the next one to compare with",
        ),
        label_field: _embedded(fo.Polylines),
        box_field: _embedded(fo.Detections),
    }
    missing = {n: field for n, field in documents.items() if not dataset.has_field(n)}
    # Every dataset has this one, but not with what it holds of images.
    declare_paths(dataset, {"metadata": _embedded(fo.ImageMetadata), **missing})
    paths = label_paths(label_field, box_field)
    declare_missing_paths(dataset, _fields(paths))
    for path in paths:
        _rename_category_ids(dataset, path)
    if not are_shown(dataset, [label_field, box_field]):
        show_fields(dataset, [label_field, box_field])
        dataset.save()


def _embedded(kind: type, description: str | None = None) -> Any:
    """Returns a field of embedded documents."""
    return create_field(
        "", fo.EmbeddedDocumentField, embedded_doc_type=kind, description=description
    )


def check_schema(dataset: fo.Dataset, label_field: str, box_field: str) -> None:
    """Checks that the fields of a dataset can hold what an import writes.

    Raises:
        CocoMaskError: if one cannot
    """
    for name, label_type in ((label_field, fo.Polylines), (box_field, fo.Detections)):
        field = dataset.get_field(name)
        if field is not None and getattr(field, "document_type", None) != label_type:
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has a field '{name}' of another type; the "
                f"import writes {label_type.__name__} there: give another name"
            )
    base = {BASE_FIELD: fo.EmbeddedDocumentField(DynamicEmbeddedDocument)}
    for path, wanted in {
        **_fields(label_paths(label_field, box_field)),
        **base,
    }.items():
        found = dataset.get_field(path)
        if found is None:
            continue
        if _kind(found) != _kind(wanted):
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has a field '{path}' of another type "
                f"({type(found).__name__}) than imports write "
                f"({type(wanted).__name__}); rename it, or import into another dataset"
            )


def _kind(field: Any) -> tuple[Any, ...]:
    """Returns what two fields have in common that can hold the same values."""
    inner, document = (
        getattr(field, name, None) for name in ("field", "document_type")
    )
    return type(field), type(inner), document


def written_fields(label_field: str, box_field: str) -> list[str]:
    """Returns the names of the fields that every import writes."""
    return [label_field, box_field, BASE_FIELD, *(name for name, *_ in _SAMPLE_FIELDS)]


def _fields(paths: Sequence[str]) -> dict[str, Any]:
    """Returns the fields that every import writes beside the labels, by path."""
    fields: dict[str, Any] = {}
    for name, field_type, subfield, description in _SAMPLE_FIELDS:
        kwargs = {"field": subfield()} if subfield else {}
        fields[name] = field_type(description=description, **kwargs)
    for path in paths:
        for name, field_type, description in _LABEL_ATTRIBUTES:
            fields[f"{path}.{name}"] = field_type(description=description)
    return fields


def _rename_category_ids(dataset: fo.Dataset, path: str) -> None:
    """Gives the category ids that version 0.1 wrote the name that they have now."""
    descriptions = {name: text for name, _, text in _LABEL_ATTRIBUTES}
    field = dataset.get_field(f"{path}.{_OLD_CATEGORY_ID}")
    if field is None or field.description != descriptions["coco_category_id"]:
        return
    old = (_OLD_CATEGORY_ID, f"{_OLD_CATEGORY_ID}_text")
    rename_label_attributes(dataset, path, {name: f"coco_{name}" for name in old})
    # Last, so that a killed import finds it again.
    dataset.delete_sample_field(f"{path}.{_OLD_CATEGORY_ID}")


def declare_text_ids(dataset: fo.Dataset) -> None:
    """Declares the field for ids of images that are text, which few exports have."""
    if dataset.has_field("coco_id_text"):
        return
    with changing_outline(dataset):
        dataset.add_sample_field(
            "coco_id_text",
            fo.StringField,
            description="The image's id in its split's COCO JSON, where that is text",
        )


def store_export_info(
    dataset: fo.Dataset,
    reader: ExportReader,
    attribute_types: AttributeTypes,
    *,
    is_replacing: bool,
) -> None:
    """Stores classes, mask targets and the export's info and report.

    What the dataset has from elsewhere in ``info`` stays.

    Args:
        dataset: the dataset
        reader: the export, of which all images have been read
        attribute_types: the attributes of its annotations
        is_replacing: whether its samples take the place of those of all others
    """
    attribute_types.declare()
    attribute_types.report_moved(reader.report)
    with changing_outline(dataset):
        _store_export_info(dataset, reader, attribute_types, is_replacing)


def _store_export_info(
    dataset: fo.Dataset,
    reader: ExportReader,
    attribute_types: AttributeTypes,
    is_replacing: bool,
) -> None:
    listed = mask_targets(reader.all_categories())
    used = {category.name for category in reader.used_categories()}
    # Those of the import before are listed, or a person has taken them off the list.
    before = classes_before(dataset, attribute_types.label_fields)
    gone: set[str] = set()
    if is_replacing:
        gone = forget_exports(dataset, {*used, *listed.values()})
    targets = kept_values(dataset.default_mask_targets or {}, listed)
    names = [name for _, name in sorted(targets.items()) if name in used]
    added = [name for name in names if name not in before]
    classes = list(dict.fromkeys([*dataset.default_classes, *added]))
    # FiftyOne writes the whole outline for each.
    if classes != dataset.default_classes:
        dataset.default_classes = classes
    if targets != dataset.default_mask_targets:
        dataset.default_mask_targets = targets
    if names:
        fields = list(attribute_types.label_fields)
        colour_classes(dataset, fields, dataset.default_classes)
    declare_label_schemas(dataset, attribute_types.label_fields, names, added, gone)
    for facts in reader.info["splits"].values():
        origins = facts["form"].get("origins", {})
        for new, old in attribute_types.moved.items():
            origins.setdefault(new, origins.get(old, [old, False]))
    report = reader.report.to_dict(MAX_NAMED, _MAX_ISSUE_BYTES)
    # The samples say it, and names of classes cannot be keys in MongoDB.
    del report["classes"]
    info = {
        **reader.info,
        "splits": _by_split(reader.info["splits"]),
        "kinds": attribute_types.kinds,
        "report": {**report, "splits": _by_split(report["splits"])},
    }
    store_info(dataset, attribute_types.label_fields, info)
    dataset.save()


def _by_split(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns facts of splits with keys that MongoDB takes: folders have any name."""
    return {encode_key(name): of_split for name, of_split in facts.items()}


def mask_targets(categories: list[Category]) -> dict[int, str]:
    """Returns the mask value of each category that an export lists.

    It is the category's id, or the id and 1 where one of the ids is 0: a mask's
    background. Which categories are in use does not matter, so that a class has one
    value in every split and version. Only ids that cannot be values (texts, one id with
    two names) make all classes numbered 1..n in the order of their ids.

    Roboflow's root, category 0 of which the others are kinds, is not a class: it is
    left out, or has the highest value if it is in use.
    """
    parents = {c.supercategory for c in categories if c.id != 0}
    roots = [c for c in categories if c.id == 0 and c.original_name in parents]
    listed = [c for c in categories if c not in roots]
    ordered = sorted(listed, key=lambda c: (str(type(c.id)), c.id))
    places = list(dict.fromkeys((c.id, c.original_name) for c in ordered))
    values = {place: number for number, place in enumerate(places, start=1)}
    if _are_values([category_id for category_id, _ in places]):
        shift = int(any(category_id == 0 for category_id, _ in places))
        values = {place: int(place[0] or 0) + shift for place in places}
    targets: dict[int, str] = {}
    # What is in use first: of two categories of one name it may be the second one.
    named: set[str] = set()
    for category in sorted(ordered, key=lambda c: not c.used):
        value = values[category.id, category.original_name]
        if category.name not in named and value not in targets:
            targets[value] = category.name
            named.add(category.name)
    free = max(values.values(), default=0) + 1
    for name in dict.fromkeys(c.name for c in roots if c.used):
        if name not in named:
            targets[free], free = name, free + 1
    return dict(sorted(targets.items()))


def _are_values(ids: list[Any]) -> bool:
    """Whether ids, one for each name, can be the values of a mask."""
    return len(set(ids)) == len(ids) and all(
        isinstance(value, int) and 0 <= value < 65535 for value in ids
    )


def kept_values(present: dict[int, str], targets: dict[int, str]) -> dict[int, str]:
    """Returns the values that a dataset has, and those of new classes beside them."""
    # FiftyOne's targets of coloured masks are texts.
    values = {v: str(name) for v, name in present.items() if isinstance(v, int)}
    named = set(values.values())
    free = max([*values, *targets], default=0) + 1
    for value, name in targets.items():
        if name in named:
            continue
        if value in values:
            value, free = free, free + 1
        values[value] = name
    return dict(sorted(values.items()))
