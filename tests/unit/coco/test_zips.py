"""Zips: read in place or unpacked, refused where they could do harm."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from fiftyone_cocomask.coco.check import ExportReader, check_export
from fiftyone_cocomask.coco.issues import Action, IssueCode
from fiftyone_cocomask.errors import ExportError

from .exports import annotation, document, image_entry, pixels, read, write_export

ONE = document([annotation()])


def zip_folder(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


@pytest.fixture
def export_zip(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for split in ("train", "valid"):
        write_export(folder / split, ONE, files=("a.png", "unlisted.png"))
    (folder / "README.roboflow.txt").write_text("exported via roboflow.com on May 1\n")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._a.png").write_bytes(b"junk")
    return zip_folder(folder, tmp_path / "birds.v2i.coco.zip")


def test_zip_is_read_in_place(export_zip: Path) -> None:
    before = sorted(export_zip.parent.rglob("*"))
    with ExportReader(export_zip) as reader:
        assert reader.is_zip
        records = list(reader.images())

    assert reader.name == "birds.v2i"
    assert reader.report.splits == {
        "train": {"images": 1, "annotations": 1},
        "valid": {"images": 1, "annotations": 1},
    }
    assert [pixels(record.annotations[0]) for record in records] == [600, 600]
    assert records[0].num_channels == 3
    assert reader.report.unlisted == 2
    assert reader.roboflow["exported"] == "May 1"
    assert sorted(export_zip.parent.rglob("*")) == before
    assert check_export(export_zip).imported == 2


@pytest.mark.parametrize("later", [False, True])
def test_listed_images_are_unpacked(export_zip: Path, later: bool) -> None:
    target = export_zip.parent / "unpacked"
    with ExportReader(export_zip, unpack_to=None if later else target) as reader:
        reader.unpack_to = target
        records = list(reader.images())

    assert [record.path for record in records] == [
        target / "train" / "a.png",
        target / "valid" / "a.png",
    ]
    original = export_zip.parent / "folder" / "train" / "a.png"
    assert records[0].path.read_bytes() == original.read_bytes()
    assert records[0].size_bytes == original.stat().st_size
    files = [path for path in target.rglob("*") if path.is_file()]
    assert sorted(files) == [record.path for record in records]


def test_unpacking_again_leaves_what_is_whole_and_mends_the_rest(
    export_zip: Path,
) -> None:
    target = export_zip.parent / "unpacked"
    read(export_zip, unpack_to=target)
    whole, broken = target / "train" / "a.png", target / "valid" / "a.png"
    content = whole.read_bytes()
    changed = bytearray(content)
    changed[-20] ^= 0xFF  # of the same size, as a newer version may be
    broken.write_bytes(changed)
    before = whole.stat().st_mtime_ns, whole.stat().st_ino
    read(export_zip, unpack_to=target)

    assert (whole.stat().st_mtime_ns, whole.stat().st_ino) == before
    assert broken.read_bytes() == content


def test_zip_with_its_export_in_a_folder(tmp_path: Path) -> None:
    write_export(tmp_path / "folder" / "train", ONE)
    path = zip_folder(tmp_path / "folder", tmp_path / "x.zip", prefix="Birds v2/")

    assert list(read(path).report.splits) == ["train"]


def test_zip_of_one_folder_is_one_split(tmp_path: Path) -> None:
    write_export(tmp_path / "folder", ONE)
    found = read(zip_folder(tmp_path / "folder", tmp_path / "birds.zip"))

    assert list(found.report.splits) == ["default"]
    assert found.report.name == "birds"


def test_zip_without_the_suffix_is_one_too(tmp_path: Path) -> None:
    write_export(tmp_path / "folder", ONE)
    found = read(zip_folder(tmp_path / "folder", tmp_path / "download"))

    assert pixels(found.annotation) == 600


def test_folder_to_unpack_to_that_cannot_be_written(export_zip: Path) -> None:
    target = export_zip.parent / "file"
    target.write_text("in the way")
    with (
        ExportReader(export_zip, unpack_to=target) as reader,
        pytest.raises(ExportError, match=r"cannot be unpacked to .*file"),
    ):
        list(reader.images())


def test_image_whose_data_in_the_zip_is_broken(export_zip: Path) -> None:
    with zipfile.ZipFile(export_zip) as archive:
        member = archive.getinfo("train/a.png")
        offset = member.header_offset + 30 + len(member.filename)
    content = bytearray(export_zip.read_bytes())
    content[offset + 10] ^= 0xFF
    export_zip.write_bytes(content)
    for target in (None, export_zip.parent / "unpacked"):
        found = read(export_zip, unpack_to=target)

        assert found.record.split == "valid"
        issue = found.issue(IssueCode.IMAGE_UNREADABLE)
        assert (issue.split, issue.action) == ("train", Action.DROPPED)


# What could do harm.


def hostile_zip(path: Path, name: str, content: bytes = b"x") -> zipfile.ZipFile:
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    archive.writestr(name, content)
    return archive


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "train/../../evil.png",
        "/etc/evil.png",
        "C:/evil.png",
        "C:\\evil.png",
        "..\\evil.png",
        "\\\\host\\evil.png",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, name):
        pass
    with pytest.raises(ExportError, match=r"is refused: the name .* is unsafe"):
        check_export(path)


def test_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("train/a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ExportError, match=r"holds a link or device, 'train/a.png'"):
        check_export(path)


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, "_annotations.coco.json", b" " * 100_000_000):
        pass
    assert os.path.getsize(path) < 200_000
    with pytest.raises(ExportError, match=r"as a zip bomb does"):
        check_export(path)


def test_size_that_lies_about_a_bomb_does_not_help(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, "_annotations.coco.json", b" " * 100_000_000):
        pass
    content = path.read_bytes()
    # The unpacked size in both headers, changed to a harmless one.
    content = content.replace((100_000_000).to_bytes(4, "little"), b"\x10\0\0\0")
    path.write_bytes(content)
    with pytest.raises(ExportError, match=r"its data in the zip is broken|is empty"):
        check_export(path)


def test_files_that_overlap_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, "a", os.urandom(50_000)) as archive:
        first = archive.getinfo("a")
        for number in range(20):
            again = zipfile.ZipInfo(f"b{number}")
            again.header_offset = first.header_offset
            again.compress_type = first.compress_type
            again.CRC, again.file_size = first.CRC, first.file_size
            again.compress_size = first.compress_size
            archive.filelist.append(again)
    with pytest.raises(ExportError, match=r"overlap"):
        check_export(path)


def test_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, "a.png"):
        pass
    content = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(ExportError, match=r"'a.png' in it is encrypted"):
        check_export(path)


def test_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, "a.png") as archive:
        twin = zipfile.ZipInfo("./a.png")
        archive.writestr(twin, b"y")
    with pytest.raises(ExportError, match=r"holds 'a.png' twice"):
        check_export(path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_zip_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(ExportError, match=r"is no readable zip"):
        check_export(path)


def test_zip_that_is_cut_off(export_zip: Path) -> None:
    content = export_zip.read_bytes()
    export_zip.write_bytes(content[: len(content) // 2])
    with pytest.raises(ExportError, match=r"is no readable zip"):
        check_export(export_zip)


def test_name_in_the_json_cannot_leave_the_zip(tmp_path: Path) -> None:
    images = [image_entry(file_name="../../secret.png")]
    write_export(tmp_path / "folder", document([annotation()], images=images))
    path = zip_folder(tmp_path / "folder", tmp_path / "x.zip")
    found = read(path, unpack_to=tmp_path / "unpacked")

    assert found.records == []
    assert found.issue(IssueCode.FILE_NAME_UNSAFE).action is Action.DROPPED
