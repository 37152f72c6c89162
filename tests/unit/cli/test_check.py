"""The command line without a database: as a shell or a CI sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fiftyone_cocomask import __version__
from fiftyone_cocomask.cli import main
from tests.integration.small_export import annotation, image_name, write_split

COMMANDS = ("check", "import", "masks", "evaluate", "export", "demo", "install")


def fine(folder: Path) -> Path:
    """An export with nothing worse than notes."""
    write_split(folder, [image_name("a")], [annotation(1, 0)])
    return folder


def warning(folder: Path) -> Path:
    """An export with a warning: a number as text."""
    odd = annotation(1, 0, bbox=["5", 5, 15, 10])
    write_split(folder, [image_name("a")], [odd])
    return folder


def error(folder: Path) -> Path:
    """An export with an error: an annotation of no image."""
    lost = [annotation(1, 0), annotation(2, 99)]
    write_split(folder, [image_name("a")], lost)
    return folder


def shell(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fiftyone_cocomask", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("write", "plain", "strict"), [(fine, 0, 0), (warning, 0, 1), (error, 1, 1)]
)
def test_the_exit_code_says_what_a_check_found(
    tmp_path: Path, write: Callable[[Path], Path], plain: int, strict: int
) -> None:
    export = str(write(tmp_path / "export"))
    assert main(["check", export]) == plain
    assert main(["check", export, "--strict"]) == strict


def test_a_check_prints_a_table_and_nothing_else_on_stdout(tmp_path: Path) -> None:
    done = shell("check", error(tmp_path / "export"))
    assert done.returncode == 1
    assert done.stdout.startswith("Export export\n")
    assert "annotation 2" in done.stdout
    assert done.stderr == ""


def test_json_is_the_report(tmp_path: Path) -> None:
    done = shell("check", "--json", error(tmp_path / "export"))
    report = json.loads(done.stdout)
    assert (report["annotations"], report["imported"], report["dropped"]) == (2, 1, 1)
    assert any(issue["severity"] == "error" for issue in report["issues"])


def test_a_path_that_is_not_an_export_is_an_error_in_one_line(tmp_path: Path) -> None:
    done = shell("check", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_hears_no_complaint(tmp_path: Path) -> None:
    lost = [annotation(n, 1000 + n, category_id=n) for n in range(3000)]
    export = tmp_path / "export"
    write_split(export, [image_name("a")], lost)
    command = [sys.executable, "-m", "fiftyone_cocomask", "check", "--json", export]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        complaints = process.stderr.read()
    assert complaints == ""
    assert process.returncode == 1


def test_a_terminal_without_unicode_gets_the_rest(tmp_path: Path) -> None:
    export = fine(tmp_path / "flügel")
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "fiftyone_cocomask", "check", export],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Export fl\\xfcgel" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["check"],
        ["import"],
        ["export", "masks", "a"],
        ["masks"],
        ["masks", "a", "--overlap", "b"],
    ],
    ids=str,
)
def test_wrong_arguments_exit_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(words)
    assert raised.value.code == 2


def test_help_lists_the_commands_and_the_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0
    text = capsys.readouterr().out
    for command in (*COMMANDS, "uninstall", "exit codes:", "130"):
        assert command in text


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


def test_a_check_does_not_load_fiftyone(tmp_path: Path) -> None:
    export = fine(tmp_path / "export")
    code = (
        "import sys\n"
        "from fiftyone_cocomask.cli import main\n"
        f"main(['check', {str(export)!r}])\n"
        "sys.exit('fiftyone' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
