"""The command ``report``: one HTML file to pass on."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .named_dataset import datasets_or_paths
from .options import on_interrupt
from .outcome import Outcome, bar, say


def add_to(commands: Any) -> None:
    """Adds ``report`` to a parser's subparsers."""
    report = commands.add_parser(
        "report",
        help="write a report of a dataset or an export as one HTML file",
        description="Write figures, charts, findings and small pictures as one HTML "
        "file that opens without a network. An export needs no database.",
    )
    report.add_argument(
        "source",
        help="the name of a dataset, or an export's folder (./NAME, if a dataset has "
        "that name), its .zip or a COCO JSON",
    )
    report.add_argument(
        "--output", metavar="FILE", required=True, help="the .html file"
    )
    report.add_argument(
        "--eval-keys",
        nargs="+",
        metavar="KEY",
        help="the evaluations of a dataset (all)",
    )
    report.add_argument("--title", help="the title (the dataset's or export's name)")
    report.add_argument(
        "--json", action="store_true", help="print JSON instead of a sentence"
    )
    on_interrupt(report, "No file was written")
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> Outcome:
    from ..datasets.reports.write import write_report

    (source,) = datasets_or_paths(options.source)
    say(f"Reporting on {options.source}")
    # Without a terminal, an export is reported on without loading FiftyOne.
    progress = bar() if not isinstance(source, str) else sys.stderr.isatty() or None
    path = write_report(
        source,
        options.output,
        eval_keys=options.eval_keys,
        title=options.title,
        progress=progress,
    )
    return Outcome(f"Wrote {path}", {"path": str(path)})
