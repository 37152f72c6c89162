"""Names and values of an export in messages and in a terminal: text, on one line."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiftyone_cocomask import compare_exports
from fiftyone_cocomask.cli.main import main
from fiftyone_cocomask.coco.check import ExportReader, check_export
from fiftyone_cocomask.coco.issues import IssueCode
from fiftyone_cocomask.errors import CocoMaskError, ExportError, MaskFileError
from fiftyone_cocomask.words import printable, printable_lines

from .exports import annotation, document, image_entry, read, write_export

CLEAR_SCREEN = "\x1b[2J\x1b[H"
HOSTILE = f"a{CLEAR_SCREEN}\r\nb\u202e\x07\x9b31m"


def commands_in(text: str) -> set[str]:
    """Returns the signs in a text that do something other than show themselves."""
    return {sign for sign in text if ord(sign) < 32 or 127 <= ord(sign) < 160} | (
        {"\u202e", "\u2028"} & set(text)
    )


@given(st.text())
def test_printable_text_commands_nothing(text: str) -> None:
    shown = printable(text)

    assert not commands_in(shown)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    assert printable_lines(text).count("\n") == text.count("\n")
    shown.encode()


@pytest.mark.parametrize(
    "text",
    [
        "gr\u00fcn \u86c7 \U0001f98b",
        "\U0001f469\u200d\U0001f467",
        "a\u00a0b\u3000c",
        "\u0645\u06cc\u200c\u062e",
    ],
)
def test_text_of_any_script_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("kind", [CocoMaskError, ExportError, MaskFileError])
def test_errors_are_one_line(kind: type[CocoMaskError]) -> None:
    message = str(kind(f"{HOSTILE} is wrong"))

    assert not commands_in(message)
    assert message.endswith("is wrong")


def test_names_of_an_export_reach_no_terminal_as_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / f"export{HOSTILE}"
    images = [image_entry(file_name=HOSTILE), image_entry(id=2)]
    categories = [{"id": 1, "name": HOSTILE}, {"id": 2, "name": HOSTILE.upper()}]
    entries = [
        annotation(image_id=2),
        annotation(id=HOSTILE, image_id=2, category_id=2),
    ]
    parts = document(entries, images=images, categories=categories)
    write_export(folder / f"train{HOSTILE}", parts)
    (folder / f"link{HOSTILE}").symlink_to("/etc")
    (folder / f"x{HOSTILE}.json").write_text("[x]")

    main(["check", str(folder)])
    shown = capsys.readouterr()
    assert commands_in(shown.out + shown.err) <= {"\n"}
    for issue in check_export(folder).issues:
        assert not commands_in(issue.message)
        assert issue.split is None or not commands_in(issue.split)


def test_names_in_a_zip_reach_no_terminal_as_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"x{CLEAR_SCREEN}.zip"
    for inside in (f"{CLEAR_SCREEN}/a.txt", f"{CLEAR_SCREEN}/_annotations.coco.json"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(inside, json.dumps(document([annotation()])))
        main(["check", str(path)])
        shown = capsys.readouterr()
        assert commands_in(shown.out + shown.err) <= {"\n"}


def test_split_of_a_folder_with_a_line_break(tmp_path: Path) -> None:
    write_export(tmp_path / "train\n\x1b[2J", document([annotation()]))

    assert list(read(tmp_path).report.splits) == ["train__[2J"]


# Words that are true.


def test_broken_json_that_begins_as_a_list_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[x]")
    with pytest.raises(ExportError, match="not valid JSON"):
        check_export(path)


@pytest.mark.parametrize("path", ["", " ", "\n", None, 5, ["x"]])
def test_what_is_not_a_path_is_not_the_current_folder(
    path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_export(tmp_path, document([annotation()])))
    with pytest.raises(CocoMaskError, match=r"path .*(empty|must be a path)"):
        check_export(path)
    with pytest.raises(CocoMaskError, match=r"path .*(empty|must be a path)"):
        ExportReader(path)
    if path is not None:
        with pytest.raises(CocoMaskError, match=r"image_dir .*(empty|must be a path)"):
            check_export(tmp_path, image_dir=path)
    assert main(["check", ""]) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"area": -5}, "its area is -5; expected a number of 0 or more"),
        (
            {"iscrowd": 2},
            "it says 'iscrowd': 2, which is neither 0 nor 1; it counts as 0",
        ),
        ({"image_id": 1.5}, "its image_id is 1.5, which no image can have"),
        (
            {"category_id": 2.5},
            "its category_id is 2.5, which no category has; its label is 'no category'",
        ),
    ],
)
def test_a_number_that_cannot_be_used_is_told(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    found = read(write_export(tmp_path, document([annotation(**changes)])))

    assert message in [issue.message for issue in found.report.issues]


def test_one_file_that_is_not_listed_is_one(tmp_path: Path) -> None:
    found = read(write_export(tmp_path, document([]), files=("a.png", "b.png")))

    assert found.issue(IssueCode.UNLISTED_FILES).message == (
        "1 image file is not in the JSON: b.png"
    )


def test_a_comparison_of_exports_is_printable(tmp_path: Path) -> None:
    for name in ("a\x1b[2J", "b\x9b31m"):
        write_export(tmp_path / name, document([annotation()]))
    summary = compare_exports(*sorted(tmp_path.iterdir())).summary()
    assert summary.replace("\n", "").isprintable()


def test_an_unknown_argument_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "x", f"--{CLEAR_SCREEN}"])
    assert capsys.readouterr().err.replace("\n", "").isprintable()
