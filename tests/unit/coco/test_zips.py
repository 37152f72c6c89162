"""Zips: read in place or unpacked, refused where they could do harm."""

from __future__ import annotations

import bz2
import lzma
import os
import stat
import subprocess
import sys
import tracemalloc
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from fiftyone_cocomask.cli.main import main
from fiftyone_cocomask.coco.check import ExportReader, check_export
from fiftyone_cocomask.coco.fingerprints import file_fingerprint
from fiftyone_cocomask.coco.issues import Action, IssueCode
from fiftyone_cocomask.coco.zips import ZipFiles
from fiftyone_cocomask.errors import ExportError
from tests.conftest import needs_posix

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


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_zip_whose_names_are_in_utf_8_without_saying_so(
    tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    """As macOS writes them."""
    parts = document([annotation()], images=[image_entry(file_name="gr\u00fcn.png")])
    name = unicodedata.normalize(form, "gr\u00fcn.png")
    write_export(tmp_path / "folder", parts, files=(name,))
    path = zip_folder(tmp_path / "folder", tmp_path / "x.zip")
    data = path.read_bytes()
    # The flags are behind the version that it takes to read a file.
    for head in (b"PK\x03\x04\x14\0", b"PK\x01\x02\x14\x03\x14\0"):
        assert data.count(head + b"\x00\x08") == 1
        data = data.replace(head + b"\x00\x08", head + b"\0\0")
    path.write_bytes(data)

    found = read(path, unpack_to=tmp_path / "unpacked")
    assert pixels(found.annotation) == 600
    assert found.record.path.name == name
    assert found.record.path.is_file()


def test_zip_whose_names_are_in_the_encoding_of_ms_dos(tmp_path: Path) -> None:
    """As Windows writes them: 0x81 is the letter in code page 437."""
    parts = document([annotation()], images=[image_entry(file_name="gr\u00fcn.png")])
    write_export(tmp_path / "folder", parts, files=("gr+n.png",))
    path = zip_folder(tmp_path / "folder", tmp_path / "x.zip")
    path.write_bytes(path.read_bytes().replace(b"gr+n.png", b"gr\x81n.png"))

    assert pixels(read(path).annotation) == 600


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


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip_of_any_method_is_read(tmp_path: Path, method: int) -> None:
    folder = write_export(tmp_path / "folder", ONE)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("_annotations.coco.json", "a.png"):
            archive.write(folder / name, name)
    for target in (None, tmp_path / "unpacked"):
        assert pixels(read(path, unpack_to=target).annotation) == 600
    original = (folder / "a.png").read_bytes()
    assert (tmp_path / "unpacked" / "a.png").read_bytes() == original


@pytest.mark.parametrize("name", [".a.png", ".cache/a.png", "._a.png"])
def test_hidden_image_that_the_json_names_is_found_as_in_a_folder(
    tmp_path: Path, name: str
) -> None:
    parts = document([annotation()], images=[image_entry(file_name=name)])
    write_export(tmp_path / "folder", parts, files=(name, ".b.png"))
    path = zip_folder(tmp_path / "folder", tmp_path / "x.zip")

    unpacked = tmp_path / "unpacked"
    for found in (read(tmp_path / "folder"), read(path, unpack_to=unpacked)):
        assert found.record.file_name == name
        # Of the others nobody speaks.
        assert found.actions() == set()
    assert found.record.path == unpacked / name


def test_images_of_a_zip_may_be_in_another_folder(export_zip: Path) -> None:
    pictures = export_zip.parent / "pictures"
    (export_zip.parent / "folder" / "train").rename(pictures)
    (pictures / "_annotations.coco.json").unlink()
    found = read(export_zip, image_dir=pictures, unpack_to=pictures)

    assert {record.path for record in found.records} == {pictures / "a.png"}
    assert len(found.records) == 2
    assert main(["check", str(export_zip), "--image-dir", str(pictures)]) == 0


# Several at once, killed ones, and what is in the way.


def test_imports_at_the_same_time_unpack_the_same_files(export_zip: Path) -> None:
    target = export_zip.parent / "unpacked"
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(read, export_zip, unpack_to=target) for _ in range(24)]
        found = [job.result() for job in jobs]

    assert {each.report.usable_images for each in found} == {2}
    assert len([path for path in target.rglob("*") if path.is_file()]) == 2


def test_no_known_file_is_overwritten_whatever_it_is_called(export_zip: Path) -> None:
    target = export_zip.parent / "unpacked"
    first = target / "train" / "a.png"
    first.parent.mkdir(parents=True)
    first.write_bytes(b"another picture of that name")
    files = ZipFiles(export_zip)
    files.known_marks = {first: {"its mark"}}.get
    beside, mark = files.unpack("train/a.png", target)
    original = beside.read_bytes()
    assert (beside.parent, mark) == (first.parent, None)
    assert beside != first
    # It is a sample's picture now, and a person edits it.
    known = file_fingerprint(beside)
    assert known is not None
    beside.write_bytes(b"edited")
    files.known_marks = {first: {"its mark"}, beside: {known}}.get
    assert files.unpack("train/a.png", target) == (beside, known)
    # Nor does a replacement, to which no file is the export's, overwrite it.
    files.known_marks = {first: set[str](), beside: set[str]()}.get
    for _ in range(2):
        third, mark = files.unpack("train/a.png", target)
        assert (third.read_bytes(), mark) == (original, None)
    files.close()
    contents = {path: path.read_bytes() for path in first.parent.iterdir()}
    assert contents == {
        first: b"another picture of that name",
        beside: b"edited",
        third: original,
    }


def test_what_killed_runs_left_is_removed(export_zip: Path) -> None:
    target = export_zip.parent / "unpacked" / "train"
    killed = """
import os, sys
from pathlib import Path
from fiftyone_cocomask.coco.unpacking import write_file

def pieces():
    yield b"half"
    os._exit(9)

write_file(Path(sys.argv[1]), "train/a.png", pieces())
"""
    subprocess.run([sys.executable, "-c", killed, str(target.parent)], check=False)
    assert len(list(target.glob(".writing-*"))) == 1
    of_another = target / f".writing-{'0' * 8}-1-{'0' * 16}"
    of_another.write_bytes(b"of a run on another machine")
    of_a_person = target / ".writing-my-novel"
    of_a_person.write_bytes(b"...")
    read(export_zip, unpack_to=target.parent)

    left = set(target.glob(".writing-*"))
    assert left == {of_another, of_a_person}


@pytest.mark.parametrize("link", ["train", "train/a.png"])
def test_unpacking_does_not_follow_a_planted_link(export_zip: Path, link: str) -> None:
    target, secret = export_zip.parent / "unpacked", export_zip.parent / "secret"
    secret.mkdir()
    (secret / "a.png").write_bytes(b"a person's own")
    (target / link).parent.mkdir(parents=True)
    (target / link).symlink_to(secret if link == "train" else secret / "a.png")
    found = read(export_zip, unpack_to=target)

    assert (secret / "a.png").read_bytes() == b"a person's own"
    assert [path.name for path in secret.iterdir()] == ["a.png"]
    if link == "train":
        assert "a link is in the way" in found.issue(IssueCode.IMAGE_UNREADABLE).message
    else:
        assert len(found.records) == 2
        assert not (target / link).is_symlink()


def test_link_to_the_same_content_is_not_taken_for_the_file(export_zip: Path) -> None:
    target, elsewhere = export_zip.parent / "unpacked", export_zip.parent / "e.png"
    (export_zip.parent / "folder" / "train" / "a.png").rename(elsewhere)
    (target / "train").mkdir(parents=True)
    (target / "train" / "a.png").symlink_to(elsewhere)
    read(export_zip, unpack_to=target)

    assert not (target / "train" / "a.png").is_symlink()


@pytest.mark.parametrize(
    ("in_the_way", "reason"),
    [("train/a.png/", "s a directory"), ("train", "a file is in the way")],
)
def test_what_is_in_the_way_costs_its_images(
    export_zip: Path, in_the_way: str, reason: str
) -> None:
    target = export_zip.parent / "unpacked"
    place = target / in_the_way
    if in_the_way.endswith("/"):
        place.mkdir(parents=True)
    else:
        target.mkdir()
        place.write_text("a person's own")
    found = read(export_zip, unpack_to=target)

    assert found.record.split == "valid"
    assert reason in found.issue(IssueCode.IMAGE_UNREADABLE).message


def test_name_that_is_too_long_costs_its_image(tmp_path: Path) -> None:
    long = "n" * 300 + ".png"
    images = [image_entry(), image_entry(id=2, file_name=long)]
    folder = write_export(tmp_path / "folder", document([annotation()], images=images))
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "_annotations.coco.json", "_annotations.coco.json")
        for name in ("a.png", long):
            archive.write(folder / "a.png", name)
    found = read(path, unpack_to=tmp_path / "unpacked")

    assert found.record.file_name == "a.png"
    assert found.issue(IssueCode.IMAGE_UNREADABLE).file_name == long


# What could do harm.


def bomb(path: Path, method: int, stated: int) -> Path:
    """Writes a zip of 30,000,000 spaces that states another size."""
    if method == zipfile.ZIP_BZIP2:
        compressor = bz2.BZ2Compressor()
        packed = b"".join(compressor.compress(b" " * 10**6) for _ in range(30))
        packed += compressor.flush()
    else:
        filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 2**20, "lc": 3}]
        lzma_compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
        packed = b"".join(lzma_compressor.compress(b" " * 10**6) for _ in range(30))
        packed += lzma_compressor.flush()
        packed = b"\x09\x04\x05\0" + b"\x5d" + (2**20).to_bytes(4, "little") + packed
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_annotations.coco.json", packed)
    # The method and the unpacked size, in both headers.
    content = bytearray(path.read_bytes())
    for start, place, size in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        begin = content.index(start)
        content[begin + place : begin + place + 2] = method.to_bytes(2, "little")
        content[begin + size : begin + size + 4] = stated.to_bytes(4, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("stated", [100, 10_000_000])
def test_zip_that_lies_about_its_sizes_takes_no_memory(
    tmp_path: Path, method: int, stated: int
) -> None:
    path = bomb(tmp_path / "x.zip", method, stated)
    tracemalloc.start()
    try:
        with pytest.raises(ExportError, match="its data in the zip is broken"):
            check_export(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < stated + 6_000_000


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (77, "method 77")])
def test_method_that_cannot_be_read_is_named(
    tmp_path: Path, method: int, name: str
) -> None:
    path = tmp_path / "x.zip"
    folder = write_export(tmp_path / "x", ONE)
    said = f"it is packed with {name}, which cannot be read here; unpack the zip"
    for packed in ("train/a.png", "train/_annotations.coco.json"):
        zip_folder(folder, path, "train/")
        content = bytearray(path.read_bytes())
        # The method's place in the header before the file, and in the directory.
        local = content.index(packed.encode()) - 30
        listed = content.rindex(packed.encode()) - 46
        content[local + 8 : local + 10] = method.to_bytes(2, "little")
        content[listed + 10 : listed + 12] = method.to_bytes(2, "little")
        path.write_bytes(content)
        if packed.endswith(".png"):
            (issue,) = [
                issue
                for issue in check_export(path).issues
                if issue.code is IssueCode.IMAGE_UNREADABLE
            ]
            assert issue.message.startswith(said)
        else:
            with pytest.raises(ExportError, match=said):
                check_export(path)


@needs_posix
def test_name_with_a_colon_is_one_as_in_a_folder(tmp_path: Path) -> None:
    name = "t:1.png"
    content = document([annotation()], images=[image_entry(file_name=name)])
    folder = write_export(tmp_path / "x", content, files=(name,))
    for place in (folder, zip_folder(folder, tmp_path / "x.zip")):
        found = read(place)
        assert found.record.file_name == name
        assert found.record.issues == []


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
        "./C:/evil.png",
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


def test_zip_of_folders_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with hostile_zip(path, "a/" * 1500 + "a.png"):
        pass
    with pytest.raises(ExportError, match=r"is more than 200 folders deep"):
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
    with pytest.raises(ExportError, match=r"is not a readable zip"):
        check_export(path)


def test_zip_that_is_cut_off(export_zip: Path) -> None:
    content = export_zip.read_bytes()
    export_zip.write_bytes(content[: len(content) // 2])
    with pytest.raises(ExportError, match=r"is not a readable zip"):
        check_export(export_zip)


def test_name_in_the_json_cannot_leave_the_zip(tmp_path: Path) -> None:
    images = [image_entry(file_name="../../secret.png")]
    write_export(tmp_path / "folder", document([annotation()], images=images))
    path = zip_folder(tmp_path / "folder", tmp_path / "x.zip")
    found = read(path, unpack_to=tmp_path / "unpacked")

    assert found.records == []
    assert found.issue(IssueCode.FILE_NAME_UNSAFE).action is Action.DROPPED
