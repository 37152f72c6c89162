"""Issues of masks: found by their rules, marked, brought up to date, and removed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    load_outline_ranking,
    rank_mask_outlines,
)
from fiftyone_cocomask.datasets.evaluations import list_mask_evaluations
from fiftyone_cocomask.datasets.fixing.report import FixReport
from fiftyone_cocomask.datasets.issues import (
    IssueLimits,
    MaskIssue,
    clear_mask_issues,
    find_mask_issues,
    list_mask_issues,
    load_mask_issues,
)

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline

LEFT, RIGHT = (5, 5, 20, 15), (15, 5, 30, 15)
TRIANGLE = [(5.0, 5.0), (20.0, 5.0), (5.0, 20.0)]


def polygon(ring: Sequence[tuple[float, float]], label: str) -> fo.Polyline:
    points = [(x / WIDTH, y / HEIGHT) for x, y in ring]
    return fo.Polyline(label=label, points=[points], closed=True, filled=True)


def triangle(size: float, label: str = "a", at: tuple[int, int] = (5, 5)) -> Any:
    x, y = at
    return polygon([(x, y), (x + size, y), (x, y + size)], label)


def find(samples: Samples, **kwargs: Any) -> Any:
    compute_masks(samples.dataset)
    return find_mask_issues(samples.dataset, **kwargs)


def tags(samples: Samples, sample: fo.Sample) -> list[list[str]]:
    """The issues of each label of a sample, by their tags."""
    labels = samples.raw(sample)["segmentations"]["polylines"]
    prefix = "mask_issues:"
    return [[t[len(prefix) :] for t in label["tags"]] for label in labels]


def test_good_labels_get_no_tag(samples: Samples) -> None:
    sample = samples.add("a.jpg", lines=[triangle(15)])
    report = find(samples)
    assert tags(samples, sample) == [[]]
    assert set(report.counts.values()) == {0}
    assert samples.dataset.list_saved_views() == []
    assert "No issues" in report.summary()


def test_a_label_without_a_pixel_is_empty(samples: Samples) -> None:
    # Between two pixel centres: pycocotools paints nothing.
    sliver = polygon([(5.1, 5.1), (5.3, 5.1), (5.1, 5.3)], "a")
    sample = samples.add("a.jpg", lines=[sliver, triangle(15)])
    find(samples)
    assert tags(samples, sample) == [["empty"], []]


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (3, 300)])
def test_images_of_fewer_than_four_rows_or_columns_stop_no_search(
    samples: Samples, size: tuple[int, int]
) -> None:
    for name, split in (("a.png", "train"), ("b.png", "valid")):
        fields = {
            "segmentations": fo.Polylines(polylines=[triangle(15)]),
            "split": split,
        }
        sample = fo.Sample(filepath=samples.image(name, size), **fields)
        samples.dataset.add_sample(sample)
    find(samples)
    # Both pictures are all gray, and the same.
    assert len(samples.dataset.match_tags("mask_issues:leak")) == 2


def test_all_images_that_cannot_be_checked_are_counted(samples: Samples) -> None:
    dataset = samples.dataset
    too_large = fo.ImageMetadata(width=10**6, height=10**6)
    dataset.add_samples(
        fo.Sample(f"{number}.png", metadata=too_large) for number in range(1_100)
    )
    dataset.set_values("segmentations", [fo.Polylines()] * 1_100)
    report = find(samples)
    assert len(report.without_figures) == 1_000
    assert report.num_without_figures == 1_100
    assert "1,100 images could not be checked" in report.summary()
    ranking = rank_mask_outlines(dataset)
    for found in (ranking, load_outline_ranking(dataset)):
        assert (len(found.skipped), found.num_skipped) == (1_000, 1_100)
        assert found.summary()["images_skipped"] == 1_100


def test_all_labels_that_repairs_leave_alone_are_counted() -> None:
    report = FixReport("mask_fixes")
    for number in range(1_500):
        report.skip("sample", str(number), "tiny", "it has been edited")
    assert "1,500 tiny left as they are: it has been edited" in report.summary()


def test_tiny_is_below_and_huge_at_or_above_the_limit(samples: Samples) -> None:
    three, four = (5, 5, 8, 10), (5, 5, 9, 9)  # 15 and 16 pixels
    nearly = (0, 0, WIDTH, 28)  # 93.3% of the image
    wide = (0, 0, WIDTH, 29)  # 96.7%
    made = [
        samples.add(f"{name}.jpg", lines=[polyline(box, "a")])
        for name, box in zip("abcd", (three, four, nearly, wide), strict=True)
    ]
    find(samples)
    found = [set(tags(samples, sample)[0]) for sample in made]
    assert [{"tiny", "huge"} & issues for issues in found] == [
        {"tiny"},
        set(),
        set(),
        {"huge"},
    ]


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        ((0, 5, 10, 15), True),
        ((5, 0, 15, 10), True),
        ((30, 5, WIDTH, 15), True),
        ((5, 20, 15, HEIGHT), True),
        ((1, 1, WIDTH - 1, HEIGHT - 1), False),
    ],
)
def test_labels_at_any_edge_are_counted_and_not_tagged(
    samples: Samples, box: tuple[int, int, int, int], touches: bool
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(box, "a")])
    report = find(samples)
    assert report.figures == {"cut_by_edge": int(touches)}
    assert "cut_by_edge" not in tags(samples, sample)[0]
    assert ("1 label at the edge of an image" in report.summary()) == touches
    assert report.summary().startswith("1 label of 1 image\n")


def test_a_label_under_others_is_hidden(samples: Samples) -> None:
    # Two that cover it together; neither does alone.
    lines = [
        polyline((4, 4, 12, 16), "a"),
        polyline((10, 4, 18, 16), "b"),
        triangle(8, "c", at=(6, 6)),
    ]
    sample = samples.add("a.jpg", lines=lines)
    compute_masks(samples.dataset, overlap=["c", "a", "b"])
    find_mask_issues(samples.dataset)
    assert [("hidden" in issues) for issues in tags(samples, sample)] == [
        False,
        False,
        True,
    ]


def rotated(degrees: float, width: float, height: float) -> list[tuple[float, float]]:
    angle = math.radians(degrees)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    turn = np.array(
        [(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))]
    )
    return [(x, y) for x, y in (corners @ turn + (18, 3)).tolist()]


@pytest.mark.parametrize(
    ("ring", "is_rectangle"),
    [
        pytest.param(rotated(0, 12, 9), True, id="upright"),
        pytest.param(rotated(30, 12, 9), True, id="rotated"),
        pytest.param([*rotated(30, 12, 9), rotated(30, 12, 9)[0]], True, id="closed"),
        pytest.param(TRIANGLE, False, id="triangle"),
        pytest.param([(5, 5), (20, 5), (24, 15), (9, 15)], False, id="slanted"),
        pytest.param(rotated(30, 12, 2), False, id="too thin to tell"),
    ],
)
def test_rectangles_are_found_in_any_rotation(
    samples: Samples, ring: list[tuple[float, float]], is_rectangle: bool
) -> None:
    sample = samples.add("a.jpg", lines=[polygon(ring, "a")])
    find(samples)
    assert ("rectangle" in tags(samples, sample)[0]) == is_rectangle


def test_instance_masks_that_fill_their_box_are_rectangles(samples: Samples) -> None:
    box = [5 / WIDTH, 5 / HEIGHT, 10 / WIDTH, 10 / HEIGHT]
    corner = np.ones((10, 10), bool)
    corner[0, 0] = False
    masks = [np.ones((10, 10), bool), corner]
    detections = [fo.Detection(label="a", bounding_box=box, mask=m) for m in masks]
    sample = samples.add("a.jpg", mask_of_boxes((5, 5, 15, 15)))
    sample["boxes"] = fo.Detections(detections=detections)
    sample.save()
    find_mask_issues(samples.dataset, "boxes")
    full, other = samples.raw(sample)["boxes"]["detections"]
    assert "mask_issues:rectangle" in full["tags"]
    assert "mask_issues:rectangle" not in other["tags"]


def test_equal_pixels_are_duplicates_or_in_two_classes(samples: Samples) -> None:
    # The second ring starts elsewhere and goes the other way round.
    again = polygon([TRIANGLE[1], TRIANGLE[0], TRIANGLE[2]], "a")
    other = polygon(TRIANGLE, "b")
    moved = triangle(15, at=(6, 5))
    first = polygon(TRIANGLE, "a")
    sample = samples.add("a.jpg", lines=[first, again, moved])
    both = samples.add("b.jpg", lines=[polygon(TRIANGLE, "a"), other])
    find(samples)
    found = tags(samples, sample)
    assert ["duplicate" in issues for issues in found] == [False, True, False]
    assert ["two_classes" in issues for issues in tags(samples, both)] == [True, True]
    assert not any("duplicate" in issues for issues in tags(samples, both))


def test_outliers_are_told_by_the_modified_z_score(samples: Samples) -> None:
    # Shares of areas 100, 110, ..., 190 and one of 3: of ln(area / image), the median
    # is that of 140 and the MAD that of the differences; 3 is far beyond 3.5.
    sides = [(10, 10 + i) for i in range(10)]
    made = [
        samples.add(f"{i}.jpg", lines=[polyline((1, 1, 1 + w, 1 + h), "a")])
        for i, (w, h) in enumerate(sides)
    ]
    odd = samples.add("odd.jpg", lines=[polyline((1, 1, 4, 2), "a")])
    areas = np.array([w * h for w, h in sides] + [3])
    values = np.log(areas / (WIDTH * HEIGHT))
    deviations = values - np.median(values)
    scores = 0.6745 * deviations / np.median(np.abs(deviations))
    expected = (np.abs(scores) > 3.5).tolist()
    assert expected == [False] * 10 + [True]
    report = find(samples)
    found = ["class_outlier" in tags(samples, sample)[0] for sample in [*made, odd]]
    assert found == expected
    assert report.counts["class_outlier"] == 1


def test_small_and_uniform_classes_have_no_outliers(samples: Samples) -> None:
    for i in range(12):
        samples.add(f"{i}.jpg", lines=[polyline((1, 1, 11, 11), "same")])
    odd = samples.add("odd.jpg", lines=[polyline((1, 1, 4, 2), "same")])
    few = samples.add("few.jpg", lines=[polyline((1, 1, 4, 2), "few")])
    report = find(samples)
    assert report.counts["class_outlier"] == 0
    assert "class_outlier" not in tags(samples, odd)[0] + tags(samples, few)[0]


def test_a_mask_that_is_empty_though_there_are_labels_is_marked(
    samples: Samples,
) -> None:
    empty = samples.add("a.jpg", mask_of_boxes(), lines=[triangle(15)])
    negative = samples.add("b.jpg", mask_of_boxes(), lines=[])
    gone = samples.add("c.jpg", mask_of_boxes(), lines=[triangle(15)])
    (samples.folder / "masks" / "c.png").unlink()
    report = find_mask_issues(samples.dataset)
    assert samples.raw(empty)["tags"] == ["mask_issues:empty_mask"]
    assert samples.raw(negative)["tags"] == []
    assert samples.raw(gone)["tags"] == []
    assert [row["filepath"] for row in report.without_figures] == [gone.filepath]


def test_copies_of_a_source_whose_coverage_differs_are_marked(
    samples: Samples,
) -> None:
    # Coverages of 100, 105 and 120 of the pixels: 105 is the median, 120 more than
    # 10% off.
    boxes = [(5, 5, 15, 15), (5, 5, 20, 12), (5, 5, 20, 13)]
    made = [
        samples.add(f"{i}.jpg", lines=[polyline(box, "a")], source_name="one.jpg")
        for i, box in enumerate(boxes)
    ]
    other = samples.add(
        "o.jpg", lines=[polyline((1, 1, 3, 3), "a")], source_name="two.jpg"
    )
    find(samples)
    marked = ["mask_issues:copy_area" in samples.raw(s)["tags"] for s in [*made, other]]
    assert marked == [False, False, True, False]


def test_images_of_one_plain_name_are_not_copies(samples: Samples) -> None:
    # As an import writes them: nothing in their names tells of a source.
    for number, split in enumerate(("train", "valid", "test")):
        samples.add(
            f"{number}.jpg",
            lines=[polyline((2, 2, 6 + 8 * number, 8), "a")],
            source_name="1.png",
            file_name="1.png",
            split=split,
        )
    report = find(samples)
    assert report.counts["copy_area"] == 0


def test_random_crops_are_a_figure_and_not_an_issue(samples: Samples) -> None:
    for number in range(24):
        box = (2, 2, 10 + 5 * (number % 3), 8)
        samples.add(
            f"{number}.jpg",
            lines=[polyline(box, "a")],
            source_name=f"{number // 3}.jpg",
            file_name=f"{number // 3}_jpg.rf.{number:032x}.jpg",
        )
    report = find(samples)
    assert report.counts["copy_area"] == 0
    # Of each source's three copies, those that are not the median.
    assert report.figures["varying_copies"] == 16
    assert (
        "16 augmented copies with another coverage than the other" in report.summary()
    )


def test_each_issue_has_a_view_of_what_has_it(samples: Samples) -> None:
    lines = [polyline(LEFT, "b"), triangle(8), triangle(8)]
    samples.add("a.jpg", lines=lines)
    samples.add("b.jpg", lines=[polyline((1, 1, 3, 3), "a")], tags=["mine"])
    samples.add("c.jpg", mask_of_boxes(), lines=[])
    report = find(samples)
    dataset = samples.dataset
    found = {name for name, count in report.counts.items() if count}
    # The first of two equal labels lies under the second.
    assert set(report.views) == found == {"rectangle", "duplicate", "hidden", "tiny"}
    assert set(dataset.list_saved_views()) == set(report.views.values())
    for name, view in report.views.items():
        # Samples, or labels as patches.
        assert len(dataset.load_saved_view(view)) == report.counts[name]
    assert load_mask_issues(dataset).to_dict() == report.to_dict()
    assert all(report.definitions[issue.value] for issue in MaskIssue)
    assert "1 label: tiny" in report.summary()


def test_searching_again_follows_what_was_fixed(samples: Samples) -> None:
    sample = samples.add("a.jpg", lines=[triangle(15), triangle(15)], tags=["mine"])
    find(samples)
    sample.reload()
    assert sample.segmentations.polylines[1].tags == ["mask_issues:duplicate"]
    sample.segmentations.polylines[1].tags.append("to do")
    sample.segmentations.polylines[1].points = triangle(10, at=(10, 10)).points
    sample.save()
    report = find(samples)
    assert report.counts["duplicate"] == 0
    labels = samples.raw(sample)["segmentations"]["polylines"]
    assert [label["tags"] for label in labels] == [[], ["to do"]]
    assert samples.dataset.list_saved_views() == []


def test_searching_a_view_unmarks_what_is_outside_of_it(samples: Samples) -> None:
    inside = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    outside = samples.add("b.jpg", lines=[polyline(LEFT, "a")])
    find(samples)
    assert tags(samples, outside) == [["rectangle"]]
    find_mask_issues(samples.dataset.select(inside.id))
    assert tags(samples, inside) == [["rectangle"]]
    assert tags(samples, outside) == [[]]


def test_clearing_leaves_nothing_but_what_was_there(samples: Samples) -> None:
    sample = samples.add(
        "a.jpg",
        mask_of_boxes(),
        lines=[polyline(LEFT, "a", tags=["mine"]), polyline(LEFT, "a")],
        tags=["train"],
    )
    samples.dataset.compute_metadata()
    samples.dataset.save_view("mine", samples.dataset.limit(1))
    before = samples.raw(sample)
    find_mask_issues(samples.dataset)
    assert samples.raw(sample)["tags"] == ["train", "mask_issues:empty_mask"]
    clear_mask_issues(samples.dataset)
    after = samples.raw(sample)
    assert after | {"last_modified_at": None} == before | {"last_modified_at": None}
    assert samples.dataset.list_saved_views() == ["mine"]
    assert list_mask_issues(samples.dataset) == []
    # Cleared is cleared, but a key that never was is a mistake.
    clear_mask_issues(samples.dataset)
    with pytest.raises(CocoMaskError, match="no search for mask issues"):
        clear_mask_issues(samples.dataset, "no_such_search")


def test_searches_are_not_evaluations_and_stay_out_of_each_other_s_way(
    samples: Samples,
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    evaluate_mask_area(samples.dataset, eval_key="area")
    find_mask_issues(samples.dataset, key="first")
    find_mask_issues(samples.dataset, key="second", limits=IssueLimits(tiny_px=200))
    assert list_mask_evaluations(samples.dataset) == ["area"]
    assert list_mask_issues(samples.dataset) == ["first", "second"]
    clear_mask_issues(samples.dataset, "first")
    (label,) = samples.raw(sample)["segmentations"]["polylines"]
    assert label["tags"] == ["second:tiny", "second:rectangle"]


def test_a_single_polyline_per_sample_is_searched(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(LEFT))
    sample["outline"] = polyline(LEFT, "a")
    sample.save()
    report = find_mask_issues(samples.dataset, "outline")
    assert samples.raw(sample)["outline"]["tags"] == ["mask_issues:rectangle"]
    view = samples.dataset.load_saved_view(report.views["rectangle"])
    assert view.values("id") == [sample.id]
    clear_mask_issues(samples.dataset)
    assert samples.raw(sample)["outline"]["tags"] == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"label_field": "nothing"}, "nothing"),
        ({"mask_field": "nothing"}, "nothing"),
        ({"key": "no key"}, "no key"),
        ({"key": "area"}, "area"),
        ({"key": "taken"}, "taken: tiny"),
        ({"limits": {"exempt_pairs": [["a", "bee"]]}}, "no class 'bee'"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_marked(
    samples: Samples, arguments: dict[str, Any], named: str
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    evaluate_mask_area(samples.dataset, eval_key="area")
    samples.dataset.save_view("taken: tiny", samples.dataset.limit(1))
    with pytest.raises(CocoMaskError, match=named):
        find_mask_issues(samples.dataset, **arguments)
    assert tags(samples, sample) == [[]]
    assert list_mask_issues(samples.dataset) == []
