"""Ctrl-C, at any moment of a command: it ends, and says what is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.cli.test_check import fine

# Where the tests run in the background, the signal is ignored from the beginning.
START = """
import atexit, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt():
    signal.raise_signal(signal.SIGINT)
"""
IN_THE_MIDDLE = """
def listen(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".coco.json"):
        interrupt()
"""
# As FiftyOne does where it looks for packages that it can do without.
WHILE_LOADING = """
def listen(event, arguments):
    if event == "import" and arguments[0] == "fiftyone.core.config":
        try:
            interrupt()
        except KeyboardInterrupt:
            pass
"""
RUN = """
from fiftyone_cocomask.cli import run
if "listen" in globals():
    sys.addaudithook(listen)
sys.exit(run())
"""
AT_THE_END = "atexit.register(interrupt)\n"


def ended(when: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Returns how a command ended that was interrupted at some moment."""
    return subprocess.run(
        [sys.executable, "-c", START + when + RUN, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_exits_with_130_and_says_what_is_kept(tmp_path: Path) -> None:
    done = ended(IN_THE_MIDDLE, "check", fine(tmp_path / "export"))
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "\nStopped. A check changes nothing\n"


def test_it_ends_a_command_that_is_loading_fiftyone() -> None:
    done = ended(WHILE_LOADING, "masks", "none")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("\nStopped. ")
    assert done.stderr.count("\n") == 2


def test_after_the_last_line_it_changes_nothing(tmp_path: Path) -> None:
    done = ended(AT_THE_END, "check", fine(tmp_path / "export"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Export export\n")


def test_an_import_without_a_name_names_no_dataset_before_it_has_one(
    tmp_path: Path,
) -> None:
    done = ended(WHILE_LOADING, "import", fine(tmp_path / "export"))
    assert done.returncode == 130
    assert done.stderr.startswith("\nStopped. Nothing was imported; ")
    assert "None" not in done.stderr
