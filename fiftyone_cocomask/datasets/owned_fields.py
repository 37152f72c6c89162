"""The fields that an evaluation writes: declared, owned, renamed and deleted.

Each field says in its ``info`` which evaluation it belongs to, so that no evaluation
overwrites what is not its own and a killed one can be run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ..errors import CocoMaskError
from .documents import declare_missing_paths
from .locks import changing_outline

# The key under which a field's `info` says whose it is; of masks, how they were made.
INFO_KEY = "cocomask"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of an evaluation.

    Attributes:
        suffix: what follows the eval key in its name
        field_type: the type of its values
        description: its definition, with the unit
    """

    suffix: str
    field_type: type
    description: str


CLASSES_SUFFIX = "classes"


@dataclass(frozen=True, slots=True)
class EvaluationFields:
    """The paths of an evaluation's fields under its eval key.

    Attributes:
        kind: ``"area"`` or ``"coverage"``
        eval_key: the eval key
        sample_specs: the fields on each sample
        label_specs: the fields on each label
        label_path: the path of the labels, such as ``"segmentations.polylines"``, or
            None if there are none
        has_classes: whether each sample lists the pixels of its classes
    """

    kind: str
    eval_key: str
    sample_specs: tuple[FieldSpec, ...]
    label_specs: tuple[FieldSpec, ...]
    label_path: str | None
    has_classes: bool

    def on_sample(self, suffix: str) -> str:
        """Returns the path of a field of the samples."""
        return f"{self.eval_key}_{suffix}"

    def on_label(self, suffix: str) -> str:
        """Returns the path of a field of the labels."""
        return f"{self.label_path}.{self.eval_key}_{suffix}"

    @property
    def sample_paths(self) -> list[str]:
        """The paths on the samples, the list of classes last."""
        suffixes = [spec.suffix for spec in self.sample_specs]
        if self.has_classes:
            suffixes.append(CLASSES_SUFFIX)
        return [self.on_sample(suffix) for suffix in suffixes]

    @property
    def label_paths(self) -> list[str]:
        """The paths on the labels."""
        if self.label_path is None:
            return []
        return [self.on_label(spec.suffix) for spec in self.label_specs]

    @property
    def paths(self) -> list[str]:
        """All paths."""
        return self.sample_paths + self.label_paths

    def owner(self) -> dict[str, str]:
        """Returns what each field's ``info`` holds under :data:`INFO_KEY`."""
        return {"evaluation": self.kind, "eval_key": self.eval_key}

    def check_free(self, dataset: fo.Dataset) -> None:
        """Checks that no field in the way belongs to anything else.

        Raises:
            CocoMaskError: if one does
        """
        for path in self.paths:
            field = dataset.get_field(path)
            if field is not None and field_owner(field) != self.owner():
                raise CocoMaskError(
                    f"Dataset '{dataset.name}' has a field '{path}' that does not "
                    f"belong to a mask {self.kind} evaluation '{self.eval_key}'; give "
                    "another eval_key"
                )

    def declare(self, dataset: fo.Dataset) -> None:
        """Adds the fields to the dataset and to a group of the sidebar."""
        if self._is_declared(dataset):
            return
        with changing_outline(dataset):
            declare_missing_paths(dataset, self._declared())
            _add_to_sidebar_group(dataset, self.sample_paths, self.eval_key)

    def _is_declared(self, dataset: fo.Dataset) -> bool:
        groups = dataset.app_config.sidebar_groups or ()
        own = {path for g in groups if g.name == self.eval_key for path in g.paths}
        return own.issuperset(self.sample_paths) and all(
            map(dataset.has_field, self.paths)
        )

    def _declared(self) -> dict[str, fo.Field]:
        """Returns the fields by their paths, each after that which it is a part of."""
        specs = [(self.on_sample(spec.suffix), spec) for spec in self.sample_specs]
        if self.label_path is not None:
            specs += [(self.on_label(spec.suffix), spec) for spec in self.label_specs]
        fields = {
            path: self._owned(spec.field_type, spec.description) for path, spec in specs
        }
        if self.has_classes:
            fields[self.on_sample(CLASSES_SUFFIX)] = self._classes_field()
        return fields

    def _classes_field(self) -> fo.Field:
        parts = (
            ("label", fo.StringField, "The class"),
            ("px", fo.IntField, "Its visible pixels in the mask"),
            ("ratio", fo.FloatField, "These pixels / all pixels of the mask, 0..1"),
        )
        fields = []
        for name, field_type, description in parts:
            field = self._owned(field_type, description)
            field.name = field.db_field = name
            fields.append(field)
        return self._owned(
            fo.ListField,
            "The classes in the mask, each with its visible pixels and their share of "
            "the image",
            field=fo.EmbeddedDocumentField(fo.DynamicEmbeddedDocument, fields=fields),
        )

    def _owned(self, field_type: type, description: str, **kwargs: Any) -> Any:
        return field_type(
            description=description, info={INFO_KEY: self.owner()}, **kwargs
        )


def field_owner(field: Any) -> dict[str, str] | None:
    """Returns the evaluation that a field says it belongs to, or None."""
    return (field.info or {}).get(INFO_KEY)


def owned_paths(dataset: fo.Dataset, owner: dict[str, str]) -> list[str]:
    """Returns the paths of all fields that belong to an evaluation."""
    paths: list[str] = []
    for path, field in dataset.get_field_schema(flat=True).items():
        is_child = any(path.startswith(parent + ".") for parent in paths)
        if field_owner(field) == owner and not is_child:
            paths.append(path)
    return paths


def delete_fields(dataset: fo.Dataset, paths: list[str], group: str) -> None:
    """Deletes fields, and the sidebar's group of them once it is empty."""
    with changing_outline(dataset):
        present = [path for path in paths if dataset.has_field(path)]
        if present:
            dataset.delete_sample_fields(present)
        groups = dataset.app_config.sidebar_groups
        if groups is not None:
            dataset.app_config.sidebar_groups = [
                item for item in groups if item.name != group or item.paths
            ]
            dataset.save()


def add_to_sidebar_group(dataset: fo.Dataset, paths: list[str], group: str) -> None:
    """Puts fields of samples into a group of the App's sidebar that bears a name."""
    with changing_outline(dataset):
        _add_to_sidebar_group(dataset, paths, group)


def _add_to_sidebar_group(dataset: fo.Dataset, paths: list[str], group: str) -> None:
    config = dataset.app_config
    groups = config.sidebar_groups
    if groups is None:
        groups = fo.DatasetAppConfig.default_sidebar_groups(dataset)
    # Not those of fields whose content the App cannot show, which would be empty.
    config.sidebar_groups = [
        item for item in groups if item.paths or not dataset.has_field(item.name)
    ]
    own = next((item for item in config.sidebar_groups if item.name == group), None)
    if own is None:
        own = fo.SidebarGroupDocument(name=group, paths=[])
        config.sidebar_groups.append(own)
    for item in config.sidebar_groups:
        if item is not own:
            item.paths = [path for path in item.paths if path not in paths]
    own.paths = [*own.paths, *(path for path in paths if path not in own.paths)]
    dataset.save()
