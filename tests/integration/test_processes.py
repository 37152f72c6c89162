"""Masks drawn by several processes, also where processes cannot be forked."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import compute_masks
from tests.conftest import REPOSITORY


def add_squares(dataset: fo.Dataset, folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    samples = []
    for number in range(count):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), np.zeros((20, 20), np.uint8))
        side = (number % 10 + 1) / 20
        ring = [(0, 0), (side, 0), (side, side), (0, side)]
        line = fo.Polyline(label="a", points=[ring], closed=True, filled=True)
        labels = fo.Polylines(polylines=[line])
        samples.append(fo.Sample(filepath=str(path), segmentations=labels))
    dataset.add_samples(samples)


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_several_processes_make_the_masks_of_one(
    new_dataset: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start_method: str,
) -> None:
    monkeypatch.setattr(
        multiprocessing, "get_all_start_methods", lambda: [start_method]
    )
    dataset = new_dataset()
    add_squares(dataset, tmp_path / "images", 120)
    report = compute_masks(dataset, num_workers=2)
    assert (report.images, report.objects) == (120, 120)
    areas = [np.count_nonzero(sample.mask.get_mask()) for sample in dataset]
    assert areas == [(number % 10 + 1) ** 2 for number in range(120)]


LOADED_PLUGIN = """
import multiprocessing, sys
if {spawn}:
    multiprocessing.get_all_start_methods = lambda: ["spawn"]
import fiftyone as fo
import fiftyone.plugins.context as fopc

if __name__ == "__main__":
    contexts = fopc.build_plugin_contexts()
    (plugin,) = [c for c in contexts if c.name == "@cocomask/cocomask"]
    assert not plugin.errors, plugin.errors
    compute_masks = sys.modules["fiftyone.plugins.orgs.cocomask.cocomask"].compute_masks
    assert not any(name.startswith("fiftyone_cocomask") for name in sys.modules)
    report = compute_masks(fo.load_dataset({dataset!r}), num_workers=2)
    print(report.images, report.objects)
"""


@pytest.mark.parametrize("spawn", [False, True])
def test_the_loaded_plugin_draws_in_several_processes(
    new_dataset: Any, tmp_path: Path, spawn: bool
) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "cocomask").symlink_to(REPOSITORY, target_is_directory=True)
    dataset = new_dataset()
    dataset.persistent = True
    add_squares(dataset, tmp_path / "images", 60)
    script = tmp_path / "run.py"
    script.write_text(LOADED_PLUGIN.format(spawn=spawn, dataset=dataset.name))
    done = subprocess.run(
        # -I: the checkout is not on the path, as in a FiftyOne that loads the plugin.
        [sys.executable, "-I", str(script)],
        env={**os.environ, "FIFTYONE_PLUGINS_DIR": str(plugins)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["60 60"], done.stderr
