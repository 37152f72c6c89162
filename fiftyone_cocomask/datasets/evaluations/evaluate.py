"""What area and coverage evaluations share: checks, one pass, and the run."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ...errors import CocoMaskError
from ..masks import mask_options
from ..memory import frozen_heap
from .fields import EvaluationFields, delete_fields, owned_paths
from .label_lists import LabelList
from .passes import EvaluationKind, EvaluationPass
from .runs import check_new_run, register_run


def run_evaluation(
    samples: Any,
    kind: EvaluationKind,
    eval_key: str,
    mask_field: str,
    label_field: str | None,
    *,
    overwrite: bool,
    progress: Any,
) -> Any:
    """Evaluates the samples of a dataset or view and registers the run.

    Everything is checked before anything is written. The run is registered before the
    pass and gets its results after it, so that one that was stopped is known as such.

    Returns:
        FiftyOne's ``RunResults``
    """
    samples = checked_samples(samples)
    dataset = samples._root_dataset
    check_mask_field(dataset, mask_field)
    names = class_names(dataset, mask_field)
    labels = None
    if label_field is not None:
        labels = LabelList.of_field(dataset, label_field)
    fields = _fields_of(
        kind, eval_key, labels.path if labels else None, has_names=names is not None
    )
    check_new_run(dataset, fields, overwrite=overwrite)
    outdated = set(owned_paths(dataset, fields.owner())) - set(fields.paths)
    if outdated:
        delete_fields(dataset, sorted(outdated), eval_key)
    register_run(samples, fields, mask_field, label_field)
    fields.declare(dataset)
    samples.compute_metadata(progress=False)
    evaluation_pass = EvaluationPass(samples, kind, fields, mask_field, labels, names)
    with frozen_heap():
        report = evaluation_pass.run(progress)
    results = samples.init_run_results(
        eval_key,
        without_number=report.without_number,
        num_without_number=report.num_without_number,
        num_other_size=report.num_other_size,
        num_changed=report.num_changed,
    )
    samples.save_run_results(eval_key, results)
    return results


def checked_samples(samples: Any) -> Any:
    """Returns what to evaluate: of a grouped dataset its active slice, as a view.

    Raises:
        CocoMaskError: if it does not hold images
    """
    dataset = samples._root_dataset
    if samples._dataset is not dataset:
        raise CocoMaskError(
            "Patches and clips cannot be evaluated; give the dataset, or a view of "
            "its samples"
        )
    if samples.media_type == "group":
        return samples.select_group_slices(samples.group_slice)
    if samples.media_type not in ("image", None):
        raise CocoMaskError(
            f"Dataset '{dataset.name}' holds {samples.media_type} samples; masks are "
            "evaluated on images"
        )
    return samples


def check_mask_field(dataset: fo.Dataset, mask_field: str) -> None:
    """Checks that a dataset has a field of masks.

    Raises:
        CocoMaskError: if it has not
    """
    present = dataset.get_field(mask_field)
    if getattr(present, "document_type", None) is not fo.Segmentation:
        names = [
            name
            for name, item in dataset.get_field_schema().items()
            if getattr(item, "document_type", None) is fo.Segmentation
        ]
        has = f"it has {', '.join(names)}" if names else "compute masks first"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no Segmentation field '{mask_field}'; {has}"
        )


def class_names(dataset: fo.Dataset, mask_field: str) -> dict[int, str] | None:
    """Returns the class of each value in a field's masks.

    None where values are no classes: those of binary and instance masks, and masks
    whose values neither the field's nor the dataset's mask targets name.
    """
    made = mask_options(dataset, mask_field)
    if made is not None and made["mode"] != "semantic":
        return None
    targets = dataset.mask_targets.get(mask_field) or dataset.default_mask_targets
    names = {k: str(v) for k, v in (targets or {}).items() if isinstance(k, int) and k}
    return names or None


def _fields_of(
    kind: EvaluationKind, eval_key: str, label_path: str | None, *, has_names: bool
) -> EvaluationFields:
    with_labels = label_path is not None
    # Each label with its area says more than a list of classes beside it.
    labels_say_it = bool(with_labels and kind.label_specs)
    return EvaluationFields(
        kind=kind.name,
        eval_key=eval_key,
        sample_specs=kind.sample_specs
        + (kind.sample_specs_with_labels if with_labels else ()),
        label_specs=kind.label_specs if with_labels else (),
        label_path=label_path,
        has_classes=(with_labels or has_names) and not labels_say_it,
    )
