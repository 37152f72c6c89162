"""How all is measured: seconds, peak memory, medians with their spread, and tables."""

from __future__ import annotations

import atexit
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone, use_own_fiftyone

Result = TypeVar("Result")


def own_fiftyone(kept: Path | None = None) -> Path:
    """Points FiftyOne at a folder of its own; call it before FiftyOne is imported.

    Args:
        kept: the folder; by default one that is deleted at the end
    """
    folder = kept or Path(tempfile.mkdtemp(prefix="cocomask-benchmark-"))
    if kept is None:
        atexit.register(delete_own_fiftyone, folder)
    use_own_fiftyone(folder, show_progress_bars=False)
    return folder


def link_plugin() -> None:
    """Puts the repository into the plugins folder of the FiftyOne of its own."""
    import fiftyone as fo

    repository = Path(__file__).resolve().parents[1]
    link = Path(fo.config.plugins_dir) / "cocomask"
    if not link.is_symlink():
        link.symlink_to(repository, target_is_directory=True)


def in_new_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """Returns what a function returns in a process that nothing was done in before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def timed(function: Callable[..., Result], *arguments: Any) -> tuple[float, Result]:
    """Returns how many seconds a call takes, and what it returns."""
    started = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - started, result


def peak_megabytes() -> float:
    """Returns the largest memory of this process or of one of its workers, in MB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    of_workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's `ru_maxrss` begins with that of the process that started this one.
        own = int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    else:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return max(own, of_workers)


def with_spread(values: Sequence[float], digits: int = 2) -> str:
    """Returns the median of some numbers, with the least and the most, as text."""
    median = f"{statistics.median(values):,.{digits}f}"
    if len(values) < 2:
        return median
    return f"{median} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table in Markdown."""
    print_row(columns)
    print_row(["---"] * len(columns))
    for row in rows:
        print_row(row)
    print(flush=True)


def print_row(cells: Sequence[str]) -> None:
    """Prints a row of a table in Markdown."""
    print("|", " | ".join(cells), "|", flush=True)


def machine() -> str:
    """Returns what is measured on, and with what, as text."""
    import fiftyone as fo

    cores = len(os.sched_getaffinity(0))
    python = platform.python_version()
    system = platform.system()
    return f"{system}, {cores} cores, Python {python}, FiftyOne {fo.__version__}"
