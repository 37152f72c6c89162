"""From an issue to a mended label: the list in the panel, and the Annotate tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from playwright.sync_api import expect
from pycocotools import mask as mask_utils

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    find_mask_issues,
    import_roboflow_coco,
)
from tests.integration.small_export import (
    HEIGHT,
    WIDTH,
    annotation,
    image_name,
    write_split,
)

from .app_page import AppPage, do_until
from .editor_page import EditorPage

pytestmark = pytest.mark.usefixtures("own_page")

LARGE = [4, 4, 22, 6, 20, 24, 6, 22]
TINY = [28, 18, 31, 19, 31, 21, 28, 21]


@pytest.fixture
def dataset(app: AppPage, tmp_path: Path) -> fo.Dataset:
    """Two images with an object each, and one of a few pixels beside it."""
    rings = [LARGE, TINY]
    annotations = [
        annotation(2 * image + place, image, segmentation=[ring])
        for image in range(2)
        for place, ring in enumerate(rings)
    ]
    names = [image_name(name) for name in "ab"]
    folder = write_split(tmp_path / "export", names, annotations)
    made, _ = import_roboflow_coco(folder, "mended")
    compute_masks(made)
    evaluate_mask_area(made, label_field="segmentations")
    find_mask_issues(made)
    return made


def tiny_labels(dataset: fo.Dataset) -> list[Any]:
    dataset.reload()
    return [sample.segmentations.polylines[1] for sample in dataset]


def pixels(line: Any) -> int:
    """The pixels of a label by pycocotools."""
    ring = [v for x, y in line.points[0] for v in (x * WIDTH, y * HEIGHT)]
    (rle,) = mask_utils.frPyObjects([ring], HEIGHT, WIDTH)
    return int(mask_utils.area(rle))


def test_a_label_of_an_issue_is_opened_mended_and_done(
    app: AppPage, dataset: fo.Dataset
) -> None:
    first, second = tiny_labels(dataset)
    app.open("mended")
    panel, modal = app.panel, app.page.locator("[data-cy=modal]")
    panel.open()
    panel.expect_text("Next to look at")
    rows = panel.table_rows("Image to look at")
    expect(rows).to_have_count(2)

    rows.first.click()
    # The label is chosen in the Annotate tab.
    modal.get_by_text(first.id, exact=True).wait_for()
    editor = EditorPage(app.page, (WIDTH, HEIGHT))
    # The App stores it at once.
    with app.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        editor.drag_vertex((31, 21), (38, 28))
    do_until(modal, lambda: app.page.mouse.click(5, 500), visible=False)

    panel.press("Done, next")
    modal.get_by_text(second.id, exact=True).wait_for()
    do_until(modal, lambda: app.page.mouse.click(5, 500), visible=False)
    expect(rows).to_have_count(1)
    mended, other = tiny_labels(dataset)
    assert (mended.tags, other.tags) == (["checked"], ["mask_issues:tiny"])
    assert mended.mask_area_px == pixels(mended) > 16
    large = dataset.first().segmentations.polylines[0]
    assert dataset.first().mask_area_px == pixels(large) + pixels(mended)
    panel.expect_text(f"{sum(dataset.values('mask_area_px')):,}")

    panel.press("Done, next")
    panel.expect_no_text("Next to look at")
    find_mask_issues(dataset)
    assert [label.tags for label in tiny_labels(dataset)] == [["checked"]] * 2
