"""An imported dataset is edited in the App's Annotate tab, and everything counts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    import_roboflow_coco,
)

from .app_page import AppPage
from .editor_page import EditorPage
from .inspector_page import InspectorPage

pytestmark = pytest.mark.usefixtures("own_page")

SIZE = 400


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of two images with three squares of 80 px on each."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, gray in (("a.png", 90), ("b.png", 120)):
        picture = np.full((SIZE, SIZE, 3), gray, np.uint8)
        cv2.imwrite(str(folder / name), picture)
    squares = ((20, 1), (150, 2), (280, 1))
    places = [(image, x, category) for image in (0, 1) for x, category in squares]
    coco = {
        "categories": [
            {"id": 1, "name": "wing", "supercategory": "insect"},
            {"id": 2, "name": "body", "supercategory": "insect"},
        ],
        "images": [
            {"id": 0, "file_name": "a.png", "width": SIZE, "height": SIZE},
            {"id": 1, "file_name": "b.png", "width": SIZE, "height": SIZE},
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": category,
                "bbox": [x, 20, 80, 80],
                "segmentation": [[x, 20, x + 80, 20, x + 80, 100, x, 100]],
            }
            for number, (image, x, category) in enumerate(places)
        ],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(coco))
    return folder


def test_what_is_edited_right_after_an_import_counts_everywhere(
    app: AppPage, export: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "edited")
    compute_masks(dataset, mode="instance")
    untouched = Path(dataset[str(export / "b.png")].mask.mask_path)
    drawn_at = untouched.stat().st_mtime_ns

    app.open("edited")
    app.wait_for_samples(2)
    InspectorPage(app.page).open_first_sample()
    editor = EditorPage(app.page, (SIZE, SIZE))
    editor.open()
    first, second, third = polylines(dataset)
    editor.delete(third.id)
    app.wait_until(lambda: len(polylines(dataset)) == 2)
    editor.relabel(first.id, "body")
    app.wait_until(lambda: polylines(dataset)[0].label == "body")
    editor.drag(second.id, (230, 100), (250, 150))
    app.wait_until(lambda: ring(polylines(dataset)[1]) != ring(second))
    editor.draw((40, 200), (140, 200), (140, 300), (40, 300))
    app.wait_until(lambda: len(polylines(dataset)) == 3)
    editor.relabel(polylines(dataset)[2].id, "wing")
    app.wait_until(lambda: polylines(dataset)[2].label == "wing")

    kept, dragged, square = polylines(dataset)
    assert ring(kept) == ring(first)
    assert_is(dragged, [(150, 20), (230, 20), (250, 150), (150, 100)])
    assert_is(square, [(40, 200), (140, 200), (140, 300), (40, 300)])
    assert (square.closed, square.filled, square["iscrowd"]) == (True, True, 0)

    dataset.reload()
    report = compute_masks(dataset, mode="instance")
    assert (report.images, report.unchanged, report.objects) == (2, 1, 3)
    assert untouched.stat().st_mtime_ns == drawn_at
    area = evaluate_mask_area(dataset, label_field="segmentations")
    coverage = evaluate_mask_coverage(dataset, label_field="segmentations")
    pixels = [drawn(ring(label)) for label in polylines(dataset)]
    sizes = [int(mask.sum()) for mask in pixels]
    edited = dataset[str(export / "a.png")]
    assert (
        edited.mask.get_mask().tolist()
        == sum(number * mask for number, mask in enumerate(pixels, start=1)).tolist()
    )
    assert [label["mask_area_px"] for label in polylines(dataset)] == sizes
    assert edited["mask_area_px"] == sum(sizes)
    assert edited["mask_coverage_ratio"] == pytest.approx(sum(sizes) / SIZE**2)
    wings, bodies = 2 * 6400 + sizes[2], 6400 + sizes[0] + sizes[1]
    for results in (area, coverage):
        figures = results.per_class().set_index("class")
        assert figures["visible_px"].to_dict() == {"body": bodies, "wing": wings}
    assert area.summary()["objects"] == 6


def polylines(dataset: Any) -> list[Any]:
    """Returns the labels of the first image as the database has them now."""
    sample = dataset.first()
    sample.reload()
    return list(sample.segmentations.polylines)


def ring(label: Any) -> list[tuple[float, float]]:
    """Returns the pixels' coordinates of a label's one ring."""
    (points,) = label.points
    return [(x * SIZE, y * SIZE) for x, y in points]


def assert_is(label: Any, expected: list[tuple[float, float]]) -> None:
    """Checks a label's shape; a place of the screen may be a pixel off in the image."""
    assert len(ring(label)) == len(expected)
    for place in expected:
        assert min(np.abs(np.subtract(place, p)).max() for p in ring(label)) <= 1


def drawn(points: list[tuple[float, float]]) -> np.ndarray:
    """Returns what pycocotools draws of a ring."""
    (rle,) = coco_mask.frPyObjects([np.ravel(points).tolist()], SIZE, SIZE)
    return coco_mask.decode(rle)
