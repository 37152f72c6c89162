"""Reports of exports: what is in them, and that text of an export stays text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.errors import CocoMaskError

HOSTILE = "<img src=x onerror=alert(1)></script>"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    for name, value in (("a.png", 40), ("b.png", 90)):
        cv2.imwrite(str(folder / name), np.full((50, 100, 3), value, np.uint8))
    square = {"segmentation": [[0, 0, 50, 0, 50, 50, 0, 50]], "bbox": [0, 0, 50, 50]}
    part = {"segmentation": [[50, 0, 60, 0, 60, 10, 50, 10]], "bbox": [50, 0, 10, 10]}
    common = {"image_id": 1, "iscrowd": 0}
    document = {
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": HOSTILE}],
        "images": [
            {"id": 1, "file_name": "a.png", "width": 100, "height": 50},
            {"id": 2, "file_name": "b.png", "width": 100, "height": 50},
            {"id": 3, "file_name": f"{HOSTILE}.png", "width": 100, "height": 50},
        ],
        "annotations": [
            {"id": 1, "category_id": 1, "area": 2500, **square, **common},
            {"id": 2, "category_id": 2, "area": 100, **part, **common},
            {"id": 3, "category_id": 1, "segmentation": [[1, 2]], **common},
        ],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(document))
    return folder


def charts(text: str) -> list[dict]:
    """Returns the figures of a report's charts, as a browser reads them."""
    pattern = r'<script type="application/json">(.*?)</script>'
    return [json.loads(found) for found in re.findall(pattern, text, re.DOTALL)]


def test_a_report_of_an_export_has_its_figures(export: Path, tmp_path: Path) -> None:
    path = fcm.write_report(export, tmp_path / "report.html", title="Before labelling")
    text = path.read_text()
    assert "<h1>Before labelling</h1>" in text
    found = {figure["data"][0]["type"]: figure["data"][0] for figure in charts(text)}
    # The left half of one of three images, and a tenth of the width of its top fifth.
    heatmap = np.array(found["heatmap"]["z"])
    assert heatmap.shape == (64, 64)
    assert heatmap.mean() == pytest.approx((2500 + 100) / 5000 / 3, abs=1e-4)
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    assert ["cat", "1", "1", "2,500", "16.67%"] in [row[:5] for row in cells]


def test_boxes_without_a_shape_are_told_and_not_measured(
    export: Path, tmp_path: Path
) -> None:
    path = export / "_annotations.coco.json"
    document = json.loads(path.read_text())
    boxes = [
        {"id": number, "image_id": 2, "category_id": 1, "bbox": [0, 0, 100, 50]}
        for number in (8, 9)
    ]
    document["annotations"] += boxes
    path.write_text(json.dumps(document))
    text = fcm.write_report(export, tmp_path / "report.html").read_text()
    said = "2 annotations are left out of the figures: boxes without a shape."
    assert said in text
    found = {figure["data"][0]["type"]: figure["data"][0] for figure in charts(text)}
    heatmap = np.array(found["heatmap"]["z"])
    assert heatmap.mean() == pytest.approx((2500 + 100) / 5000 / 3, abs=1e-4)
    assert re.search(r"<td>cat</td>\s*<td>1</td>\s*<td>1</td>", text)
    # And of boxes alone there is nothing to measure.
    document["annotations"] = boxes
    path.write_text(json.dumps(document))
    alone = fcm.write_report(export, tmp_path / "report.html").read_text()
    assert said in alone
    assert charts(alone) == []


def test_text_of_an_export_is_shown_as_text(export: Path, tmp_path: Path) -> None:
    text = fcm.write_report(export, tmp_path / "report.html").read_text()
    assert "<img src=x" not in text
    assert text.count("</script>") == text.count("<script")
    names = {name for figure in charts(text) for name in figure["data"][0]["x"]}
    # Plotly shows some HTML, so that it gets none.
    assert any("&lt;img src=x" in str(name) for name in names)


def test_a_report_is_small_and_fetches_nothing(export: Path, tmp_path: Path) -> None:
    path = fcm.write_report(export, tmp_path / "report.html")
    assert path.stat().st_size < 5_000_000
    text = path.read_text()
    assert "default-src 'none'" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)


def test_an_export_is_reported_without_a_database(export: Path, tmp_path: Path) -> None:
    code = (
        "import sys, fiftyone_cocomask as fcm\n"
        "fcm.write_report(sys.argv[1], sys.argv[2])\n"
        "assert 'fiftyone' not in sys.modules\n"
    )
    output = tmp_path / "new folder" / "report.html"
    command = [sys.executable, "-c", code, str(export), str(output)]
    subprocess.run(command, check=True)
    assert output.is_file()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.txt", "ends with .html"),
        ("file/report.html", "file, a file"),
        ("folder.html", "is a folder"),
    ],
)
def test_a_wrong_path_is_one_sentence(
    export: Path, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(CocoMaskError, match=said):
        fcm.write_report(export, tmp_path / name)
    with pytest.raises(CocoMaskError, match="eval_keys are of a dataset"):
        fcm.write_report(export, tmp_path / "report.html", eval_keys=["area"])


def test_an_image_of_a_claimed_billion_pixels_is_left_out_and_said(
    export: Path, tmp_path: Path
) -> None:
    path = next(export.rglob("_annotations.coco.json"))
    content = json.loads(path.read_text())
    content["images"][0].update(file_name="missing.jpg", width=32_000, height=32_000)
    path.write_text(json.dumps(content))
    text = fcm.write_report(export, tmp_path / "report.html").read_text()
    assert "1 image of more than 134,217,728 pixels is left out" in text


def test_a_report_shows_no_files_from_elsewhere(export: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    cv2.imwrite(str(secret), np.full((50, 100, 3), 7, np.uint8))
    path = export / "_annotations.coco.json"
    content = json.loads(path.read_text())
    for image in content["images"]:
        (export / image["file_name"]).unlink(missing_ok=True)
        image["fiftyone_filepath"] = str(secret)
    path.write_text(json.dumps(content))
    text = fcm.write_report(export, tmp_path / "report.html").read_text()
    assert "image_missing" in text
    assert "data:image/jpeg" not in text


def test_no_report_replaces_an_image(export: Path, tmp_path: Path) -> None:
    image = tmp_path / "image.html"
    cv2.imwrite(str(tmp_path / "image.png"), np.zeros((9, 9), np.uint8))
    (tmp_path / "image.png").rename(image)
    before = image.read_bytes()
    with pytest.raises(CocoMaskError, match="is an image"):
        fcm.write_report(export, image)
    assert image.read_bytes() == before
    with pytest.raises(CocoMaskError, match="cannot be written"):
        fcm.write_report(export, tmp_path / ("n" * 300 + ".html"))
