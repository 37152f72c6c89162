"""What the benchmarks share: a FiftyOne of their own, exports, medians, tables."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone, use_own_fiftyone

SIDE = 640
POLYGONS = 10
POINTS = 20


def own_fiftyone() -> Path:
    """Points FiftyOne at a fresh folder; call it before FiftyOne is imported."""
    folder = Path(tempfile.mkdtemp(prefix="cocomask-benchmark-"))
    atexit.register(delete_own_fiftyone, folder)
    use_own_fiftyone(folder, show_progress_bars=False)
    return folder


def link_plugin() -> None:
    """Puts the repository into the plugins folder of the FiftyOne of its own."""
    import fiftyone as fo

    repository = Path(__file__).resolve().parents[1]
    link = Path(fo.config.plugins_dir) / "cocomask"
    link.symlink_to(repository, target_is_directory=True)


def blob(random: np.random.Generator) -> np.ndarray:
    """Returns a ring of 20 points around a random place, like an annotated object."""
    center = random.random(2) * SIDE
    angles = np.sort(random.random(POINTS)) * 2 * np.pi
    radii = SIDE / 12 * (0.6 + 0.4 * random.random(POINTS))
    ring = center[:, None] + radii * np.stack([np.cos(angles), np.sin(angles)])
    return np.clip(ring.T, 0, SIDE).round(3)


def write_export(folder: Path, images: int) -> Path:
    """Writes an export of one split: one JPEG under many names, 10 polygons on each.

    A process of its own does it, so that the peak memory here is that of what is
    measured.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_write_export, folder, images).result()
    return folder


def write_edited_export(folder: Path, images: int, part: float) -> int:
    """Writes a later version of :func:`write_export`'s, without its images.

    All annotations have other ids, and a part of them another first vertex.

    Returns:
        the number of annotations with another vertex
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_write_edited_export, folder, images, part).result()


def _write_export(folder: Path, images: int) -> None:
    random = _random()
    folder.mkdir(parents=True)
    picture = folder / "picture.tmp.jpg"
    cv2.imwrite(str(picture), random.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
    for number, name in enumerate(_names(images)):
        # A file of ext4 has at most 65,000 names.
        if number % 50_000 == 0:
            shutil.copy(picture, folder / name)
            linked = folder / name
        else:
            os.link(linked, folder / name)
    picture.unlink()
    _write_json(folder, images, _annotations(images, random))


def _write_edited_export(folder: Path, images: int, part: float) -> int:
    random = _random()
    random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    chosen = np.random.default_rng(8).random(images * POLYGONS) < part
    folder.mkdir(parents=True)
    _write_json(folder, images, _edited(_annotations(images, random), chosen))
    return int(chosen.sum())


def _edited(
    annotations: Iterator[dict[str, Any]], chosen: np.ndarray
) -> Iterator[dict[str, Any]]:
    for number, annotation in enumerate(annotations):
        annotation["id"] = len(chosen) - number
        if chosen[number]:
            ring = annotation["segmentation"][0]
            ring[:2] = ring[0] * 0.99 + 1, ring[1] * 0.99 + 1
        yield annotation


def _random() -> np.random.Generator:
    return np.random.default_rng(7)


def _names(images: int) -> list[str]:
    return [f"{number:06}_jpg.rf.{number:032x}.jpg" for number in range(images)]


def _write_json(
    folder: Path, images: int, annotations: Iterator[dict[str, Any]]
) -> None:
    categories = [
        {"id": 0, "name": "object", "supercategory": "none"},
        {"id": 1, "name": "blob", "supercategory": "object"},
        {"id": 2, "name": "spot", "supercategory": "object"},
    ]
    size = {"width": SIDE, "height": SIDE}
    entries = (
        {"id": number, "file_name": name, **size}
        for number, name in enumerate(_names(images))
    )
    # Written as it is made: a million annotations do not fit into memory.
    with open(folder / "_annotations.coco.json", "w") as file:
        file.write('{"info": {}, "licenses": [], "categories": ')
        file.write(json.dumps(categories))
        for key, values in (("images", entries), ("annotations", annotations)):
            file.write(f', "{key}": [')
            for place, value in enumerate(values):
                file.write(("," if place else "") + json.dumps(value))
            file.write("]")
        file.write("}")


def _annotations(images: int, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    for number in range(images * POLYGONS):
        ring = blob(random)
        low, size = ring.min(axis=0), np.ptp(ring, axis=0)
        yield {
            "id": number,
            "image_id": number // POLYGONS,
            "category_id": 1 + number % 2,
            "bbox": [*low.tolist(), *size.tolist()],
            "area": float(size.prod()),
            "segmentation": [ring.ravel().tolist()],
            "iscrowd": 0,
        }


def seconds(function: Callable[[], Any]) -> float:
    """Returns how long a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def cpu_seconds() -> float:
    """Returns the CPU time so far: of this process, its workers and its MongoDB."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = time.process_time() + ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            taken += times.user + times.system
    return taken


def median_seconds(function: Callable[[], Any], runs: int) -> float:
    """Returns the median of several calls; the machine is noisy."""
    return statistics.median(seconds(function) for _ in range(runs))


def taken_in_turns(
    functions: Sequence[Callable[[], Any]],
    runs: int,
    *,
    undo: Callable[[], Any] = lambda: None,
) -> list[list[float]]:
    """Returns the seconds of each call of each of several functions, called in turns.

    Args:
        functions: what is measured
        runs: how often each is called
        undo: called after each call, so that all begin with the same
    """
    taken = [[_undone(function, undo) for function in functions] for _ in range(runs)]
    return [list(column) for column in zip(*taken, strict=True)]


def with_spread(taken: Sequence[float]) -> str:
    """Returns the median of some seconds, with the least and the most, as text."""
    spread = f" ({min(taken):.2f} to {max(taken):.2f})" if len(taken) > 1 else ""
    return f"{statistics.median(taken):.2f}{spread}"


def _undone(function: Callable[[], Any], undo: Callable[[], Any]) -> float:
    taken = seconds(function)
    undo()
    return taken


def peak_megabytes() -> float:
    """Returns the largest memory that this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's `ru_maxrss` begins with that of the process that started this one.
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Prints rows of the same columns below their names."""
    columns = list(rows[0])
    texts = [columns, *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(text[i]) for text in texts) for i in range(len(columns))]
    for text in texts:
        print("  ".join(t.ljust(w) for t, w in zip(text, widths, strict=True)))


def beside_fiftyone(description: str | None) -> argparse.Namespace:
    """Returns the options of a benchmark of one function beside FiftyOne's own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--baseline-runs", type=int, default=1)
    return parser.parse_args()


def print_beside_fiftyone(
    ours: tuple[str, Callable[[], Any]],
    theirs: tuple[str, Callable[[], Any]],
    options: argparse.Namespace,
) -> None:
    """Measures a function and FiftyOne's own, each given with its name, and prints."""
    taken = median_seconds(ours[1], options.runs)
    peak = peak_megabytes()
    rows = [{"what": ours[0], "seconds": f"{taken:.2f}"}]
    baseline = None
    if options.baseline_runs:
        baseline = median_seconds(theirs[1], options.baseline_runs)
        rows.insert(0, {"what": theirs[0], "seconds": f"{baseline:.2f}"})
    print_table(rows)
    if baseline:
        print(f"{baseline / taken:.1f} times faster")
    print(f"{1000 * taken / options.images:.2f} ms an image; peak memory {peak:.0f} MB")
