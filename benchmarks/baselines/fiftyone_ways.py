"""FiftyOne's own functions for what stages do."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.utils.labels as foul
import numpy as np

import fiftyone_cocomask as fcm

from ..stages import LABELS, Case
from . import Baseline


def _import(case: Case, dataset: None) -> None:
    fo.Dataset.from_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(case.export),
        labels_path=str(case.export / "_annotations.coco.json"),
        label_types=["detections", "segmentations"],
        use_polylines=True,
        name=_theirs(case),
        persistent=True,
    )


def _same_objects(case: Case, dataset: None, found: None) -> None:
    path = f"{LABELS}.polylines.label"
    ours, theirs = case.dataset(), fo.load_dataset(_theirs(case))
    assert ours.count_values(path) == theirs.count_values(path)


def _draw(case: Case, dataset: None) -> None:
    foul.objects_to_segmentations(
        fo.load_dataset(_theirs(case)),
        LABELS,
        "mask",
        output_dir=str(case.masks("theirs")),
    )


def _similar_masks(case: Case, dataset: None, found: None) -> None:
    """Holds a few of FiftyOne's masks to ours: it rounds outlines to whole pixels."""
    ours, theirs = case.dataset(), fo.load_dataset(_theirs(case))
    for sample in ours.limit(20):
        mask = sample.mask.get_mask() > 0
        other = theirs[sample.filepath].mask.get_mask() > 0
        assert np.count_nonzero(mask & other) > 0.95 * np.count_nonzero(mask | other)
    fo.delete_dataset(_theirs(case))
    case.put_away(case.masks("theirs"))


def _theirs(case: Case) -> str:
    return f"{case.name}-theirs"


def _export(case: Case, dataset: None) -> None:
    case.dataset().export(
        export_dir=str(case.masks("exported")),
        dataset_type=fo.types.COCODetectionDataset,
        label_field=LABELS,
        export_media=False,
        overwrite=True,
    )


def _compare_masks(case: Case, dataset: Any) -> Any:
    return dataset.evaluate_segmentations(
        "edited_mask", gt_field=f"{LABELS}_mask", eval_key="theirs"
    )


def _same_matrix(case: Case, dataset: Any, found: Any) -> None:
    ours = fcm.compare_masks(
        dataset, "edited_mask", f"{LABELS}_mask", eval_key="ours"
    ).results
    values = ("accuracy", "precision", "recall")
    for name in values:
        assert np.allclose(
            dataset.values(f"ours_{name}"), dataset.values(f"theirs_{name}")
        )
    total = np.asarray(ours.pixel_confusion_matrix).sum()
    assert total == np.asarray(found.pixel_confusion_matrix).sum()


def _add_instances(case: Case, dataset: Any) -> None:
    """Adds the objects of both versions as boxes with instance masks."""
    for sample in dataset.iter_samples(autosave=True):
        size = (sample.metadata.width, sample.metadata.height)
        for field in (LABELS, "edited"):
            sample[f"{field}_instances"] = fo.Detections(
                detections=[
                    line.to_detection(frame_size=size)
                    for line in sample[field].polylines
                ]
            )


def _match_objects(case: Case, dataset: Any) -> Any:
    return dataset.evaluate_detections(
        "edited_instances",
        gt_field=f"{LABELS}_instances",
        eval_key="matched",
        use_masks=True,
        classwise=False,
    )


def _same_pairs(case: Case, dataset: Any, found: Any) -> None:
    both = case.versions()
    table = fcm.load_mask_evaluation(both, "versions").objects(both.limit(len(dataset)))
    ours = int(table["outcome"].isin(["found", "confused"]).sum())
    pairs = zip(found.ytrue, found.ypred, strict=True)
    theirs = sum(found.missing not in pair for pair in pairs)
    # Those just at the least IoU may differ: FiftyOne crops masks to rounded boxes.
    assert abs(ours - theirs) <= 0.01 * len(table)


IMPORT = Baseline("`Dataset.from_dir`", _import, _same_objects, of=None, images=None)
MASKS = Baseline(
    "`objects_to_segmentations`", _draw, _similar_masks, of=None, images=None
)
EXPORT = Baseline("`COCODetectionDatasetExporter`", _export, of=None, images=None)
COMPARE_MASKS = Baseline(
    "`evaluate_segmentations`", _compare_masks, _same_matrix, of="versions", images=50
)
MATCH_OBJECTS = Baseline(
    "`evaluate_detections(use_masks=True)`",
    _match_objects,
    _same_pairs,
    of="versions",
    images=50,
    begin=_add_instances,
)
