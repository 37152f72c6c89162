"""The panel in the modal: what it shows of a sample, and that it follows."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from playwright.sync_api import expect

from fiftyone_cocomask import compute_masks, import_roboflow_coco

from .app_page import AppPage
from .inspector_page import PICTURES, InspectorPage

pytestmark = pytest.mark.usefixtures("own_page")


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "inspected")
    return dataset


def _foreground(sample: fo.Sample) -> str:
    return f"{np.count_nonzero(sample.mask.get_mask()):,}"


def test_pictures_and_areas_follow_the_sample_of_the_modal(
    app: AppPage, dataset: fo.Dataset
) -> None:
    compute_masks(dataset)
    compute_masks(dataset, mask_field="semantic", mode="semantic")
    first, second, third = dataset.limit(3)
    third.mask = None
    third.save()
    app.open(dataset.name)
    app.wait_for_samples(len(dataset))
    inspector = InspectorPage(app.page)
    inspector.open_first_sample()
    inspector.open()
    inspector.expect_card(_foreground(first), "foreground px")
    inspector.expect_pictures(*PICTURES)
    line = first.segmentations.polylines[0]
    area = _foreground(first)
    inspector.row(str(line.coco_id), line.label, area, area).wait_for()
    inspector.go("ArrowRight")
    inspector.expect_card(_foreground(second), "foreground px")
    inspector.expect_pictures(*PICTURES)
    inspector.go("ArrowRight")
    inspector.expect_text(
        "This sample has no mask in 'mask'. It has no objects to draw one from: "
        "import or add labels first."
    )
    inspector.expect_pictures("Image")
    inspector.choose_mask("semantic")
    inspector.expect_card("0", "foreground px")
    inspector.go("ArrowLeft")
    # The mask that was chosen stays chosen.
    inspector.expect_card(_foreground(second), "foreground px")
    expect(inspector.content.get_by_role("combobox")).to_have_text("semantic")


def test_hidden_objects_and_import_issues_are_told(
    app: AppPage, dataset: fo.Dataset
) -> None:
    sample = dataset.exists("import_issues").first()
    lines = sample.segmentations.polylines
    lines[0].points = lines[1].points
    sample.save()
    compute_masks(dataset)
    dataset.save_view("issues", dataset.select(sample.id))
    app.open_address(f"{dataset.name}?view=issues")
    app.wait_for_samples(1)
    inspector = InspectorPage(app.page)
    inspector.open_first_sample()
    inspector.open()
    inspector.expect_card("1", "hidden object")
    expect(inspector.row("under other objects")).to_contain_text(lines[0].label)
    expect(inspector.row("annotation 20", "Its box has numbers")).to_contain_text(
        "repaired"
    )


def test_a_dataset_without_masks_leads_to_compute_masks(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open(dataset.name)
    app.wait_for_samples(len(dataset))
    inspector = InspectorPage(app.page)
    inspector.open_first_sample()
    inspector.open()
    inspector.expect_text(
        "This dataset has no masks yet. Compute masks draws them from the objects."
    )
    inspector.expect_pictures("Image")
    inspector.content.get_by_role("button", name="Compute masks").click()
    form = app.form()
    form.execute()
    form.finish("21 masks in")
    inspector.content.get_by_role("button", name="Reload").click()
    dataset.reload()
    inspector.expect_card(_foreground(dataset.first()), "foreground px")
    inspector.expect_pictures(*PICTURES)


def test_a_patch_shows_the_sample_that_it_is_of(
    app: AppPage, dataset: fo.Dataset
) -> None:
    compute_masks(dataset)
    dataset.save_view("patches", dataset.to_patches("segmentations"))
    patches = dataset.load_saved_view("patches")
    app.open_address(f"{dataset.name}?view=patches")
    inspector = InspectorPage(app.page)
    inspector.open_first_sample()
    inspector.open()
    whole = dataset[patches.first().sample_id]
    inspector.expect_card(_foreground(whole), "foreground px")
    inspector.expect_pictures(*PICTURES)
