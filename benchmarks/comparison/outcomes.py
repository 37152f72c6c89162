"""What each tool makes of each case, in words."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from .cases import PLAIN, SPECIAL, Case
from .tools import TOOLS

SECONDS = 600
# How the tools name the special image or its annotation: by file, or by its id, 1.
NAMED = re.compile(
    rf"{re.escape(SPECIAL)}|annotation id=1\b|item_id=\(1, |item \(1, |Item \('special'"
)


def installed_tools() -> list[str]:
    """Returns the tools that can be compared here."""
    modules = {name: name.replace("-", "_") for name in TOOLS}
    return [name for name in TOOLS if importlib.util.find_spec(modules[name])]


def outcome(tool: str, case: Case) -> str:
    """Returns what becomes of the special image of an export, in a few words."""
    with tempfile.TemporaryDirectory() as folder:
        export, output = Path(folder) / "export", Path(folder) / "output"
        case.write(export)
        done = run(tool, export, output)
        said = NAMED.search(done.stdout + done.stderr) is not None
        if done.returncode:
            where = ", and says where" if said else ""
            return f"stops: {_error(done.stderr)}{where}"
        for split in case.splits:
            other = _mask(output / split / f"{PLAIN}.png")
            if other is None or not other.any():
                return "loses the other image"
        (found,) = {_judge(output / s, case, said=said) for s in case.splits}
        return found


def run(tool: str, export: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Runs a tool on an export in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", f"{__package__}.tools", tool, str(export), str(output)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _judge(folder: Path, case: Case, *, said: bool) -> str:
    expected = case.expected(SPECIAL)
    mask = _mask(folder / f"{SPECIAL}.png")
    if not expected.any():
        what = "no mask" if mask is None else "an empty mask"
        if mask is not None and mask.any():
            what = "draws something"
        return f"{what}, and says why" if said else what
    if mask is None or not mask.any():
        return "lost, and says so" if said else "lost silently"
    if np.array_equal(mask, expected):
        return "exact"
    union = np.count_nonzero(mask | expected)
    return f"IoU {np.count_nonzero(mask & expected) / union:.2f}"


def _mask(path: Path) -> np.ndarray | None:
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return None if mask is None else mask > 0


def _error(text: str) -> str:
    """Returns the name of the error at the end of a traceback."""
    names = re.findall(r"^(?:[\w.]*\.)?(\w+(?:Error|Exception))\b", text, re.MULTILINE)
    return names[-1] if names else "crash"
