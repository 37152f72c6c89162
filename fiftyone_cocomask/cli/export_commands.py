"""Commands on an export: ``check`` and ``import``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..choices import CONFLICTS, IF_EXISTS, OLD_COPIES
from ..words import count, printable
from .options import (
    add_box_field,
    add_choice,
    add_label_field,
    add_output_options,
    on_interrupt,
)
from .outcome import Outcome, bar, say

if TYPE_CHECKING:
    from ..coco.report import ExportReport


# The dataset has its name by then, which is not always one that was given.
_KEPT = (
    "What was imported so far is kept; run the same command again, with --dataset "
    "{dataset}, to complete it"
)


def add_to(commands: Any) -> None:
    """Adds the commands to a parser's subparsers."""
    check = commands.add_parser(
        "check",
        help="say what is in an export; reads only",
        description="Say what is in an export and what is wrong with it. Reads only, "
        "and needs no database. Exits with 1 if there are errors: annotations or "
        "images that cannot be imported as they are.",
    )
    _add_export(check)
    add_output_options(check, "if there are warnings")
    on_interrupt(check, "A check changes nothing")
    check.set_defaults(run=_check)

    importing = commands.add_parser(
        "import",
        help="import an export into a dataset",
        description="Import an export into a dataset of FiftyOne. Exits with 0 if "
        "annotations had to be left out: the report names them.",
    )
    _add_export(importing)
    importing.add_argument(
        "--dataset",
        metavar="NAME",
        help="a new or an existing dataset; by default a "
        "new one named after the export",
    )
    importing.add_argument(
        "--splits",
        nargs="+",
        metavar="SPLIT",
        help="the splits to import; by default all",
    )
    add_label_field(importing, "where polygons and RLE go")
    add_box_field(importing, "where boxes go")
    importing.add_argument(
        "--tags", nargs="+", metavar="TAG", help="tags to add to each sample"
    )
    add_choice(importing, "--if-exists", IF_EXISTS, "what to do if the dataset exists")
    add_choice(
        importing,
        "--conflicts",
        CONFLICTS,
        "whose version stays where a person and the export have changed an "
        "annotation in different ways",
    )
    add_choice(
        importing,
        "--old-copies",
        OLD_COPIES,
        "what becomes of older copies of images that the export has augmented again",
    )
    importing.add_argument(
        "--dry-run",
        action="store_true",
        help="write nothing, and only say what would be done",
    )
    importing.add_argument(
        "--workers", type=int, metavar="N", help="processes that read and make samples"
    )
    add_output_options(importing, "if the export has errors")
    on_interrupt(importing, "Nothing was imported; run the same command again")
    importing.set_defaults(run=_import)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="an export's folder, its .zip, or a COCO JSON")
    parser.add_argument(
        "--image-dir", metavar="DIR", help="where the images of a COCO JSON are"
    )


def _check(options: argparse.Namespace) -> Outcome:
    from ..coco.check import check_export

    report = check_export(options.path, image_dir=options.image_dir)
    failing = {"error", "warning"} if options.strict else {"error"}
    return Outcome(report.summary(), report.to_dict(), _has(report, failing))


def _import(options: argparse.Namespace) -> Outcome:
    from ..datasets.documents import num_samples
    from ..datasets.importing.importing import dataset_name, import_roboflow_coco
    from .named_dataset import is_dataset

    if options.dataset is None:
        options.dataset = dataset_name(options.path, None)
    if not options.dry_run:
        options.on_interrupt = _KEPT
    what = "Comparing {} with" if options.dry_run else "Importing {} into"
    say(f"{what.format(options.path)} {options.dataset}")
    is_new = not is_dataset(options.dataset)
    dataset, report = import_roboflow_coco(
        options.path,
        options.dataset,
        image_dir=options.image_dir,
        splits=options.splits,
        label_field=options.label_field,
        box_field=options.box_field,
        tags=options.tags,
        if_exists=options.if_exists,
        conflicts=options.conflicts,
        old_copies=options.old_copies,
        dry_run=options.dry_run,
        num_workers=options.workers,
        progress=bar(),
    )
    if dataset is not None and is_new and not report.usable_images:
        dataset.delete()
        dataset = None
    samples = 0
    if dataset is None:
        done = "Nothing was written"
    else:
        samples = num_samples(dataset)
        done = f"Dataset {dataset.name!r} has {count(samples, 'sample')}"
    return Outcome(
        f"{report.summary()}\n\n{done}",
        {
            "dataset": None if dataset is None else dataset.name,
            "samples": samples,
            "dry_run": options.dry_run,
            "report": report.to_dict(),
        },
        options.strict and _has(report, {"error"}),
        nothing=_no_image(report),
    )


def _no_image(report: ExportReport) -> str:
    """Returns why an import used no image, empty if it used some."""
    if report.usable_images:
        return ""
    if not report.images:
        return "The export lists no images, so there was nothing to import"
    first = next(
        (issue for issue in report.issues if issue.file_name is not None),
        report.issues[0],
    )
    return (
        f"None of the export's {count(report.images, 'image')} could be used; the "
        f"first: {printable(first.message)}"
    )


def _has(report: ExportReport, severities: set[str]) -> bool:
    return any(issue.severity.value in severities for issue in report.issues)
