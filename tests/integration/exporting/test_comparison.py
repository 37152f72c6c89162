"""An export compared with the dataset made of it, and views of what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.cli import main
from fiftyone_cocomask.datasets.exporting.comparison_views import (
    save_comparison_views,
)

from ..small_export import annotation, image_name, write_small_export, write_split
from .exports import write_cocos_own


def test_an_export_is_the_same_as_its_dataset(new_dataset: Any, tmp_path: Path) -> None:
    for number, write in enumerate((write_small_export, write_cocos_own)):
        source = write(tmp_path / str(number))
        dataset, _ = fcm.import_roboflow_coco(source)
        assert fcm.compare_exports(source, dataset).is_same
        assert fcm.compare_exports(dataset, source).is_same


def test_edits_of_a_dataset_are_counted_and_shown(
    new_dataset: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    source = write_small_export(tmp_path / "source")
    dataset, _ = fcm.import_roboflow_coco(source, "compared")
    sample = dataset.match_tags("train").first()
    wing = sample.segmentations.polylines[0]
    wing.label = "tail"
    shape = [(0.5, 0.5), (0.9, 0.5), (0.9, 0.9)]
    drawn = fo.Polyline(label="wing", points=[shape], closed=True, filled=True)
    sample.segmentations.polylines = [wing, drawn]
    sample.save()

    comparison = fcm.compare_exports(source, dataset)
    counts = {k: v for k, v in comparison.annotations.items() if v}
    assert counts == {"unchanged": 2, "relabelled": 1, "added": 1, "removed": 1}
    assert comparison.classes_added == ["tail"]
    assert comparison.classes_removed == ["body"]

    views = save_comparison_views(dataset, comparison, "segmentations")
    assert set(views) == {"relabelled", "added", "removed"}
    for kind, label in (("relabelled", wing), ("added", drawn)):
        view = dataset.load_saved_view(views[kind])
        assert view.values("segmentations.polylines.id", unwind=True) == [label.id]
    assert dataset.load_saved_view(views["removed"]).values("id") == [sample.id]

    # The same, the other way round.
    comparison = fcm.compare_exports(dataset, source)
    views = save_comparison_views(dataset, comparison, "segmentations")
    assert set(views) == {"relabelled", "added", "removed"}
    for kind, label in (("relabelled", wing), ("removed", drawn)):
        view = dataset.load_saved_view(views[kind])
        assert view.values("segmentations.polylines.id", unwind=True) == [label.id]
    assert dataset.load_saved_view(views["added"]).values("id") == [sample.id]

    assert main(["diff", str(source), "compared", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["annotations"]["added"] == 1
    assert main(["diff", str(source), str(source)]) == 0
    assert main(["diff", str(source), "no-such-dataset"]) == 2


def test_edited_boxes_without_polygons_are_shown(
    new_dataset: Any, tmp_path: Path
) -> None:
    boxed = annotation(1, 0, segmentation=[], bbox=[1, 2, 30, 20], area=600)
    names, annotations = [image_name("a")], [annotation(0, 0), boxed]
    source = write_split(tmp_path / "source" / "train", names, annotations).parent
    dataset, _ = fcm.import_roboflow_coco(source)
    sample = dataset.first()
    sample.detections.detections[1].bounding_box = [0.1, 0.1, 0.6, 0.6]
    sample.save()
    for pair in ((source, dataset), (dataset, source)):
        comparison = fcm.compare_exports(*pair)
        views = save_comparison_views(dataset, comparison, "segmentations")
        assert list(views) == ["edited"]
        view = dataset.load_saved_view(views["edited"])
        shown = view.values("detections.detections.id", unwind=True)
        assert shown == [sample.detections.detections[1].id]
        assert view.count("segmentations.polylines") == 0


def test_two_annotators_of_one_dataset_are_compared(
    new_dataset: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    dataset, _ = fcm.import_roboflow_coco(write_small_export(tmp_path / "source"))
    dataset.clone_sample_field("segmentations", "second")
    sample = dataset.match_tags("train").first()
    sample.second.polylines[0].label = "tail"
    del sample.second.polylines[1]
    sample.save()
    fields = {"old_label_field": "segmentations", "label_field": "second"}
    changes = fcm.compare_exports(dataset, dataset, **fields).changes()
    assert sorted(changes["change"]) == ["relabelled", "removed"]
    command = ["diff", dataset.name, dataset.name, "--label-field", "second"]
    assert main(command) == 0
    assert main([*command, "--old-label-field", "segmentations"]) == 1
    assert "1 removed" in capsys.readouterr().out
