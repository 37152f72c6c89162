"""The README's recipes turn masks into a training set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
import torch

import fiftyone_cocomask as fcm
from fiftyone_cocomask.demo import write_demo_export
from tests.readme import readme_blocks


def test_the_recipes_of_the_readme_make_a_training_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = write_demo_export(tmp_path / "butterflies")
    dataset, _ = fcm.import_roboflow_coco(export, "butterflies")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"fcm": fcm, "dataset": dataset}
    for block in readme_blocks("python", "A training set"):
        exec(compile(block, "README.md", "exec"), names)

    train = dataset.match_tags("train")
    targets = dataset.mask_targets["classes"]
    assert set(targets.values()) == {"butterfly", "moth"}
    stored = [s.classes.get_mask() for s in train]
    assert {value for mask in stored for value in np.unique(mask)} == {0, *targets}
    folder = tmp_path / "training-set"
    files = sorted((folder / "data").iterdir())
    assert len(files) == len(train) == len(names["train"])
    for file in files:
        mask = cv2.imread(
            str(folder / "labels" / f"{file.stem}.png"), cv2.IMREAD_UNCHANGED
        )
        assert any(np.array_equal(mask, other) for other in stored)
        assert cv2.imread(str(file)).shape[:2] == mask.shape
    for (image, classes), mask in zip(names["train"], stored, strict=True):
        assert image.shape == (3, *mask.shape)
        assert 0 <= image.min() < image.max() <= 1
        assert np.array_equal(classes.numpy(), mask)
    images, batch = next(iter(names["loader"]))
    assert images.shape == (4, 3, 640, 640)
    assert (batch.shape, batch.dtype) == ((4, 640, 640), torch.int64)
    fo.delete_dataset("butterflies")
