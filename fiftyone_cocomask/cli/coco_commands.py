"""Commands on COCO exports that are written or compared: ``export coco``, ``diff``."""

from __future__ import annotations

import argparse
from typing import Any

from ..choices import AREAS, IMAGES, MASKS
from .named_dataset import add_dataset, datasets_or_paths, samples_of
from .options import (
    add_box_field,
    add_choice,
    add_label_field,
    add_output_options,
    on_interrupt,
)
from .outcome import Outcome, bar, say


def add_export_to(kinds: Any) -> None:
    """Adds ``export coco`` to the kinds of ``export``."""
    coco = kinds.add_parser(
        "coco",
        help="a COCO export, as Roboflow takes it",
        description="Write a dataset back as a COCO export: what was not edited as it "
        "was imported, and what was as it is now.",
    )
    add_dataset(coco)
    coco.add_argument(
        "--output-dir", metavar="DIR", required=True, help="where the export goes"
    )
    add_label_field(coco)
    add_box_field(coco, "the same objects' boxes")
    add_choice(coco, "--images", IMAGES, "what becomes of the images")
    add_choice(coco, "--area", AREAS, "what the area of new and edited objects is")
    add_choice(coco, "--masks", MASKS, "how instance masks are written")
    coco.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the JSONs of an export that is there; images never are",
    )
    add_output_options(coco, "if something could not be written")
    on_interrupt(coco, "No JSON was written. Run the same command again")
    coco.set_defaults(run=_export_coco)


def add_diff_to(commands: Any) -> None:
    """Adds ``diff`` to a parser's subparsers."""
    diff = commands.add_parser(
        "diff",
        help="say what changed between two exports, or an export and a dataset",
        description="Say what changed between two exports, an export and a dataset, or "
        "two datasets. Reads only; two exports need no database. Exits as diff does: "
        "with 0 if they are the same, 1 if they differ, 2 if there is an error.",
    )
    for name, which in (("old", "before"), ("new", "after")):
        diff.add_argument(
            name,
            help=f"what was {which}: the name of a dataset, or an export's folder "
            "(./NAME, if a dataset has that name), its .zip or a COCO JSON",
        )
    add_label_field(diff, "the objects of a dataset")
    diff.add_argument(
        "--old-label-field",
        metavar="FIELD",
        help="those of OLD, where two annotators have a field each",
    )
    diff.add_argument(
        "--json", action="store_true", help="print JSON instead of a change log"
    )
    on_interrupt(diff, "A comparison changes nothing")
    diff.set_defaults(run=_diff, failure_code=2)


def _diff(options: argparse.Namespace) -> Outcome:
    from ..datasets.exporting.compare import compare_exports

    old, new = datasets_or_paths(options.old, options.new)
    has_dataset = not all(isinstance(source, str) for source in (old, new))
    comparison = compare_exports(
        old,
        new,
        label_field=options.label_field,
        old_label_field=options.old_label_field,
        progress=bar() if has_dataset else None,
    )
    return Outcome(comparison.summary(), comparison.to_dict(), not comparison.is_same)


def _export_coco(options: argparse.Namespace) -> Outcome:
    from ..datasets.exporting.coco import export_roboflow_coco

    samples = samples_of(options)
    say(f"Writing {options.dataset} as a COCO export")
    report = export_roboflow_coco(
        samples,
        options.output_dir,
        label_field=options.label_field,
        box_field=options.box_field,
        images=options.images,
        area=options.area,
        masks=options.masks,
        overwrite=options.overwrite,
        progress=bar(),
    )
    failed = options.strict and report.num_losses > 0
    nothing = "" if report.images else "No image could be written"
    return Outcome(report.summary(), report.to_dict(), failed, nothing)
