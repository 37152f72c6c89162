"""Which files and addresses the whole job touches."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink")
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pty.spawn")


@dataclass
class Watch:
    """What happened while it was on."""

    is_on: bool = False
    changed: set[Path] = field(default_factory=set)
    addresses: set[Any] = field(default_factory=set)
    programs: list[str] = field(default_factory=list)

    def see(self, event: str, arguments: Any) -> None:
        if not self.is_on:
            return
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            if arguments[2] & _WRITING:
                self._change(arguments[0])
        elif event in _CHANGES:
            self._change(arguments[0])
            if event == "os.rename":
                self._change(arguments[1])
        elif event == "socket.connect":
            self.addresses.add(arguments[1][0])
        elif event in _PROGRAMS:
            self.programs.append(event)

    def _change(self, path: str | bytes) -> None:
        self.changed.add(Path(os.path.abspath(os.fsdecode(path))))


_watch = Watch()


@pytest.fixture
def watch() -> Iterator[Watch]:
    # A hook stays for the life of the process; there is one, which can be off.
    if not hasattr(sys, "_cocomask_watch"):
        sys.addaudithook(_watch.see)
        sys._cocomask_watch = _watch  # type: ignore[attr-defined]
    _watch.changed.clear()
    _watch.addresses.clear()
    _watch.programs.clear()
    yield _watch
    _watch.is_on = False


def test_the_job_writes_to_the_dataset_s_and_the_chosen_folders_only(
    watch: Watch,
    demo_export: Path,
    tmp_path: Path,
    new_dataset: Callable[..., fo.Dataset],
) -> None:
    export = Path(shutil.copytree(demo_export, tmp_path / "butterflies"))
    archive = Path(shutil.make_archive(str(export), "zip", export))
    before = {p: p.stat().st_mtime_ns for p in export.rglob("*")}
    own = Path(fo.config.default_dataset_dir)
    chosen = tmp_path / "chosen"

    watch.is_on = True
    dataset, _ = fcm.import_roboflow_coco(archive, "touched")
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, label_field="segmentations")
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    fcm.find_mask_issues(dataset)
    assert all(path.is_relative_to(own) for path in watch.changed)
    assert any(path.suffix == ".png" for path in watch.changed)
    watch.changed.clear()
    fcm.export_masks(dataset, "mask", chosen / "masks")
    fcm.export_cutouts(dataset, "segmentations", chosen / "cutouts")
    watch.is_on = False

    assert watch.changed
    assert all(path.is_relative_to(chosen) for path in watch.changed)
    assert watch.addresses <= {"localhost", "127.0.0.1", "::1"}
    assert watch.programs == []
    assert {p: p.stat().st_mtime_ns for p in export.rglob("*")} == before
