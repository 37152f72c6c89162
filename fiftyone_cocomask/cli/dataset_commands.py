"""Commands on a dataset: ``masks``, ``evaluate`` and ``export``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..choices import (
    BOXES,
    MODES,
    OVERLAPS,
    RASTERIZERS,
    STORAGES,
    VALUES,
)
from ..errors import CocoMaskError
from ..fiftyone_types import SampleCollection
from .coco_commands import add_export_to
from .named_dataset import add_dataset, samples_of
from .options import (
    add_choice,
    add_label_field,
    add_mask_field,
    add_output_options,
    on_interrupt,
)
from .outcome import Outcome, bar, say
from .tables import area_text, coverage_text, evaluation_data

if TYPE_CHECKING:
    from ..datasets.exporting.written_files import ExportedFiles

_FILES_KEPT = "Files written so far are whole; run the same command again for the rest"


def add_to(commands: Any) -> None:
    """Adds the commands to a parser's subparsers."""
    _add_masks(commands)
    _add_evaluate(commands)
    _add_export(commands)


def _add_masks(commands: Any) -> None:
    parser = commands.add_parser(
        "masks",
        help="draw the objects of a dataset's images into masks",
        description="Draw the objects of each image into one mask.",
    )
    add_dataset(parser)
    add_label_field(parser, "the objects to draw")
    add_mask_field(parser, "the masks to write")
    add_choice(parser, "--mode", MODES, "what the values mean")
    add_choice(parser, "--rasterizer", RASTERIZERS, "whose pixels are drawn")
    on_top = parser.add_mutually_exclusive_group()
    add_choice(on_top, "--overlap", OVERLAPS, "which object is on top")
    on_top.add_argument(
        "--overlap-classes",
        nargs="+",
        metavar="CLASS",
        help="the classes in the order of drawing instead, later on top",
    )
    parser.add_argument(
        "--classes", nargs="+", metavar="CLASS", help="the classes to draw"
    )
    parser.add_argument("--no-crowd", action="store_true", help="leave crowds out")
    add_choice(parser, "--boxes", BOXES, "what becomes of boxes without a shape")
    parser.add_argument("--output-dir", metavar="DIR", help="where the mask files go")
    add_choice(parser, "--storage", STORAGES, "where the masks are kept")
    parser.add_argument(
        "--overwrite", action="store_true", help="draw and replace every mask"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes that draw")
    add_output_options(parser, "if an image got no mask")
    on_interrupt(
        parser, "Masks drawn so far are kept; run the same command again for the rest"
    )
    parser.set_defaults(run=_masks)


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="evaluate the area and coverage of masks",
        description="Evaluate the area and coverage of masks, both unless one is "
        "named, and keep the evaluations on the dataset.",
    )
    add_dataset(parser)
    parser.add_argument("--only", choices=("area", "coverage"), help="only this one")
    add_mask_field(parser, "the masks to measure")
    parser.add_argument(
        "--label-field",
        metavar="FIELD",
        help="the objects to measure; by default those that the masks were drawn from",
    )
    for kind in ("area", "coverage"):
        parser.add_argument(
            f"--{kind}-key",
            default=f"mask_{kind}",
            metavar="KEY",
            help=f"the name of the {kind} evaluation (mask_{kind})",
        )
    add_output_options(parser, "if a mask could not be measured")
    on_interrupt(
        parser,
        "An evaluation that was being made has no results yet; run the same command "
        "again to complete it",
    )
    parser.set_defaults(run=_evaluate)


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export", help="write masks, cut-outs or a COCO export as files"
    )
    kinds = export.add_subparsers(required=True, metavar="masks|cutouts|coco")

    masks = kinds.add_parser("masks", help="PNG files of masks")
    add_dataset(masks)
    add_mask_field(masks, "the masks to write")
    place = masks.add_mutually_exclusive_group(required=True)
    place.add_argument("--output-dir", metavar="DIR", help="where the files go")
    place.add_argument(
        "--beside-images", action="store_true", help="write them beside the images"
    )
    masks.add_argument(
        "--suffix", default="_mask", help="put behind the images' names (_mask)"
    )
    add_choice(masks, "--values", VALUES, "what the values mean")
    masks.add_argument(
        "--per-class",
        action="store_true",
        help="0/255 masks of each class, in a folder of its own",
    )
    add_output_options(masks, "if a file was not written")
    on_interrupt(masks, _FILES_KEPT)
    masks.set_defaults(run=_export_masks)

    cutouts = kinds.add_parser("cutouts", help="RGBA PNG files of the objects")
    add_dataset(cutouts)
    cutouts.add_argument(
        "--field",
        default="segmentations",
        metavar="FIELD",
        help="objects or masks (segmentations)",
    )
    cutouts.add_argument(
        "--output-dir", metavar="DIR", required=True, help="where the files go"
    )
    cutouts.add_argument(
        "--no-crop", action="store_true", help="keep the size of the images"
    )
    add_output_options(cutouts, "if a file was not written")
    on_interrupt(cutouts, _FILES_KEPT)
    cutouts.set_defaults(run=_export_cutouts)
    add_export_to(kinds)


def _masks(options: argparse.Namespace) -> Outcome:
    from ..datasets.masks.compute import compute_masks

    samples = samples_of(options)
    say(f"Drawing masks of {options.dataset}")
    report = compute_masks(
        samples,
        options.label_field,
        options.mask_field,
        mode=options.mode,
        rasterizer=options.rasterizer,
        overlap=options.overlap_classes or options.overlap,
        classes=options.classes,
        include_crowd=not options.no_crowd,
        output_dir=options.output_dir,
        storage=options.storage,
        overwrite=options.overwrite,
        boxes=options.boxes,
        num_workers=options.workers,
        progress=bar(),
    )
    failed = options.strict and report.num_skipped > 0
    nothing = "" if report.images else _why_nothing("mask", samples, report.skipped)
    return Outcome(report.summary(), report.to_dict(), failed, nothing)


def _evaluate(options: argparse.Namespace) -> Outcome:
    from ..datasets.documents import backing_dataset
    from ..datasets.evaluations import evaluate_mask_area, evaluate_mask_coverage
    from ..datasets.evaluations.runs import check_run_key
    from ..datasets.masks.field import mask_options

    samples = samples_of(options)
    dataset = backing_dataset(samples)
    label_field = options.label_field
    if label_field is None:
        made = mask_options(dataset, options.mask_field)
        label_field = made["label_field"] if made else None
    texts: list[str] = []
    data: dict[str, Any] = {}
    failed = False
    nothing = ""
    asked = [
        (kind, evaluate, key, text)
        for kind, evaluate, key, text in (
            ("area", evaluate_mask_area, options.area_key, area_text),
            ("coverage", evaluate_mask_coverage, options.coverage_key, coverage_text),
        )
        if options.only in (None, kind)
    ]
    # Also the second one's, before the first one writes anything.
    for kind, _, key, _ in asked:
        check_run_key(dataset, key, kind)
    if len({key for _, _, key, _ in asked}) < len(asked):
        raise CocoMaskError(
            f"area_key and coverage_key are both '{options.area_key}'; give two names"
        )
    for kind, evaluate, key, text in asked:
        say(f"Evaluating mask {kind} of {options.dataset}")
        results: Any = evaluate(
            samples,
            options.mask_field,
            label_field=label_field,
            eval_key=key,
            progress=bar(),
        )
        texts.append(text(results))
        data[kind] = evaluation_data(results)
        summary = data[kind]["summary"]
        failed |= summary["images_without_number"] > 0
        if not summary["images"]:
            reasons = summary["without_number"]
            nothing = _why_nothing("number", samples, reasons)
    return Outcome("\n\n".join(texts), data, options.strict and failed, nothing)


def _export_masks(options: argparse.Namespace) -> Outcome:
    from ..datasets.exporting.masks import export_masks

    samples = samples_of(options)
    say(f"Writing masks of {options.dataset}")
    files = export_masks(
        samples,
        options.mask_field,
        options.output_dir,
        beside_images=options.beside_images,
        suffix=options.suffix,
        values=options.values,
        per_class=options.per_class,
        progress=bar(),
    )
    return _written(options, samples, files)


def _export_cutouts(options: argparse.Namespace) -> Outcome:
    from ..datasets.exporting.masks import export_cutouts

    samples = samples_of(options)
    say(f"Writing cut-outs of {options.dataset}")
    files = export_cutouts(
        samples,
        options.field,
        options.output_dir,
        crop=not options.no_crop,
        progress=bar(),
    )
    return _written(options, samples, files)


def _written(
    options: argparse.Namespace, samples: SampleCollection, files: ExportedFiles
) -> Outcome:
    failed = options.strict and bool(files.skipped)
    nothing = "" if files.files else _why_nothing("file", samples, files.skipped)
    return Outcome(files.summary(), files.to_dict(), failed, nothing)


def _why_nothing(
    what: str, samples: SampleCollection, skipped: list[dict[str, str]]
) -> str:
    """Returns why no image got what a command makes of each."""
    if skipped:
        first = skipped[0]
        return (
            f"No image got a {what}; the first is {first['filepath']}: "
            f"{first['reason']}"
        )
    from ..datasets.documents import has_samples

    if not has_samples(samples):
        return f"No image got a {what}: there are no samples"
    return f"No image got a {what}: there is nothing in any of them to make one from"
