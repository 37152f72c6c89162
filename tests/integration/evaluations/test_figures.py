"""What masks say of a dataset, next to what is counted by hand or pixel by pixel."""

from __future__ import annotations

from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from scipy import stats

import fiftyone_cocomask as fcm
from fiftyone_cocomask.errors import CocoMaskError

from .conftest import HEIGHT, WIDTH, Box, Samples, mask_of_boxes, polyline

# A field to MongoDB, where an expression has it as it is.
MONEY = "$cat"
FIGURES_OF_OBJECTS = (
    *("objects_per_image", "co_occurrence", "object_shapes"),
    "resized_objects",
)
# Each image: the boxes of its objects, with their classes.
IMAGES: dict[str, list[tuple[Box, str]]] = {
    "a.png": [((0, 0, 20, 20), "cat"), ((10, 10, 16, 16), "dog")],
    "b.png": [((5, 5, 25, 25), "cat"), ((20, 20, 30, 28), "cat")],
    "c.png": [((2, 3, 8, 9), "dog")],
    "d.png": [],
}


@pytest.fixture
def drawn(samples: Samples) -> fo.Dataset:
    for name, objects in IMAGES.items():
        lines = [polyline(box, label) for box, label in objects]
        samples.add(name, None, lines, split="train")
    fcm.compute_masks(samples.dataset)
    return samples.dataset


def area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def covered(name: str, label: str | None) -> np.ndarray:
    """The visible pixels of a class: smaller objects lie on larger ones."""
    classes = np.zeros((HEIGHT, WIDTH), object)
    largest_first = sorted(IMAGES[name], key=lambda item: area(item[0]), reverse=True)
    for box, of_class in largest_first:
        classes[mask_of_boxes(box) > 0] = of_class
    return classes != 0 if label is None else classes == label


def names_of(view: fo.DatasetView) -> set[str]:
    return {Path(path).name for path in view.values("filepath")}


def coverage(dataset: fo.Dataset) -> Any:
    return fcm.evaluate_mask_coverage(dataset, label_field="segmentations")


@pytest.mark.parametrize("label", [None, "cat", "dog"])
def test_a_heatmap_is_the_mean_share_of_each_place(
    drawn: fo.Dataset, label: str | None
) -> None:
    found = coverage(drawn)
    # 10 x 10 places of 4 x 3 pixels.
    shares = [
        covered(name, label).reshape(10, 3, 10, 4).mean(axis=(1, 3)) for name in IMAGES
    ]
    heatmap = found.heatmap(label, 10)
    np.testing.assert_allclose(heatmap, np.mean(shares, axis=0), atol=1e-12)
    np.testing.assert_allclose(found.heatmap(label, 10), heatmap)
    table = found.per_class().set_index("class")["mean_coverage_over_images"]
    mean = (
        found.summary()["mean_coverage_over_images"] if label is None else table[label]
    )
    assert heatmap.mean() == pytest.approx(mean)
    # Places that cut pixels: of a width of 40 they are 5/8 of one, of a height of 30,
    # 15/32.
    parts = [
        np.kron(covered(name, label), np.ones((32, 8)))
        .reshape(64, 15, 64, 5)
        .mean(axis=(1, 3))
        for name in IMAGES
    ]
    expected = np.mean(parts, axis=0)
    np.testing.assert_allclose(found.heatmap(label), expected, atol=1e-12)


@pytest.mark.parametrize("label", [None, "cat", "dog"])
def test_a_centre_is_the_mean_of_all_that_is_covered(
    drawn: fo.Dataset, label: str | None
) -> None:
    found = coverage(drawn)
    found.keep_figures(progress=False)
    assert found.are_figures_kept()
    row = found.mask_centres().set_index("class").loc[label or "(all)"]
    # Each pixel cut into 50 parts in each direction.
    fine = np.sum([np.kron(covered(n, label), np.ones((50, 50))) for n in IMAGES], 0)
    for name, axis in (("x", 0), ("y", 1)):
        weights = fine.sum(axis=axis)
        places = (np.arange(len(weights)) + 0.5) / len(weights)
        centre = np.average(places, weights=weights)
        spread = np.average((places - centre) ** 2, weights=weights) ** 0.5
        assert row[f"centre_{name}"] == pytest.approx(centre)
        assert row[f"spread_{name}"] == pytest.approx(spread, rel=1e-4)
    assert row["images"] == sum(covered(n, label).any() for n in IMAGES)


def test_a_place_leads_to_the_samples_that_cover_it(drawn: fo.Dataset) -> None:
    found = coverage(drawn)
    for row, column in ((0, 0), (3, 3), (9, 9)):
        place = (slice(3 * row, 3 * row + 3), slice(4 * column, 4 * column + 4))
        for label in (None, "cat"):
            names = {n for n in IMAGES if covered(n, label)[place].any()}
            assert names_of(found.place_view(row, column, label, 10)) == names
    # What one pass has kept: no mask is read again, even if it could not be.
    found.keep_figures()
    for path in drawn.values("mask.mask_path"):
        Path(path).unlink()
    for row, column in ((0, 0), (21, 20), (22, 33), (63, 63)):
        # Of 64 places, each pixel lies in two or three.
        place = (
            slice(row * 30 // 64, -(-(row + 1) * 30 // 64)),
            slice(column * 40 // 64, -(-(column + 1) * 40 // 64)),
        )
        for label in (None, "cat", "dog"):
            names = {n for n in IMAGES if covered(n, label)[place].any()}
            assert names_of(found.place_view(row, column, label)) == names


def test_heatmaps_of_semantic_masks_go_by_their_values(drawn: fo.Dataset) -> None:
    fcm.compute_masks(drawn, mask_field="classes", mode="semantic")
    found = fcm.evaluate_mask_coverage(drawn, "classes", eval_key="classes_only")
    expected = np.mean([covered(name, "dog").mean() for name in IMAGES])
    assert found.heatmap("dog", 1)[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("size", [64, 10])
def test_a_class_that_mask_targets_no_longer_name_is_not_said_to_be_nowhere(
    drawn: fo.Dataset, size: int
) -> None:
    fcm.compute_masks(drawn, mask_field="classes", mode="semantic")
    evaluation = fcm.evaluate_mask_coverage(drawn, "classes", eval_key="classes")
    targets = drawn.mask_targets["classes"]
    value = next(value for value, name in targets.items() if name == "cat")
    drawn.mask_targets["classes"] = {**targets, value: "kitten"}
    drawn.save()
    with pytest.raises(CocoMaskError, match="have no class 'cat' any more; evaluate"):
        evaluation.heatmap("cat", size)
    with pytest.raises(CocoMaskError, match="have no class 'cat' any more; evaluate"):
        evaluation.place_view(0, 0, "cat", size)
    again = fcm.evaluate_mask_coverage(drawn, "classes", eval_key="classes")
    mean = again.per_class().set_index("class").loc["kitten"]
    expected = mean["mean_coverage_over_images"]
    assert again.heatmap("kitten", size).mean() == pytest.approx(expected)


def test_wrong_places_and_classes_are_one_sentence(drawn: fo.Dataset) -> None:
    found = coverage(drawn)
    with pytest.raises(CocoMaskError, match="no class 'bird'"):
        found.heatmap("bird")
    with pytest.raises(CocoMaskError, match="size must be from 1 to 256"):
        found.heatmap(size=0)
    with pytest.raises(CocoMaskError, match="row and column must be from 0 to 63"):
        found.place_view(64, 0)


def test_classes_together_are_counted_by_images_and_pixels(drawn: fo.Dataset) -> None:
    expected: dict[tuple[str, str], list[int]] = {}
    for objects in IMAGES.values():
        layers: dict[str, list[np.ndarray]] = {}
        for box, label in objects:
            layers.setdefault(label, []).append(mask_of_boxes(box) > 0)
        for a, b in combinations_with_replacement(sorted(layers), 2):
            both = np.sum(layers[a], axis=0) >= 2
            if a != b:
                both = np.any(layers[a], axis=0) & np.any(layers[b], axis=0)
            pair = expected.setdefault((a, b), [0, 0])
            pair[0] += 1
            pair[1] += int(both.sum())
    rows = coverage(drawn).co_occurrence().to_dict("records")
    found = {
        (row["class"], row["other"]): [row["images"], row["overlap_px"]] for row in rows
    }
    assert (
        found
        == expected
        == {
            ("cat", "cat"): [2, 25],
            ("cat", "dog"): [1, 36],
            ("dog", "dog"): [2, 0],
        }
    )


def test_objects_per_image_count_images_without_the_class(drawn: fo.Dataset) -> None:
    rows = coverage(drawn).objects_per_image().to_dict("split")["data"]
    assert [tuple(row) for row in rows] == [
        ("(all)", 0, 1),
        ("(all)", 1, 1),
        ("(all)", 2, 2),
        ("cat", 0, 2),
        ("cat", 1, 1),
        ("cat", 2, 1),
        ("dog", 0, 2),
        ("dog", 1, 2),
    ]
    found = fcm.load_mask_evaluation(drawn, "mask_coverage")
    for label, objects, images in (tuple(row) for row in rows):
        view = found.objects_view(objects, None if label == "(all)" else label)
        assert len(view) == images


def test_shapes_are_quartiles_of_the_objects_of_a_class(drawn: fo.Dataset) -> None:
    table = coverage(drawn).object_shapes().set_index(["class", "figure"])
    areas = [area(box) for objects in IMAGES.values() for box, _ in objects]
    names = ["min", "q25", "median", "q75", "max"]
    expected = np.quantile(areas, [0, 0.25, 0.5, 0.75, 1])
    assert table.loc[("(all)", "area_px"), names].tolist() == expected.tolist()
    cats = table.loc["cat"]
    assert cats["objects"].unique().tolist() == [3]
    assert cats.loc["width_px", names].tolist() == [10, 15, 20, 20, 20]
    assert cats.loc["aspect", "max"] == 10 / 8
    for figure, value in (("parts", 1), ("holes", 0), ("solidity", 1), ("vertices", 4)):
        assert cats.loc[figure, ["min", "max"]].tolist() == [value, value]


def test_all_figures_of_objects_are_of_those_that_a_view_has(drawn: fo.Dataset) -> None:
    found = fcm.evaluate_mask_area(drawn, label_field="segmentations")
    view = drawn.filter_labels("segmentations", F("label") == "dog")
    areas = found.per_object(view)["area_px"].tolist()
    assert sorted(areas) == [36, 36]
    assert found.summary(view)["objects"] == 2
    shapes = found.object_shapes(view).set_index(["class", "figure"])
    for name in ("(all)", "dog"):
        assert shapes.loc[(name, "area_px"), ["objects", "max"]].tolist() == [2, 36]
    assert set(shapes.index.get_level_values("class")) == {"(all)", "dog"}
    pairs = found.co_occurrence(view)
    assert pairs[["class", "other", "images"]].values.tolist() == [["dog", "dog", 2]]
    # A mask is what it is.
    assert found.heatmap(samples=view).mean() == pytest.approx((400 + 36) / 2 / 1200)
    # Of the whole dataset, all.
    assert len(found.co_occurrence()) == 3


def test_the_point_that_closes_a_ring_is_no_vertex_of_its_own(
    samples: Samples,
) -> None:
    line = polyline((0, 0, 20, 20), "cat")
    line.points = [[*ring, ring[0]] for ring in line.points]
    samples.add("a.png", None, [line])
    fcm.compute_masks(samples.dataset)
    table = coverage(samples.dataset).object_shapes().set_index(["class", "figure"])
    assert table.loc[("cat", "vertices"), ["min", "max"]].tolist() == [4, 4]


def test_an_empty_label_is_a_class_like_others(samples: Samples) -> None:
    boxes: list[tuple[Box, str | None]] = [
        ((0, 0, 9, 9), ""),
        ((10, 0, 18, 8), ""),
        ((20, 0, 25, 9), None),
    ]
    for split in ("train", "valid"):
        lines = [polyline(box, label) for box, label in boxes]
        samples.add(f"{split}.png", None, lines, split=split)
    fcm.compute_masks(samples.dataset)
    found = fcm.evaluate_mask_area(samples.dataset, label_field="segmentations")
    classes = found.per_class().set_index("class")
    assert classes["objects"].to_dict() == {"": 4, "(no label)": 2}
    objects = found.per_object()["class"].value_counts()
    assert objects.to_dict() == {"": 4, "(no label)": 2}
    drift = found.split_drift().set_index(["class", "figure"])["mean"]
    assert drift["", "objects"] == 2
    assert drift["(no label)", "objects"] == 1


def test_figures_of_a_field_of_single_labels_lead_to_its_samples(
    samples: Samples,
) -> None:
    # 4 and 400 of 1,200 pixels: 7.1 and 711 where the image has 53 pixels each way.
    for name, side in (("a", 2), ("b", 20)):
        sample = samples.add(f"{name}.png")
        sample["one"] = polyline((0, 0, side, side), "cat")
        sample.save()
    samples.add("c.png")
    fcm.compute_masks(samples.dataset, "one")
    found = fcm.evaluate_mask_area(samples.dataset, label_field="one")
    table = found.resized_objects(sizes=[53]).set_index("how")
    assert table.loc["letterbox", "below_16_px"] == 1
    assert names_of(found.resized_view(53)) == {"a.png"}
    assert names_of(found.resized_view(53, limit=800, label="cat")) == {
        "a.png",
        "b.png",
    }
    assert names_of(found.resized_view(53, limit=800, label="dog")) == set()
    assert names_of(found.objects_view(1)) == {"a.png", "b.png"}


def test_objects_are_counted_as_images_of_another_size_would_have_them(
    drawn: fo.Dataset,
) -> None:
    found = fcm.evaluate_mask_area(drawn, label_field="segmentations")
    table = found.resized_objects(sizes=[40, 8])
    for row in table.to_dict("records"):
        size = row["size"]
        factor = (size / WIDTH) ** 2  # Images are wider than high.
        if row["how"] == "stretch":
            factor = size * size / (WIDTH * HEIGHT)
        areas = [
            area(box) * factor
            for objects in IMAGES.values()
            for box, label in objects
            if label == row["class"]
        ]
        assert row["objects"] == len(areas)
        for limit in (16, 64):
            assert row[f"below_{limit}_px"] == sum(each < limit for each in areas)
    assert len(table) == 2 * 2 * 2


def test_figures_of_objects_need_labels(drawn: fo.Dataset) -> None:
    found = fcm.evaluate_mask_area(drawn, eval_key="alone")
    for name in FIGURES_OF_OBJECTS:
        with pytest.raises(CocoMaskError, match="evaluate again with it"):
            getattr(found, name)()


def _splits(samples: Samples, sides: dict[str, list[int]], copies: int) -> fo.Dataset:
    for split, lengths in sides.items():
        for index, side in enumerate(lengths):
            for copy in range(copies):
                lines = [polyline((0, 0, side, side), "cat")]
                source = f"{split}{index}"
                samples.add(
                    f"{source}-{copy}.png", None, lines, split=split, source_name=source
                )
    fcm.compute_masks(samples.dataset)
    return samples.dataset


def test_a_split_of_larger_objects_drifts_and_copies_do_not_count(
    samples: Samples,
) -> None:
    sides = {"train": list(range(4, 16)), "valid": list(range(12, 22)), "test": [5] * 7}
    dataset = _splits(samples, sides, copies=2)
    found = fcm.evaluate_mask_area(dataset, label_field="segmentations")
    table = found.split_drift().set_index(["split", "class", "figure"])
    row = table.loc[("valid", "cat", "object_area_px")]
    areas = {split: [side**2 for side in each] for split, each in sides.items()}
    test = stats.ks_2samp(areas["valid"], areas["train"])
    assert (row["sources"], row["reference_sources"]) == (10, 12)
    assert row["distance"] == pytest.approx(test.statistic)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert row["alike"] is False
    assert row["text"].startswith("The object_area_px of 'cat' in 'valid' differs")
    assert table.loc[("valid", "cat", "objects")]["alike"] is True
    few = table.loc[("test", "cat", "object_area_px")]
    assert few["alike"] is None
    assert few["text"].startswith("Too few source images")
    # Four tests of `valid` are adjusted together: the least p-value counts four times.
    tested = table["p_value"].dropna()
    assert len(tested) == 4
    adjusted = stats.false_discovery_control(tested)
    np.testing.assert_allclose(table.loc[tested.index, "adjusted_p_value"], adjusted)


def test_objects_of_a_class_that_is_called_like_a_field_are_found(
    samples: Samples,
) -> None:
    boxes: list[Box] = [(0, 0, 10, 10), (20, 20, 22, 22)]
    samples.add("a.png", None, [polyline(box, MONEY) for box in boxes])
    samples.add("b.png", None, [polyline(boxes[0], MONEY), polyline(boxes[1], "cat")])
    fcm.compute_masks(samples.dataset)
    found = fcm.evaluate_mask_area(samples.dataset, label_field="segmentations")
    counts = found.objects_per_image()
    for row in counts[counts["class"] == MONEY].to_dict("records"):
        view = found.objects_view(row["objects"], MONEY)
        assert len(view) == row["images"] == 1
    small = found.resized_view(40, limit=16, label=MONEY)
    assert small.values("segmentations.polylines.label") == [[MONEY]]
    assert names_of(small) == {"a.png"}
    assert found.class_view(MONEY).values("id") == samples.dataset.values("id")
