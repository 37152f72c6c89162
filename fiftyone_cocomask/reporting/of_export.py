"""The report of an export: from its files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..coco.check import check_export
from ..coco.compared import ComparedExport, ComparedImage, ComparedObject
from ..coco.issues import IssueCode, Severity
from ..coco.report import ExportReport
from ..geometry.objects import Canvas, is_drawable
from ..words import agree, count, part_of
from . import charts
from .object_figures import MAX_DRAWN_PIXELS, ObjectFigures
from .page import Page, Section, Table
from .pictures import Picture, decoded, few, small_picture

_MAX_ROWS = 100
_MAX_CLASSES = 80


def export_page(
    path: str | Path,
    title: str | None,
    bar: Callable[[int], AbstractContextManager[Any]] | None = None,
) -> Page:
    """Returns the report of an export.

    Args:
        path: the export's folder, its ``.zip``, or a COCO JSON file
        title: the report's title, the export's name by default
        bar: makes a progress bar for so many images, none by default

    Raises:
        ExportError: if the path is not a COCO export
    """
    report = check_export(path)
    figures = ObjectFigures()
    num_boxes = 0
    with ComparedExport(path) as export:
        total = len(export.images)
        with bar(total) if bar is not None else nullcontext() as shown:
            for image in export.images.values():
                # A box is data to be checked, and no shape to be measured.
                usable = _drawable(image)
                objects = [o for o in usable if o.has_shape]
                num_boxes += len(usable) - len(objects)
                shapes = [o.geometry for o in objects]
                figures.add(image.size, [o.label for o in objects], shapes)
                if shown is not None:
                    shown.update()
        pictures = _worst(report, export)
    sections = [
        _contents(report, figures.too_large, num_boxes),
        _findings(report, pictures),
        *([_classes(figures), _images(figures)] if figures.areas else []),
    ]
    return Page(
        title or report.name, f"Export {report.name}", datetime.now(), {}, sections
    )


def _drawable(
    image: ComparedImage, size: tuple[int, int] | None = None
) -> list[ComparedObject]:
    return [o for o in image.objects(size) if all(map(is_drawable, o.geometry.rings))]


def _contents(report: ExportReport, too_large: int, num_boxes: int) -> Section:
    rows = [
        (name, f"{counts['images']:,}", f"{counts['annotations']:,}")
        for name, counts in report.splits.items()
    ]
    total = ("all", f"{report.images:,}", f"{report.annotations:,}")
    section = Section("What is there")
    section.texts.append(
        f"{count(report.images, 'image')} with "
        f"{count(report.annotations, 'annotation')} of "
        f"{count(report.categories, 'category')}."
    )
    if too_large:
        section.texts.append(
            f"{count(too_large, 'image')} of more than {MAX_DRAWN_PIXELS:,} pixels "
            f"{agree(too_large, 'is', 'are')} left out of the figures."
        )
    if num_boxes:
        section.texts.append(
            f"{count(num_boxes, 'annotation')} {agree(num_boxes, 'is', 'are')} left "
            f"out of the figures: {agree(num_boxes, 'a box', 'boxes')} without a shape."
        )
    section.tables.append(Table(("Split", "Images", "Annotations"), [*rows, total]))
    return section


def _findings(report: ExportReport, pictures: list[Picture]) -> Section:
    section = Section("What is wrong", pictures=pictures)
    kinds = report.kinds()
    if not kinds:
        section.texts.append("No findings.")
        return section
    rows = [
        (
            kind["severity"],
            kind["code"],
            f"{kind['count']:,}",
            kind["action"],
            IssueCode(kind["code"]).explanation,
        )
        for kind in kinds
    ]
    headings = ("Severity", "Finding", "Number", "What was done", "Meaning")
    section.tables.append(Table(headings, rows))
    # Some of every kind, the most serious first.
    shown = report.to_dict(max_issues=_MAX_ROWS)["issues"]
    found = [
        [str(issue.get(name, "")) for name in ("code", "split", "file_name")]
        + [str(issue.get("annotation_id", "")), issue["message"]]
        for issue in shown
    ]
    columns = ("Finding", "Split", "File", "Annotation", "What is said")
    title = part_of(len(found), len(report.issues), "finding")
    section.tables.append(Table(columns, found, title))
    return section


def _classes(figures: ObjectFigures) -> Section:
    section = Section("Classes and sizes")
    rows = []
    for name in figures.classes:
        areas = np.array(figures.areas[name])
        sizes = figures.buckets(name)
        quartiles = np.percentile(areas, [0, 25, 50, 75, 100])
        rows.append(
            (
                name,
                f"{figures.with_class[name]:,}",
                f"{len(areas):,}",
                f"{figures.visible_px[name]:,}",
                f"{figures.visible_px[name] / figures.image_px:.2%}",
                *(f"{value:,.0f}" for value in quartiles),
                *(f"{sizes[bucket]:,}" for bucket in ("small", "medium", "large")),
            )
        )
    columns = (
        "Class", "Images", "Objects", "Visible px", "Of all pixels", "Least px",
        "Quartile", "Median", "Quartile", "Greatest", "Small", "Medium", "Large",
    )  # fmt: skip
    section.tables.append(Table(columns, rows))
    names = sorted(figures.classes, key=lambda name: -len(figures.areas[name]))
    names = names[:_MAX_CLASSES]
    counts = {"objects": [len(figures.areas[name]) for name in names]}
    section.charts.append(
        charts.bars("Objects of each class", names, counts, ("Class", "Objects"))
    )
    if len(names) > 1:
        title = "Images that hold both of two classes"
        section.charts.append(
            charts.matrix(title, sorted(names), figures.co_occurrence(sorted(names)))
        )
    return section


def _images(figures: ObjectFigures) -> Section:
    section = Section("Images")
    most = max(figures.objects_per_image)
    numbers = list(range(most + 1)) if most <= 60 else sorted(figures.objects_per_image)
    counts = {"images": [figures.objects_per_image[number] for number in numbers]}
    section.charts.append(
        charts.bars("Objects in an image", numbers, counts, ("Objects", "Images"))
    )
    title = "Where in the images the masks lie"
    section.charts.append(charts.heatmap(title, figures.heatmap()))
    return section


def _worst(report: ExportReport, export: ComparedExport) -> list[Picture]:
    """Returns pictures of the images with the most serious findings."""
    found: dict[tuple[str, str], list[str]] = {}
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    for issue in sorted(report.issues, key=lambda issue: ranks[issue.severity]):
        place = (issue.split or "", issue.file_name or "")
        if place in export.images and issue.severity != Severity.INFO:
            found.setdefault(place, []).append(issue.code.value)
    return few(
        picture
        for place, codes in found.items()
        for picture in _pictures(export.images[place], codes)
    )


def _pictures(image: ComparedImage, codes: list[str]) -> Iterator[Picture]:
    """Yields the picture of an image, nothing if its file cannot be shown."""
    file = image.open()
    if file is None:
        return
    with file:
        pixels = decoded(file)
    if pixels is None:
        return
    height, width = pixels.shape[:2]
    objects = _drawable(image, (width, height))
    masks = []
    for patch in Canvas(height, width, "coco").patches([o.geometry for o in objects]):
        mask = np.zeros((height, width), bool)
        mask[patch.window] = patch.mask
        masks.append(mask)
    caption = f"{image.split}/{image.file_name}: {', '.join(dict.fromkeys(codes))}"
    yield small_picture(pixels, masks, caption)
