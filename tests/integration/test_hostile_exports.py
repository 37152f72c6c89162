"""The whole way from an export of hostile names and values to other exports."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

import fiftyone_cocomask as fcm

from .small_export import HEIGHT, WIDTH, annotation, write_split

NAMES = [
    *("_cls", "_id", "$merge", "$oid", "$date", "a.b", "", "id", "pk", "self", "cls"),
    *("label", "points", "tags", "attributes", "category_id", "score", "_private"),
    *("a b", "ünï", "%5Fcls", "get_field", "x" * 300, "\u202e", "\n", "with\0nul"),
    *("bounding_box", "mask", "instance", "copy", "confidence", "index", "class"),
]
LEAVES: list[Any] = [
    *(None, True, 0, -1, 2**63, -(2**70), 1.5, 1e308, "", "$label", "$$ROOT", "a\0b"),
    *("$merge", "_cls", "text", "\ud83d\ude00", [], {}),
]
CLASSES = ["$label", "a.b", "_cls", "$$ROOT", "wing", " ", "x" * 150, "1"]


def value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth > 3 or kind < 0.5:
        return rng.choice(LEAVES)
    if kind < 0.7:
        return [value(rng, depth + 1) for _ in range(rng.randrange(3))]
    return mapping(rng, depth + 1)


def mapping(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    return {name: value(rng, depth) for name in rng.sample(NAMES, rng.randrange(1, 6))}


def hostile_split(folder: Path, rng: random.Random) -> Path:
    """Writes a split of two images whose every name and value is hostile."""
    own = ("bbox", "segmentation", "area", "iscrowd", "image_id", "category_id", "id")
    annotations = []
    for number in range(5):
        attributes = {k: v for k, v in mapping(rng).items() if k not in own}
        if number % 2:
            attributes = {"attributes": attributes}
        annotations.append(
            annotation(number, number % 2, category_id=number % 3, **attributes)
        )
    names = rng.sample(CLASSES, 3)
    categories = [
        {
            **mapping(rng),
            "id": number,
            "name": name,
            "supercategory": rng.choice(LEAVES),
        }
        for number, name in enumerate(names)
    ]
    write_split(
        folder,
        ["$a.jpg", "_cls.jpg"],
        annotations,
        categories=categories,
        info={**mapping(rng), "contributor": value(rng)},
        licenses=[mapping(rng)],
        **{f"own {rng.choice(NAMES)}": value(rng)},
    )
    path = folder / "_annotations.coco.json"
    export = json.loads(path.read_text())
    first = rng.randrange(1000)
    for image in export["images"]:
        image["extra"] = {**mapping(rng), "user_tags": ["$tag", "a.b"]}
        image["id"] += first
    for item in export["annotations"]:
        item["image_id"] += first
    path.write_text(json.dumps(export))
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_everything_works_after_an_import_of_anything(
    new_dataset: Any, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    name = f"hostile {seed}"
    for version in ("one", "two"):
        for split in ("_cls", "v1.0"):
            hostile_split(tmp_path / version / split, rng)
    dataset, report = fcm.import_roboflow_coco(tmp_path / "one", name)
    assert report.accounted == report.annotations == 10
    dataset, report = fcm.import_roboflow_coco(tmp_path / "two", name)
    assert report.accounted == report.annotations == 10
    masks = fcm.compute_masks(dataset, mode="semantic")
    assert masks.num_skipped == 0, masks.skipped
    area = fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    cover = fcm.evaluate_mask_coverage(
        dataset, label_field="segmentations", eval_key="cover"
    )
    found = fcm.find_mask_issues(dataset)
    fcm.fix_mask_issues(dataset)
    fcm.undo_mask_fixes(dataset)
    fcm.compare_masks(dataset, "mask", eval_key="same")
    for evaluation in (area, cover):
        assert evaluation.summary()
        assert evaluation.per_split()["images"].sum() == len(dataset)
    labels = dataset.count_values("segmentations.polylines.label")
    table = area.per_class()
    assert dict(zip(table["class"], table["objects"], strict=True)) == labels
    fcm.rename_mask_evaluation(dataset, "area", "renamed")
    fcm.delete_mask_evaluation(dataset, "renamed")
    for saved in found.views.values():
        assert len(dataset.load_saved_view(saved)) > 0
    fcm.clear_mask_issues(dataset)
    fcm.export_masks(dataset, "mask", tmp_path / "masks")
    fcm.export_cutouts(dataset, "segmentations", tmp_path / "cutouts")
    check_public_api(fo.load_dataset(name), tmp_path)


def check_public_api(dataset: fo.Dataset, folder: Path) -> None:
    """Does with a dataset what its users do."""
    dataset.reload()
    for sample in dataset.iter_samples(autosave=True):
        sample.tags.append("seen")
        sample.segmentations.polylines[0].label = "changed"
        assert fo.Sample.from_dict(sample.to_dict()).filepath == sample.filepath
        assert sample.to_json()
    assert dataset.first().metadata.width == WIDTH
    assert dataset.last().metadata.height == HEIGHT
    assert dataset.match_tags("seen").count() == len(dataset)
    view = dataset.filter_labels("segmentations", F("label") == "changed")
    assert view.count("segmentations.polylines") == len(dataset)
    assert dataset.get_dynamic_field_schema() is not None
    assert len(dataset.to_patches("segmentations")) > 0
    clone = dataset.clone("cloned")
    assert clone.info["coco"]["splits"].keys() == dataset.info["coco"]["splits"].keys()
    clone.add_dynamic_sample_fields()
    for kind, field in (
        (fo.types.COCODetectionDataset, "segmentations"),
        (fo.types.COCODetectionDataset, "detections"),
        (fo.types.CVATImageDataset, "detections"),
        (fo.types.FiftyOneDataset, None),
        (fo.types.FiftyOneImageDetectionDataset, "detections"),
    ):
        dataset.export(
            export_dir=str(folder / f"{kind.__name__}_{field}"),
            dataset_type=kind,
            label_field=field,
            export_media=False,
        )
    copied = fo.Dataset.from_dir(
        dataset_dir=str(folder / "FiftyOneDataset_None"),
        dataset_type=fo.types.FiftyOneDataset,
        name="copied",
    )
    assert len(copied) == len(dataset)
    assert copied.first().segmentations.polylines[0].label == "changed"


@pytest.mark.parametrize("seed", range(10, 14))
def test_what_is_hostile_is_written_back_as_it_was(
    new_dataset: Any, tmp_path: Path, seed: int
) -> None:
    hostile_split(tmp_path / "export", random.Random(seed))
    dataset, _ = fcm.import_roboflow_coco(tmp_path / "export", f"hostile {seed}")
    fcm.export_roboflow_coco(dataset, tmp_path / "written", images="none")
    before, after = (
        json.loads((tmp_path / name / "_annotations.coco.json").read_text())
        for name in ("export", "written")
    )
    for key in ("info", "licenses", "categories", "images", "annotations"):
        assert after[key] == before[key]


@pytest.mark.parametrize(
    "names",
    [
        ["_annotations.coco.json/a.jpg", "b.jpg"],
        [".unfinished-export/a.jpg", "b.jpg"],
        ["a.jpg", "a.jpg/b.jpg", "c.jpg"],
        ["a.jpg/b.jpg", "a.jpg", "c.jpg"],
        ["a.jpg/x/b.jpg", "a.jpg", "a.jpg/x"],
    ],
)
def test_names_that_would_be_folders_and_files_cost_no_export(
    new_dataset: Any, tmp_path: Path, names: list[str]
) -> None:
    source = tmp_path / "export"
    files = [f"{number}.jpg" for number in range(len(names))]
    write_split(source, files, [annotation(n, n) for n in range(len(names))])
    path = source / "_annotations.coco.json"
    export = json.loads(path.read_text())
    for number, (image, name) in enumerate(zip(export["images"], names, strict=True)):
        # Their files lie elsewhere, so that any name can be.
        place = source / "images" / str(number) / Path(name).name
        place.parent.mkdir(parents=True)
        (source / files[number]).rename(place)
        image["file_name"] = name
    path.write_text(json.dumps(export))
    dataset, report = fcm.import_roboflow_coco(source, "folders")
    assert report.usable_images == len(names), report.summary()
    written = fcm.export_roboflow_coco(dataset, tmp_path / "written")
    assert (written.images, written.losses) == (len(names), [])
    again = fcm.check_export(tmp_path / "written")
    assert (again.usable_images, again.imported) == (len(names), len(names))


CONFLICTS = [
    ("split", fo.IntField, 1),
    ("coco_id", fo.StringField, "a"),
    ("source_name", fo.FloatField, 1.5),
    ("file_name", fo.ListField, ["a"]),
    ("import_issues", fo.StringField, "a"),
    ("coco_original", fo.DictField, {"a": 1}),
    ("import_base", fo.Classification, fo.Classification(label="a")),
]


@pytest.mark.parametrize(("name", "field_type", "own"), CONFLICTS)
def test_a_field_of_another_type_is_named_before_anything_is_written(
    new_dataset: Any, tmp_path: Path, name: str, field_type: Any, own: Any
) -> None:
    write_split(tmp_path / "export", ["a.jpg"], [annotation(0, 0)])
    dataset = new_dataset("own")
    if issubclass(field_type, fo.Field):
        dataset.add_sample_field(name, field_type)
    else:
        dataset.add_sample_field(
            name, fo.EmbeddedDocumentField, embedded_doc_type=field_type
        )
    dataset.add_sample(fo.Sample(filepath="/absent.jpg", **{name: own}))
    before = dataset.get_field_schema().keys()
    with pytest.raises(fcm.CocoMaskError, match=f"'{name}' of another type"):
        fcm.import_roboflow_coco(tmp_path / "export", dataset)
    assert dataset.get_field_schema().keys() == before
    assert dataset.first()[name] == own


def test_an_attribute_of_another_type_than_before_gets_a_field_of_its_own(
    new_dataset: Any, tmp_path: Path
) -> None:
    values = [1, "text", 1.5, True, [1], {"a": 1}, None, 2]
    for number, worth in enumerate(values):
        item = annotation(0, 0, worth=worth)
        write_split(tmp_path / str(number), [f"{number}.jpg"], [item])
        dataset, report = fcm.import_roboflow_coco(tmp_path / str(number), "typed")
        moved = report.counts().get("attribute_renamed", 0)
        assert bool(moved) == (type(worth) not in (int, type(None)))
    dataset.reload()
    found = [
        {
            k: v
            for k, v in label.iter_attributes()
            if k.startswith("worth") and v is not None
        }
        for sample in dataset.sort_by("file_name")
        for label in sample.segmentations.polylines
    ]
    assert found == [
        {"worth": 1},
        {"worth_text": "text"},
        {"worth_number": 1.5},
        {"worth_flag": True},
        {"worth_list": [1]},
        {"worth_object": {"a": 1}},
        {},
        {"worth": 2},
    ]
