"""Imports into real datasets: what is written, again, over, and after a kill."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone.core.odm import get_db_conn

from fiftyone_cocomask import (
    CocoMaskError,
    ExportError,
    compute_masks,
    evaluate_mask_area,
    import_roboflow_coco,
)
from fiftyone_cocomask.coco import shared_reading
from fiftyone_cocomask.coco.attributes import RESERVED_NAMES
from fiftyone_cocomask.datasets.documents import insert_encoded_documents
from fiftyone_cocomask.datasets.importing import writer
from fiftyone_cocomask.datasets.parallel.ahead import OneBehind

from .small_export import (
    HEIGHT,
    SQUARE,
    WIDTH,
    annotation,
    image_name,
    imported_content,
    write_changing_export,
    write_small_export,
    write_split,
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_small_export(tmp_path / "export")


def documents(dataset: fo.Dataset) -> list[dict[str, Any]]:
    return list(dataset._sample_collection.find().sort("_id"))


def shape(value: Any, name: str = "") -> Any:
    """Returns a document with the types of its own values in place of the values."""
    own = ("_id", "_rand", "_dataset_id", "created_at", "last_modified_at")
    if name in own:
        return type(value)
    if isinstance(value, dict):
        return {key: shape(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value), value


def test_samples_carry_what_the_export_knows(new_dataset: Any, export: Path) -> None:
    dataset, report = import_roboflow_coco(export, "small", tags=["mine"])
    assert (report.images, report.annotations, report.accounted) == (3, 4, 4)
    sample = dataset.match({"coco_id": 0, "split": "train"}).first()
    assert sample.filepath == str(export / "train" / image_name("a"))
    assert sample.tags == ["train", "mine"]
    assert sample.source_name == "a.jpg"
    assert sample.file_name == image_name("a")
    assert (sample.metadata.width, sample.metadata.height) == (WIDTH, HEIGHT)
    assert sample.metadata.size_bytes == os.path.getsize(sample.filepath)
    assert sample.import_issues is None

    wing, body = sample.segmentations.polylines
    assert (wing.label, body.label) == ("wing", "body")
    assert (wing.coco_id, wing.coco_category_id, wing.iscrowd) == (0, 1, 0)
    assert (wing.supercategory, wing.annotated_area) == ("wing", 150)
    assert wing.closed
    assert wing.filled
    pixels = [[(x * WIDTH, y * HEIGHT) for x, y in ring] for ring in wing.points]
    assert pixels == [list(zip(SQUARE[::2], SQUARE[1::2], strict=True))]
    assert sample.detections.detections[0].bounding_box == [
        5 / WIDTH,
        5 / HEIGHT,
        15 / WIDTH,
        10 / HEIGHT,
    ]


def test_the_dataset_knows_its_classes_and_the_report(
    new_dataset: Any, export: Path
) -> None:
    dataset, report = import_roboflow_coco(export, "small")
    assert dataset.default_classes == ["wing", "body"]
    assert dataset.default_mask_targets == {1: "wing", 2: "body"}
    info = fo.load_dataset("small").info["coco"]
    assert info["report"]["annotations"] == report.annotations
    assert set(info["splits"]) == {"train", "valid"}
    assert info["splits"]["train"]["licenses"][0]["name"] == "CC BY 4.0"
    assert dataset.persistent


def test_documents_equal_those_that_fiftyone_writes(
    new_dataset: Any, export: Path
) -> None:
    ours, _ = import_roboflow_coco(export, "ours")
    theirs = new_dataset("theirs")
    samples = []
    for sample in ours:
        copied = sample.copy()
        # Rebuilt from its values, so that FiftyOne writes every field itself.
        values = {name: copied[name] for name in copied.field_names}
        for name in ("id", "created_at", "last_modified_at"):
            values.pop(name)
        samples.append(fo.Sample(**{k: v for k, v in values.items() if v is not None}))
    theirs.add_samples(samples)
    for mine, reference in zip(documents(ours), documents(theirs), strict=True):
        # The same fields, values and types; ids and times are each one's own.
        assert shape(mine) == shape(reference)


ARGUMENTS_OF_THE_EXPORTER = (
    *("category_id", "image_id", "bbox", "segmentation", "keypoints", "score"),
    *("area", "iscrowd", "self", "cls", "coco_category_id", "num_keypoints"),
)


def test_fiftyone_exports_the_labels_as_coco(new_dataset: Any, tmp_path: Path) -> None:
    hostile = dict.fromkeys(ARGUMENTS_OF_THE_EXPORTER, 7)
    shapes = [
        {"segmentation": [SQUARE], "attributes": hostile},
        {"segmentation": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}},
        {"segmentation": {"size": [HEIGHT, WIDTH], "counts": [0, 60, 1140]}},
        {"iscrowd": 1, "category_id": 2},
    ]
    annotations = [annotation(i, 0, **values) for i, values in enumerate(shapes)]
    write_split(tmp_path / "export", ["a.jpg"], annotations)
    dataset, report = import_roboflow_coco(tmp_path / "export", "small")
    assert report.accounted == 4
    sample = dataset.first()
    sample.segmentations.polylines[0].label = "leg"  # as a person does in the App
    sample.save()
    for field in ("segmentations", "detections"):
        dataset.export(
            export_dir=str(tmp_path / field),
            dataset_type=fo.types.COCODetectionDataset,
            label_field=field,
            export_media=False,
        )
    written = json.loads((tmp_path / "segmentations" / "labels.json").read_text())
    names = {category["id"]: category["name"] for category in written["categories"]}
    labels = [names[item["category_id"]] for item in written["annotations"]]
    assert labels == ["leg", "wing", "wing", "body"]


def test_category_ids_of_version_0_1_get_the_name_that_they_have_now(
    new_dataset: Any, export: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    expected = [contents["segmentations"] for contents in imported_content(dataset)]
    for path in ("segmentations.polylines", "detections.detections"):
        dataset.rename_sample_field(f"{path}.coco_category_id", f"{path}.category_id")
    assert dataset.first().segmentations.polylines[0].category_id == 1
    import_roboflow_coco(export, "small")
    dataset.reload()
    assert [c["segmentations"] for c in imported_content(dataset)] == expected
    assert not dataset.has_field("segmentations.polylines.category_id")
    assert "category_id" not in dataset.first().detections.detections[0].field_names


def test_importing_again_changes_nothing(new_dataset: Any, export: Path) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    before = documents(dataset)
    import_roboflow_coco(export, "small")
    assert documents(dataset) == before


def test_what_others_wrote_stays(new_dataset: Any, export: Path) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    sample = dataset.match({"coco_id": 0, "split": "train"}).first()
    sample["score"] = 0.5
    sample.tags.append("reviewed")
    sample.segmentations.polylines[0].tags.append("good")
    sample.segmentations.polylines[0]["note"] = "checked"
    sample.save()
    kept_id = sample.segmentations.polylines[0].id

    path = export / "train" / "_annotations.coco.json"
    coco = json.loads(path.read_text())
    coco["annotations"][1]["segmentation"] = [[0, 0, 20, 0, 20, 20]]
    path.write_text(json.dumps(coco))
    import_roboflow_coco(export, dataset)

    sample.reload()
    first, second = sample.segmentations.polylines
    assert (sample.score, sample.tags) == (0.5, ["train", "reviewed"])
    assert (first.id, first.tags, first.note) == (kept_id, ["good"], "checked")
    assert tuple(second.points[0][2]) == (20 / WIDTH, 20 / HEIGHT)


def test_a_newer_version_adds_updates_and_names_what_is_gone(
    new_dataset: Any, export: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    newer = tmp_path / "newer"
    write_split(
        newer / "train",
        [image_name("a"), image_name("new")],
        [annotation(7, 0, segmentation=[[0, 0, 8, 0, 8, 8, 0, 8]]), annotation(8, 1)],
    )
    _, report = import_roboflow_coco(newer, dataset)
    assert len(dataset) == 4
    updated = dataset.match({"file_name": image_name("a")}).first()
    assert updated.filepath.startswith(str(newer))
    assert [label.coco_id for label in updated.segmentations.polylines] == [7]
    gone = [i.file_name for i in report.issues if i.code.value == "gone_from_export"]
    # `valid` is not in the newer export, so nothing is said of it.
    assert gone == [image_name("b")]


def test_a_dataset_of_the_same_images_gets_the_labels(
    new_dataset: Any, export: Path
) -> None:
    dataset = new_dataset()
    path = str(export / "train" / image_name("a"))
    dataset.add_sample(fo.Sample(filepath=path, tags=["mine"]))
    import_roboflow_coco(export, dataset)
    assert len(dataset) == 3
    assert dataset[path].tags == ["mine", "train"]
    assert len(dataset[path].segmentations.polylines) == 2


def test_an_export_without_a_usable_image_replaces_nothing(
    new_dataset: Any, export: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    before = documents(dataset)
    info = dict(dataset.info)
    without_images = tmp_path / "json only"
    for path in export.rglob("_annotations.coco.json"):
        folder = without_images / path.parent.name
        folder.mkdir(parents=True)
        shutil.copy(path, folder)
    with pytest.raises(CocoMaskError, match="the samples of dataset 'small' stay"):
        import_roboflow_coco(without_images, "small", if_exists="replace")
    dataset.reload()
    assert documents(dataset) == before
    assert dataset.info == info
    import_roboflow_coco(export, "small", if_exists="replace")
    assert len(dataset) == len(before)


def test_replace_empties_and_error_refuses(new_dataset: Any, export: Path) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    dataset.add_sample(fo.Sample(filepath="/elsewhere.jpg"))
    with pytest.raises(CocoMaskError, match="'small' already exists"):
        import_roboflow_coco(export, "small", if_exists="error")
    assert len(dataset) == 4
    import_roboflow_coco(export, "small", if_exists="replace")
    assert len(fo.load_dataset("small")) == 3


def test_only_the_splits_asked_for_are_imported(new_dataset: Any, export: Path) -> None:
    dataset, report = import_roboflow_coco(export, "small", splits=["valid"])
    assert dataset.distinct("split") == ["valid"]
    assert report.annotations == 1


def test_a_zip_is_unpacked_into_a_folder_of_the_dataset(
    new_dataset: Any, export: Path, tmp_path: Path
) -> None:
    archive = shutil.make_archive(str(tmp_path / "version3"), "zip", export)
    shutil.rmtree(export)
    dataset, _ = import_roboflow_coco(archive)
    assert dataset.name == "version3"
    assert len(dataset) == 3
    folder = Path(fo.config.default_dataset_dir) / "version3"
    for path in dataset.values("filepath"):
        assert Path(path).is_file()
        assert folder in Path(path).parents


def insert_as_late_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inserts samples once the next ones are made, as happens on a busy machine."""
    wait, waiting = OneBehind.wait, threading.Semaphore(0)

    def told(behind: OneBehind) -> None:
        if behind._pending is not None:
            waiting.release()
        wait(behind)

    def insert(*arguments: Any) -> None:
        waiting.acquire(timeout=60)
        insert_encoded_documents(*arguments)

    monkeypatch.setattr(OneBehind, "wait", told)
    monkeypatch.setattr(writer, "insert_encoded_documents", insert)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_samples_are_written_without_saving_their_dataset(
    new_dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    """They are written in a thread, while fields may be declared in another one."""
    monkeypatch.setattr(shared_reading, "BATCH_SIZE", 1)
    monkeypatch.setattr(writer, "BATCH_SIZE", 1)
    outlines: list[Any] = []

    def spied(insert: Any) -> Any:
        def inserted(dataset: fo.Dataset, *arguments: Any) -> None:
            stored = get_db_conn().datasets
            outlines.append(stored.find_one({"name": "x"}))
            insert(dataset, *arguments)
            outlines.append(stored.find_one({"name": "x"}))

        return inserted

    for name in ("insert_documents", "insert_encoded_documents"):
        monkeypatch.setattr(writer, name, spied(getattr(writer, name)))
    names = [image_name("a"), image_name("b")]
    write_split(tmp_path / "export", names, [annotation(0, 0)])
    dataset, _ = import_roboflow_coco(tmp_path / "export", "x", num_workers=num_workers)
    assert outlines[::2] == outlines[1::2]
    assert len(outlines) == 4
    assert dataset.media_type == "image"


@pytest.mark.parametrize("is_zip", [False, True])
def test_processes_import_the_same_as_one(
    new_dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_zip: bool
) -> None:
    monkeypatch.setattr(shared_reading, "BATCH_SIZE", 2)
    export: Path | str = write_changing_export(tmp_path / "export")
    if is_zip:
        export = shutil.make_archive(str(tmp_path / "zipped"), "zip", export)

    def imported(name: str, num_workers: int) -> list[Any]:
        dataset, report = import_roboflow_coco(export, name, num_workers=num_workers)
        places = [Path(d["filepath"]).name for d in documents(dataset)]
        content = imported_content(dataset)
        for row in content:
            row["filepath"] = Path(row["filepath"]).name
        issues = [issue.to_dict() for issue in report.issues]
        schema = list(dataset.get_field_schema(flat=True))
        coco = dict(dataset.info["coco"])
        return [places, content, issues, report.to_dict(), schema, coco]

    one = imported("one", 1)
    assert {"attribute_renamed", "duplicate_file_name"} <= one[3]["counts"].keys()
    with monkeypatch.context() as patched:
        insert_as_late_as_may_be(patched)
        assert imported("several", 3) == one
    # Again: now the samples are known, and two of them are changed by the export.
    dataset = fo.load_dataset("several")
    sample = dataset.match({"coco_id": 0, "split": "train"}).first()
    sample.segmentations.polylines[0].label = "mine"
    sample.save()
    _, report = import_roboflow_coco(export, "several", num_workers=3)
    assert report.merge is not None
    assert (report.merge.edits_kept, report.merge.images_new) == (1, 0)


def test_progress_counts_the_images(new_dataset: Any, export: Path) -> None:
    seen: list[tuple[int, int]] = []
    import_roboflow_coco(
        export, "small", progress=lambda bar: seen.append((bar.iteration, bar.total))
    )
    assert seen[-1] == (3, 3)


def test_own_attributes_are_declared_and_filterable(
    new_dataset: Any, tmp_path: Path
) -> None:
    annotations = [annotation(0, 0, depth=3, attributes={"occluded": True})]
    write_split(tmp_path / "export", [image_name("a")], annotations)
    dataset, _ = import_roboflow_coco(tmp_path / "export", "own")
    assert isinstance(dataset.get_field("segmentations.polylines.depth"), fo.IntField)
    occluded = dataset.filter_labels("segmentations", fo.ViewField("occluded"))
    assert occluded.count("segmentations.polylines") == 1


def test_attributes_keep_their_names_in_other_fields(
    new_dataset: Any, tmp_path: Path
) -> None:
    for name, depth in (("first", [3, 3]), ("second", ["deep", [1, 2]])):
        annotations = [annotation(n, 0, depth=d) for n, d in enumerate(depth)]
        write_split(tmp_path / name, [image_name("a")], annotations)
    dataset, _ = import_roboflow_coco(tmp_path / "first", "own")
    fields = {"label_field": "second", "box_field": "boxes"}
    for _ in range(2):
        _, report = import_roboflow_coco(tmp_path / "second", dataset, **fields)
        # What the second one is in these fields, not in those of the other import.
        (renamed,) = (
            issue.message.partition(":")[0]
            for issue in report.issues
            if issue.code.value == "attribute_renamed"
        )
        assert renamed == "attribute 'depth' is 'depth_list' where it is a list"
        assert dataset.values("second.polylines.depth") == [["deep", None]]
        _, report = import_roboflow_coco(tmp_path / "first", dataset)
        assert "attribute_renamed" not in report.counts()
        assert dataset.values("segmentations.polylines.depth") == [[3, 3]]


def test_ids_that_are_text_are_kept_apart_from_the_numbers(
    new_dataset: Any, tmp_path: Path
) -> None:
    annotations = [annotation(0, 0, id="first"), annotation(1, 0)]
    write_split(tmp_path / "export", [image_name("a")], annotations)
    dataset, report = import_roboflow_coco(tmp_path / "export", "ids")
    first, second = dataset.first().segmentations.polylines
    assert (first["coco_id_text"], second.coco_id) == ("first", 1)
    assert report.accounted == 2


def test_names_that_labels_have_themselves_are_reserved() -> None:
    own = {
        name
        for label_type in (fo.Polyline, fo.Detection)
        for name in dir(label_type())
        if not name.startswith("_")
    }
    assert own <= RESERVED_NAMES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"if_exists": "append"}, "if_exists must be"),
        ({"label_field": "same", "box_field": "same"}, "are both 'same'"),
        ({"label_field": "not a name"}, "label_field must be a field name"),
        ({"label_field": "filepath"}, "label_field must not be 'filepath'"),
        ({"splits": ["holdout"]}, "holdout"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_written(
    new_dataset: Any, export: Path, arguments: dict[str, Any], message: str
) -> None:
    dataset = new_dataset("target")
    schema = set(dataset.get_field_schema())
    with pytest.raises(CocoMaskError, match=message):
        import_roboflow_coco(export, dataset, **arguments)
    assert len(dataset) == 0
    assert set(dataset.get_field_schema()) == schema


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("\u00dcbung 1", "\u00dcbung 1"),
        ("\u65e5\u672c", "export"),
        ("__", "export"),
        ("x\n\x1b[2J", "x__[2J"),
        ("n" * 200, "n" * 80),
    ],
)
def test_a_new_dataset_is_named_after_the_export_as_far_as_it_can_be(
    export: Path, tmp_path: Path, folder: str, name: str
) -> None:
    dataset, _ = import_roboflow_coco(shutil.copytree(export, tmp_path / folder))
    assert dataset.name == name
    dataset.delete()


def test_a_wrong_path_makes_no_dataset(new_dataset: Any, tmp_path: Path) -> None:
    before = fo.list_datasets()
    with pytest.raises(ExportError):
        import_roboflow_coco(tmp_path / "nothing", "never")
    assert fo.list_datasets() == before


def test_an_image_with_20000_annotations_is_imported_as_far_as_it_fits(
    tmp_path: Path,
) -> None:
    annotations = [annotation(number, 0) for number in range(20_000)]
    export = write_split(tmp_path / "train", [image_name("a")], annotations).parent
    dataset, report = import_roboflow_coco(export, "full")
    assert report.accounted == 20_000
    assert 10_000 < report.imported < 20_000
    assert dataset.count("detections.detections") == report.imported
    # Of the last one there may be room for no more than its box.
    objects = dataset.count("segmentations.polylines")
    assert objects in (report.imported, report.imported - 1)
    # What is written on each label by two evaluations fits as well.
    compute_masks(dataset, mode="instance")
    labels = {"label_field": "segmentations"}
    for key in ("first", "second"):
        area = evaluate_mask_area(dataset, eval_key=key, **labels)
        assert area.summary()["objects"] == objects
    dataset.delete()
