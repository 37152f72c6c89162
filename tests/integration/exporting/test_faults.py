"""Exports that cannot be written, or are stopped: one sentence, and nothing lost."""

from __future__ import annotations

import os
import resource
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.cli import main

from ..ready_process import ReadyProcess
from ..small_export import write_small_export
from .exports import JSON_NAME, assert_same_export, stop_export, write_image

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_small_export(tmp_path / "source")


@pytest.fixture
def dataset(new_dataset: Any, source: Path) -> fo.Dataset:
    return fcm.import_roboflow_coco(source, "faulty")[0]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Lets this process write files up to a size only, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@needs_linux
@pytest.mark.parametrize("images", ["none", "copy"])
def test_a_full_disk_is_one_sentence_and_the_export_can_be_done_again(
    dataset: fo.Dataset, source: Path, tmp_path: Path, images: Any
) -> None:
    out = tmp_path / "out"
    with (
        files_of_at_most(300),
        pytest.raises(fcm.CocoMaskError, match="cannot be written to") as raised,
    ):
        fcm.export_roboflow_coco(dataset, out, images=images)
    assert "\n" not in str(raised.value)
    assert not list(out.rglob(JSON_NAME))
    assert not list(out.rglob(".writing-*"))
    fcm.export_roboflow_coco(dataset, out)
    assert_same_export(out, source)


@needs_linux
def test_a_folder_that_takes_no_files_is_one_sentence(
    dataset: fo.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    # Root may write anywhere but there.
    out = Path("/sys/kernel") if os.geteuid() == 0 else tmp_path / "locked"
    if os.geteuid() != 0:
        out.mkdir(mode=0o500)
    command = ["export", "coco", "faulty", "--output-dir", str(out / "new")]
    assert main(command) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"{out / 'new'} cannot be written to" in said
    assert not (out / "new").exists()


@needs_linux
def test_a_killed_export_can_be_done_again(
    dataset: fo.Dataset, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    # The images are written as in an export that is killed while it copies the last.
    (out / "train").mkdir(parents=True)
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from fiftyone_cocomask.coco.writing import CocoWriter
        from fiftyone_cocomask.datasets.exporting.coco_folder import ExportFolder

        folder = ExportFolder(sys.argv[1], [], [], overwrite=True)
        folder.begin()
        writer = CocoWriter(folder.json_of(folder.path / "train"))
        writer.add({"id": 1}, [])
        writer._spools[0].flush()
        pipe = folder.path / "pipe.jpg"
        os.mkfifo(pipe)
        print("writing", flush=True)
        folder.put(str(pipe), folder.path / "train", "image.jpg", "copy")
        # Waits for the rest of an image.
        folder.finish_images()
        """
    )
    with ReadyProcess(script, str(out)) as process:
        assert process.stdout.readline() == "writing\n"
        with open(out / "pipe.jpg", "wb") as pipe:
            pipe.write(b"half an image")
            pipe.flush()
            # Its images, its annotations and the image that is copied.
            while len(list(out.rglob(".writing-*"))) < 3:
                time.sleep(0.01)
            # Nobody else writes into it meanwhile, whatever is in it.
            before = sorted(out.rglob("*"))
            for overwrite in (False, True):
                with pytest.raises(fcm.CocoMaskError, match="is writing an export"):
                    fcm.export_roboflow_coco(dataset, out, overwrite=overwrite)
            assert sorted(out.rglob("*")) == before
            process.kill()
    (out / "pipe.jpg").unlink()
    assert list(out.rglob(".writing-*"))

    fcm.export_roboflow_coco(dataset, out)
    assert_same_export(out, source)
    assert not list(out.rglob(".writing-*"))
    assert not list(out.rglob(".unfinished-export"))


def test_an_export_that_was_stopped_is_done_again_by_another_process(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    """The one that was stopped, such as a notebook's, lives on."""
    out = tmp_path / "out"
    stop_export(dataset, out)
    script = textwrap.dedent(
        """
        import sys
        from fiftyone_cocomask.datasets.exporting.coco_folder import ExportFolder

        ExportFolder(sys.argv[1], [], [], overwrite=False).begin()
        print("begun", flush=True)
        """
    )
    with ReadyProcess(script, str(out)) as process:
        assert process.stdout.readline() == "begun\n"


def test_what_a_dataset_came_from_is_never_written_to(
    dataset: fo.Dataset, new_dataset: Any, source: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(source, target_is_directory=True)
    alone, _ = fcm.import_roboflow_coco(source / "train" / JSON_NAME, "alone")
    others = new_dataset()
    write_image(tmp_path / "images" / "a.jpg", 80, 60)
    sample = fo.Sample(
        filepath=str(tmp_path / "images" / "a.jpg"),
        segmentations=fo.Polylines(polylines=[]),
    )
    others.add_sample(sample)
    before = files_of(tmp_path)
    for samples, out in (
        (dataset, link),
        (dataset, link / "below"),
        (alone, source / "train"),
        (alone, link / "train"),
        (others, tmp_path / "images"),
    ):
        with pytest.raises(fcm.CocoMaskError, match="another output_dir"):
            fcm.export_roboflow_coco(samples, out, overwrite=True)
    assert files_of(tmp_path) == before


def test_splits_whose_folders_would_be_one_have_folders_of_their_own(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    for sample, split in zip(dataset, ("a:b", "a_b", "A_B"), strict=True):
        sample["split"] = split
        sample.save()
    report = fcm.export_roboflow_coco(dataset, tmp_path / "out")
    found = [path.parent.name for path in (tmp_path / "out").rglob(JSON_NAME)]
    assert len({name.casefold() for name in found}) == len(found) == 3
    assert report.annotations == dataset.count("detections.detections")


def test_an_export_needs_no_access_to_the_folder_of_all_datasets(
    dataset: fo.Dataset,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The system refuses to look into it, for root as well, who may read any folder.
    monkeypatch.setattr(fo.config, "default_dataset_dir", str(tmp_path / ("x" * 300)))
    fcm.export_roboflow_coco(dataset, tmp_path / "out")
    assert_same_export(source, tmp_path / "out")
