"""Prints the tables of the comparison as Markdown."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path

from ..exports import POLYGONS, SIDE, write_export
from . import __doc__ as description
from .cases import CASES
from .outcomes import installed_tools, outcome, run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    tools = installed_tools()
    print(", ".join(f"{name} {version(name)}" for name in tools), end="\n\n")
    print_row("in the export", *tools)
    print_row(*["---"] * (1 + len(tools)))
    for case in CASES:
        print_row(case.name, *(outcome(tool, case) for tool in tools))
    if options.images:
        print(f"\n{options.images:,} images of {SIDE} px with {POLYGONS} polygons\n")
        print_speed(tools, options.images, options.runs)


def print_speed(tools: list[str], images: int, runs: int) -> None:
    """Prints how long each tool takes from the export to mask files, and its memory."""
    print_row("tool", "seconds", "ms an image", "peak memory, MB")
    print_row(*["---"] * 4)
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "export"
        write_export(export / "train", images)
        for tool in tools:
            figures = []
            for number in range(runs):
                done = run(tool, export, Path(folder) / f"{tool}-{number}" / "masks")
                done.check_returncode()
                figures.append([float(f) for f in done.stdout.split()[-2:]])
            seconds, memory = (
                statistics.median(column) for column in zip(*figures, strict=True)
            )
            each = 1000 * seconds / images
            print_row(tool, f"{seconds:.1f}", f"{each:.1f}", f"{memory:.0f}")


def print_row(*cells: str) -> None:
    """Prints a row of a table."""
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
