"""Datasets and views: what stands behind them, and their stages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any

import fiftyone.core.stages as fos
from bson import ObjectId
from fiftyone.core.odm import get_db_conn

from ...errors import CocoMaskError
from ...fiftyone_types import Dataset, SampleCollection
from ..database_errors import explain_database_errors

Document = dict[str, Any]
# What :func:`current_dataset` compares.
_OUTLINE = ("sample_fields", "runs", "evaluations", "app_config.sidebar_groups")


def dataset_id(dataset: Dataset) -> ObjectId:
    """Returns the id of a dataset, which it keeps when it is renamed."""
    return dataset._doc.id


def whole_samples(samples: SampleCollection) -> SampleCollection:
    """Returns the samples that a view is of: each alone, and whole.

    Of patches those that they are of, of dynamic groups all that are in them, each with
    all of its fields; other views as they are.
    """
    samples = ungrouped_samples(samples)
    if not getattr(samples, "_is_generated", False):
        return with_all_fields(samples)
    ids = samples.distinct("sample_id")
    return all_images(samples._root_dataset).select(ids)


def all_images(samples: SampleCollection) -> SampleCollection:
    """Returns samples; of groups, a view of the images of all slices.

    Else those of the active slice alone would be looked through.
    """
    if samples.media_type == "group":
        return samples.select_group_slices(media_type="image")
    return samples


def ungrouped_samples(samples: SampleCollection) -> SampleCollection:
    """Returns all samples of dynamic groups (``group_by``); other views as they are.

    Raises:
        CocoMaskError: if FiftyOne cannot tell them
    """
    if not getattr(samples, "_is_dynamic_groups", False):
        return samples
    _, _, all_groups, _ = samples._parse_dynamic_groups()
    if len(all_groups._stages) + 1 == len(samples._stages):
        # Else MongoDB would look through all samples for those of each group.
        return all_groups
    flat = samples.flatten()
    if flat.media_type == "group" and flat.group_slice is None:
        # FiftyOne takes them for groups, with slices that they do not have.
        raise CocoMaskError(
            "The view has stages after the group_by() of a slice; give it without "
            "group_by()"
        )
    return flat


def with_all_fields(samples: SampleCollection) -> SampleCollection:
    """Returns a view without the stages that choose fields; other views as they are.

    Figures are in fields, and so are splits, which are in the names of mask files: both
    are those of the sample, whatever of it a view leaves out.

    Args:
        samples: a dataset, or a view that is not one of patches, clips or frames
    """
    stages = getattr(samples, "_stages", [])
    kept = [
        s for s in stages if not isinstance(s, (fos.SelectFields, fos.ExcludeFields))
    ]
    if len(kept) == len(stages):
        return samples
    if not kept and samples.media_type != "group":
        return samples._dataset
    # A copy, since the active slice of groups is no stage.
    view = copy(samples)
    view._stages[:] = kept
    view._set_name(None)
    return view


def showing(samples: SampleCollection, names: Iterable[str]) -> SampleCollection:
    """Returns a view with some fields that it may hide; its samples are the same.

    Args:
        samples: a dataset or view
        names: the names of the fields; those that its dataset lacks are left out
    """
    there = {name for name in names if samples._dataset.has_field(name)}
    hidden = {name for name in there if not samples.has_field(name)}
    if not hidden:
        return samples
    view = samples._base_view
    for stage in samples._stages:
        if isinstance(stage, fos.SelectFields):
            selected = {*stage.get_selected_fields(view), *hidden}
            stage = fos.SelectFields(sorted(selected), _allow_missing=True)
        elif isinstance(stage, fos.ExcludeFields):
            excluded = set(stage.get_excluded_fields(view)) - hidden
            stage = fos.ExcludeFields(sorted(excluded), _allow_missing=True)
        view = view.add_stage(stage)
    return view


def root_dataset(samples: SampleCollection) -> Dataset:
    """Returns the dataset behind a view, also behind one of patches or frames."""
    return samples._root_dataset


def current_dataset(samples: SampleCollection) -> Dataset:
    """Returns the dataset behind a view as it is now, with what others have changed.

    FiftyOne keeps what it loaded. It saves a change of a field by the field's place in
    the schema, which would be another field's after somebody has deleted one before it.

    Raises:
        DatabaseError: if MongoDB cannot be reached
    """
    dataset = root_dataset(samples)
    with explain_database_errors():
        stored = get_db_conn().datasets.find_one(
            {"_id": dataset_id(dataset)}, dict.fromkeys(_OUTLINE, 1)
        )
        if stored is not None and _outline(stored) != _outline(_loaded(dataset)):
            dataset.reload()
    return dataset


def backing_dataset(samples: SampleCollection) -> Dataset:
    """Returns the dataset whose documents a view shows.

    Of patches, clips and frames, a temporary one of FiftyOne's; else that behind it.
    """
    return samples._dataset


def is_generated(samples: SampleCollection) -> bool:
    """Whether a view is one of patches, clips or frames."""
    return samples._is_generated


def patches_field(samples: SampleCollection) -> str | None:
    """Returns the field of whose labels a view shows patches; None of other views."""
    field: str | None = getattr(samples, "patches_field", None)
    return field


def reload_patches(samples: SampleCollection) -> None:
    """Makes the patches of a view anew, once labels that they are of have changed."""
    if samples._is_generated:
        samples.reload()


def serialized(view: SampleCollection) -> list[Document]:
    """Returns the stages of a view as the App has them."""
    return view._serialize()


def serialized_stage(stage: Any) -> Document:
    """Returns a stage of a view as the App has it."""
    return stage._serialize()


def pipeline(samples: SampleCollection) -> list[Document]:
    """Returns MongoDB's stages that make a view."""
    return samples._pipeline()


def _outline(stored: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns what a dataset has, in the order of the lists it is in."""
    groups = (stored.get("app_config") or {}).get("sidebar_groups") or ()
    fields = stored.get("sample_fields") or ()
    return (
        list(db_paths(fields)),
        # How masks are made stands there.
        [field.get("info") or None for field in fields],
        # With their documents, of which one that is made anew has another.
        [dict(stored.get(kind) or {}) for kind in ("runs", "evaluations")],
        [group["name"] for group in groups],
    )


def _loaded(dataset: Dataset) -> Document:
    """Returns what FiftyOne has loaded of a dataset, of what :func:`_outline` compares.

    MongoEngine makes the whole document in ten times the time.
    """
    document = dataset._doc
    runs = document.to_mongo(fields=["runs", "evaluations"])
    groups = document.app_config.sidebar_groups or ()
    return {
        **runs,
        "sample_fields": _field_documents(document._data["sample_fields"]),
        "app_config": {"sidebar_groups": [{"name": group.name} for group in groups]},
    }


def _field_documents(fields: Iterable[Any]) -> list[Document]:
    return [
        {**field._data, "fields": _field_documents(field._data["fields"] or ())}
        for field in fields
    ]


def db_paths(fields: Sequence[Document], parent: str = "") -> Iterator[str]:
    """Yields the paths of a stored schema's fields as MongoDB has them."""
    for field in fields:
        path = parent + (field.get("db_field") or field["name"])
        yield path
        yield from db_paths(field.get("fields") or (), f"{path}.")
