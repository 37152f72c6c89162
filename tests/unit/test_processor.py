"""COCOProcessor: the notebook's loop without its defects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from fiftyone_cocomask import (
    CocoMaskError,
    COCOProcessor,
    ExportError,
    MaskFileError,
)

HEIGHT, WIDTH = 30, 40
LEFT = [5.9, 5.2, 20.7, 5.2, 20.7, 15.8, 5.9, 15.8]
RIGHT = [15, 5, 30, 5, 30, 15, 15, 15]


def notebook_mask(*rings: list[float]) -> np.ndarray:
    """The notebook's loop, literally."""
    combined = np.zeros((HEIGHT, WIDTH), np.uint8)
    for ring in rings:
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        points = np.array(ring).reshape(-1, 2).astype(np.int32)
        cv2.fillPoly(mask, [points], 1)
        combined = np.maximum(combined, mask)
    return combined


def rle() -> dict[str, Any]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:6, 3:9] = 1
    encoded = mask_utils.encode(np.asfortranarray(mask))
    return {"size": [HEIGHT, WIDTH], "counts": encoded["counts"].decode()}


@pytest.fixture
def processor(tmp_path: Path) -> COCOProcessor:
    names = ["a_jpg.rf.1111.jpg", "a_jpg.rf.2222.jpg", "gone.jpg"]
    for name in names[:2]:
        cv2.imwrite(str(tmp_path / name), np.full((HEIGHT, WIDTH, 3), 80, np.uint8))
    # Ids that are not the places in the list.
    ids = [40, 7, 9]
    coco = {
        "images": [
            {"id": i, "file_name": name, "height": HEIGHT, "width": WIDTH}
            for i, name in zip(ids, names, strict=True)
        ],
        "categories": [{"id": 1, "name": "wing"}],
        "annotations": [
            {"id": n, "image_id": i, "category_id": 1, "segmentation": s, "iscrowd": 0}
            for n, (i, s) in enumerate(
                [(40, [LEFT]), (40, [RIGHT]), (7, rle()), (9, [LEFT])]
            )
        ],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    return COCOProcessor(tmp_path / "coco.json", tmp_path)


def test_masks_are_those_of_the_loop(processor: COCOProcessor) -> None:
    mask = processor.create_binary_mask([LEFT], HEIGHT, WIDTH)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, notebook_mask(LEFT))
    both = processor.create_binary_mask([LEFT, RIGHT], HEIGHT, WIDTH)
    np.testing.assert_array_equal(both, notebook_mask(LEFT, RIGHT))


def test_an_image_is_processed_by_its_id_and_lies_beside_it(
    processor: COCOProcessor, tmp_path: Path
) -> None:
    path = processor.process_image(40)
    assert path == str(tmp_path / "a_jpg.rf.1111_mask.png")
    saved = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(saved, notebook_mask(LEFT, RIGHT) * 255)


def test_copies_of_one_source_have_masks_of_their_own(processor: COCOProcessor) -> None:
    assert processor.process_image(40) != processor.process_image(7)


def test_rle_is_drawn(processor: COCOProcessor) -> None:
    saved = cv2.imread(processor.process_image(7), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(saved > 0, mask_utils.decode(rle()) > 0)
    mask = processor.create_binary_mask(rle(), HEIGHT, WIDTH)
    np.testing.assert_array_equal(mask, mask_utils.decode(rle()))


def test_image_and_mask_are_shown_side_by_side(
    processor: COCOProcessor, tmp_path: Path
) -> None:
    figure = processor.visualize(
        tmp_path / "a_jpg.rf.1111.jpg", processor.process_image(40)
    )
    image, mask = (axes.images[0].get_array() for axes in figure.axes)
    assert image.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(mask > 0, notebook_mask(LEFT, RIGHT) > 0)


@pytest.mark.parametrize(
    ("image_id", "reason"),
    [(0, "no image with the id 0"), (9, "Image 9 cannot be processed")],
)
def test_an_id_that_cannot_be_processed_is_named(
    processor: COCOProcessor, image_id: int, reason: str
) -> None:
    with pytest.raises(CocoMaskError, match=reason):
        processor.process_image(image_id)


def test_a_missing_json_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="nothing"):
        COCOProcessor(tmp_path / "nothing.json", tmp_path)
    with pytest.raises(CocoMaskError, match="image_dir is not a folder"):
        COCOProcessor(tmp_path / "coco.json", tmp_path / "nothing")


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/out.jpg", "", "a/../../b.jpg"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    processor: COCOProcessor, name: str
) -> None:
    with pytest.raises(CocoMaskError, match="refused"):
        processor.save_mask(np.zeros((2, 2), np.uint8), {"file_name": name})


@pytest.mark.parametrize(
    "segmentation",
    [
        [[1, 2, 3]],
        [["a", "b"]],
        "text",
        [[float("nan"), 1, 2, 2, 3, 1]],
        [[10**400, 1, 2, 2, 3, 1]],
        {"counts": 1},
    ],
)
def test_what_cannot_be_drawn_is_said(
    processor: COCOProcessor, segmentation: Any
) -> None:
    with pytest.raises(CocoMaskError):
        processor.create_binary_mask(segmentation, HEIGHT, WIDTH)


def _processor_of(folder: Path, *names: str) -> COCOProcessor:
    for name in names:
        cv2.imwrite(str(folder / name), np.full((HEIGHT, WIDTH, 3), 80, np.uint8))
    images = [
        {"id": i, "file_name": name, "height": HEIGHT, "width": WIDTH}
        for i, name in enumerate(names)
    ]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1, "segmentation": [LEFT]}
        for i in range(len(names))
    ]
    categories = [{"id": 1, "name": "wing"}]
    coco = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "coco.json").write_text(json.dumps(coco))
    return COCOProcessor(folder / "coco.json", folder)


def test_images_of_one_stem_have_masks_of_their_own(tmp_path: Path) -> None:
    processor = _processor_of(tmp_path, "a.png", "a.jpg", "b.jpg")
    names = [Path(processor.process_image(i)).name for i in range(3)]
    assert names == ["a.png_mask.png", "a.jpg_mask.png", "b_mask.png"]


def test_a_mask_never_replaces_an_image(tmp_path: Path) -> None:
    processor = _processor_of(tmp_path, "a.jpg", "a_mask.png", "b.jpg")
    picture = (tmp_path / "a_mask.png").read_bytes()
    # A picture that the JSON does not list, at both places.
    (tmp_path / "b_mask.png").write_bytes(picture)
    (tmp_path / "b.jpg_mask.png").write_bytes(picture)
    assert Path(processor.process_image(0)).name == "a.jpg_mask.png"
    with pytest.raises(MaskFileError, match="would replace an image"):
        processor.process_image(2)
    for name in ("a_mask.png", "b_mask.png", "b.jpg_mask.png"):
        assert (tmp_path / name).read_bytes() == picture


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("..\\..\\images\\a.jpg", "images/a.jpg"),
        ("/home/me/images/a.jpg", "images/a.jpg"),
        ("https://example.org/images/a%20b.jpg?token=1", "images/a b.jpg"),
        ("upload/4/a.jpg", "pictures/a.jpg"),
    ],
)
def test_the_mask_of_an_image_that_lies_elsewhere_is_beside_it(
    tmp_path: Path, name: str, file: str
) -> None:
    folder = tmp_path / "export"
    image = folder / file
    image.parent.mkdir(parents=True)
    processor = _processor_of(folder, image.name)
    (folder / image.name).rename(image)
    content = json.loads((folder / "coco.json").read_text())
    content["images"][0]["file_name"] = name
    (folder / "coco.json").write_text(json.dumps(content))
    (tmp_path / "link").symlink_to(folder)
    for place in (folder, tmp_path / "link"):
        processor = COCOProcessor(folder / "coco.json", place)
        path = Path(processor.process_image(0))
        assert path == (place / file).with_name(f"{image.stem}_mask.png")
        assert processor.save_mask(np.zeros((2, 2)), {"file_name": name}) == str(path)
    assert {p.name for p in folder.iterdir()} == {"coco.json", image.parent.name}


def test_a_mask_is_written_again_over_itself(tmp_path: Path) -> None:
    processor = _processor_of(tmp_path, "a.jpg")
    assert processor.process_image(0) == processor.process_image(0)


def test_what_is_no_argument_of_a_method_is_said(processor: COCOProcessor) -> None:
    mask = np.zeros((2, 2), np.uint8)
    for call, said in (
        (lambda: processor.process_image([1]), "no image with the id"),
        (lambda: processor.process_image((1, [2])), "no image with the id"),
        (lambda: processor.process_image(np.array([9, 9])), "no image with the id"),
        (lambda: processor.process_image(None), "no image with the id None"),
        (lambda: processor.create_binary_mask([LEFT], "3", 3), "image_height must be"),
        (lambda: processor.create_binary_mask([LEFT], 3, 3.5), "image_width must be"),
        (lambda: processor.save_mask("mask", {"file_name": "a.jpg"}), "mask must be"),
        (lambda: processor.save_mask(mask, None), "image_info must be"),
        (lambda: processor.save_mask(mask, {"file_name": 300 * "a"}), "too long"),
    ):
        with pytest.raises(CocoMaskError, match=said):
            call()


@pytest.mark.parametrize("size", [(10**6, 10**6), (0, 5), (-1, 5)])
def test_a_mask_of_an_impossible_size_is_one_sentence(
    processor: COCOProcessor, size: tuple[int, int]
) -> None:
    for segmentation in ([LEFT], {"size": list(size), "counts": [0]}):
        with pytest.raises(CocoMaskError, match="cannot have a mask"):
            processor.create_binary_mask(segmentation, *size)
