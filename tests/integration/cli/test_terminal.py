"""Every command in a real terminal, where FiftyOne draws its progress bars."""

from __future__ import annotations

import argparse
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import pytest

from fiftyone_cocomask.cli.main import _parser
from tests.conftest import needs_posix
from tests.integration.small_export import write_small_export

pytestmark = needs_posix

NAME = "in-a-terminal"
# The words of each command, in the order in which a person gives them; "{folder}" is
# one of the test's own.
COMMANDS = {
    "check": "{folder}/export",
    "import": f"{{folder}}/export --dataset {NAME}",
    "masks": NAME,
    "evaluate": NAME,
    "figures": NAME,
    "issues": NAME,
    "rank": NAME,
    "fix": f"{NAME} --dry-run",
    "diff": f"{{folder}}/export {NAME}",
    "export coco": f"{NAME} --output-dir {{folder}}/coco",
    "export masks": f"{NAME} --output-dir {{folder}}/masks",
    "export cutouts": f"{NAME} --output-dir {{folder}}/cutouts",
    "report": f"{NAME} --output {{folder}}/report.html",
    "install": "",
    "uninstall": "",
}
# Commands that show a bar.
WITH_BARS = {
    *("import", "masks", "evaluate", "figures", "issues", "rank", "fix", "diff"),
    "report",
    *("export coco", "export masks", "export cutouts"),
}

# Runs one command after the other, each with what FiftyOne does by default.
JOB = """
import os, sys
os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "true"
os.environ["FIFTYONE_PLUGINS_DIR"] = sys.argv[1]
from fiftyone_cocomask.cli import main
for command in sys.argv[2:]:
    print("COMMAND", command, flush=True)
    code = main(command.split())
    print("CODE", code, flush=True)
"""


def in_terminal(*words: str, **kwargs: Any) -> str:
    """Returns what a program shows in a terminal of its own."""
    # Not on every system that the package runs on.
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    process = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True, **kwargs
    )
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:
            # Linux says so at the end of a terminal.
            break
        if not read:
            break
        shown += read
    os.close(ours)
    process.wait()
    return shown.decode()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each command shows, with its exit code in the last line."""
    folder = tmp_path_factory.mktemp("terminal")
    write_small_export(folder / "export")
    commands = [
        f"{name} {words}".format(folder=folder).strip()
        for name, words in COMMANDS.items()
    ]
    text = in_terminal(sys.executable, "-c", JOB, str(folder / "plugins"), *commands)
    parts = text.split("COMMAND ")[1:]
    yield dict(zip(COMMANDS, parts, strict=False))
    if fo.dataset_exists(NAME):
        fo.delete_dataset(NAME)


def names_of(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Yields the names of a parser's commands, also of those below others."""
    found = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not found:
        yield before.strip()
    for action in found:
        for name, below in action.choices.items():
            yield from names_of(below, f"{before} {name}")


def test_every_command_is_tried() -> None:
    # The demo has a FiftyOne of its own, and a test: `test_demo.py`.
    assert set(names_of(_parser())) == {*COMMANDS, "demo"}


def test_every_command_says_on_ctrl_c_what_is_kept() -> None:
    for command in COMMANDS:
        words = COMMANDS[command].format(folder="x").split()
        options = _parser().parse_args([*command.split(), *words])
        assert options.on_interrupt.format_map(vars(options))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_ends_well(command: str, shown: dict[str, str]) -> None:
    assert command in shown, "\n".join(shown.values())
    text = shown[command]
    assert re.search(r"CODE 0\s*$", text), text
    assert "Traceback" not in text
    assert ("100% |" in text) == (command in WITH_BARS), text
