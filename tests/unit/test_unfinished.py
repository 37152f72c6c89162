"""Files that killed runs left half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from fiftyone_cocomask.geometry import png
from fiftyone_cocomask.unfinished import (
    GroupedWrites,
    remove_unfinished,
    unfinished_name,
)
from tests.conftest import needs_posix


@pytest.fixture(scope="module")
def left() -> str:
    """The name of a file of a process that has ended."""
    code = "from fiftyone_cocomask.unfinished import unfinished_name as n; print(n())"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


@needs_posix
def test_what_an_ended_run_left_goes_and_all_else_stays(
    tmp_path: Path, left: str
) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    kept = {unfinished_name(), f"{unfinished_name()}-images", "a.png", ".writing-mine"}
    for name in {left, f"{left}-annotations", *kept}:
        (folder / name).touch()
    old = folder / ".writing-0123456789abcdef"
    old.touch()
    os.utime(old, (0, 0))
    remove_unfinished(tmp_path, below=False)
    assert (folder / left).exists()
    remove_unfinished(tmp_path)
    assert {path.name for path in folder.iterdir()} == kept
    remove_unfinished(tmp_path / "absent")


@needs_posix
def test_writing_a_mask_removes_what_a_kill_left_beside_it(
    tmp_path: Path, left: str
) -> None:
    (tmp_path / left).touch()
    png.write_mask(tmp_path / "a.png", np.zeros((3, 4), np.uint8), binary=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_file_of_a_group_that_cannot_be_written_costs_that_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder").mkdir()
    became: list[tuple[str, type | None]] = []
    with GroupedWrites() as writes:
        for name in ("a", "folder", "new/b"):

            def fill(file: BinaryIO, name: str = name) -> None:
                file.write(name.encode())

            def done(error: Exception | None, name: str = name) -> None:
                became.append((name, error and type(error)))

            writes.add(tmp_path / name, fill, done)
        assert not became
    assert became == [("a", None), ("folder", IsADirectoryError), ("new/b", None)]
    files = {
        path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert files == {"a": "a", "b": "new/b"}
