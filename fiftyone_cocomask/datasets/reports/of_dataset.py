"""The report of a dataset: what its evaluations have found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np

from ...arguments import is_number
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...reporting import charts
from ...reporting.page import Chart, Page, Section, Table
from ...reporting.pictures import (
    MAX_PICTURE_BYTES,
    Picture,
    decoded,
    few,
    small_picture,
)
from ...words import count
from ..documents import (
    all_images,
    num_samples,
    pipeline,
    root_dataset,
    stream_documents,
    whole_samples,
)
from ..evaluations.loading import complete_evaluations, load_mask_evaluation
from ..evaluations.rankings import first_ranking, ranked_samples, rankings
from ..evaluations.results import MaskEvaluation
from ..masks.stored import has_mask, read_array
from .figures import figure_tables
from .findings import findings
from .texts import MAX_ROWS, table_of, text_of, words

if TYPE_CHECKING:
    pass

_MAX_CLASSES = 80
_PICTURES = 12


def dataset_page(
    samples: fo.Dataset | fo.DatasetView,
    eval_keys: Sequence[str] | None,
    title: str | None,
    progress: Any = None,
) -> Page:
    """Returns the report of a dataset.

    Args:
        samples: the dataset or view
        eval_keys: the evaluations to report, None for all that are complete
        title: the report's title, the dataset's name by default
        progress: as for :func:`write_report`

    Raises:
        CocoMaskError: if there is no such evaluation, or none at all
    """
    samples = whole_samples(samples)
    dataset = root_dataset(samples)
    sections: list[Section] = []
    evaluations = _evaluations(dataset, eval_keys)
    drawn: set[tuple[str, str | None, str]] = set()
    bar = fou.ProgressBar(progress=progress, iters_str="evaluations")
    for evaluation in bar(evaluations):
        if isinstance(evaluation, MaskEvaluation):
            shown = evaluation.samples if samples is dataset else samples
            shown = whole_samples(shown)
            fields = (evaluation.mask_field, evaluation.label_field)
            # What depends on the fields alone is told once of the same samples.
            told = (*fields, repr(pipeline(shown)))
            is_first = told not in drawn
            drawn.add(told)
            sections.append(_evaluation(evaluation, shown, is_first=is_first))
        else:
            sections.append(_comparison(evaluation, is_view=samples is not dataset))
    # Searches are of all slices of groups, or of any.
    sections += findings(all_images(dataset) if samples is dataset else samples)
    _limit_pictures(sections)
    name = title or dataset.name
    view = (
        ""
        if samples is dataset
        else f", a view of {count(num_samples(samples), 'sample')}"
    )
    source = f"Dataset {dataset.name} of {count(num_samples(dataset), 'sample')}{view}"
    return Page(name, source, datetime.now(), {"FiftyOne": fo.__version__}, sections)


def _evaluations(dataset: fo.Dataset, eval_keys: Sequence[str] | None) -> list[Any]:
    if eval_keys is not None:
        return [load_mask_evaluation(dataset, key) for key in eval_keys]
    found = [
        *complete_evaluations(dataset),
        *complete_evaluations(dataset, "comparison"),
    ]
    if not found:
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no mask evaluations to report; "
            "evaluate mask area or coverage first"
        )
    return found


def _evaluation(
    evaluation: MaskEvaluation, samples: SampleCollection, *, is_first: bool
) -> Section:
    section = Section(f"Mask {evaluation.kind}: {evaluation.key}")
    if (field := evaluation.missing_field) is not None:
        section.texts.append(f"Its field {field} is no longer there; evaluate again.")
        return section
    of_labels = (
        f", objects of {evaluation.label_field}" if evaluation.label_field else ""
    )
    of_view = ""
    if evaluation.samples is not root_dataset(samples):
        of_view = f", of a view of {count(num_samples(evaluation.samples), 'sample')}"
    section.texts.append(f"Masks of {evaluation.mask_field}{of_labels}{of_view}.")
    changed = evaluation.out_of_date(samples)
    if changed is not None:
        section.texts.append(f"Out of date for {count(changed.samples, 'sample')}.")
    summary = evaluation.summary(samples)
    rows = [(words(k), text_of(k, v)) for k, v in summary.items() if is_number(v)]
    section.tables.append(Table(("Figure", "Value"), rows))
    section.tables.append(table_of(evaluation.per_class(samples), "By class"))
    section.tables.append(table_of(evaluation.per_split(samples), "By split"))
    drift = evaluation.split_drift(samples)
    differing = drift[drift["alike"].eq(False)] if len(drift) else drift
    section.texts += differing["text"].tolist()[:MAX_ROWS]
    tested = int(drift["alike"].notna().sum())
    if tested and differing.empty:
        section.texts.append("No split is measurably different from another.")
    if tested < len(drift):
        untested = count(len(drift) - tested, "comparison")
        section.texts.append(f"Too few source images for {untested} of splits.")
    section.tables += figure_tables(evaluation, samples, is_first=is_first)
    section.charts += _charts(evaluation, samples, is_first=is_first)
    section.pictures += few(_pictures(evaluation, samples))
    return section


def _charts(
    evaluation: MaskEvaluation, samples: SampleCollection, *, is_first: bool
) -> Iterator[Chart]:
    of_labels = evaluation.label_value_path is not None
    histogram = evaluation.overview_histogram(samples, of_labels=of_labels)
    what = "objects" if of_labels else "images"
    value = evaluation.title
    counts = {what: list(histogram.counts)}
    axes = (value, what.capitalize())
    yield charts.bars(f"{value} of the {what}", histogram.bar_labels(), counts, axes)
    if not is_first:
        return
    places = evaluation.heatmap(samples=samples)
    if places.any():
        yield charts.heatmap("Where in the images the masks lie", places)
    if evaluation.label_field is None:
        return
    table = evaluation.objects_per_image(samples)
    table = table[table["class"] == "(all)"]
    counts = {"images": table["images"].tolist()}
    names = table["objects"].tolist()
    yield charts.bars("Objects in an image", names, counts, ("Objects", "Images"))
    yield from _together(evaluation, samples)


def _together(evaluation: MaskEvaluation, samples: SampleCollection) -> Iterator[Chart]:
    table = evaluation.co_occurrence(samples)
    alone = table[table["class"] == table["other"]]
    names = sorted(
        alone.sort_values("images", ascending=False)["class"].tolist()[:_MAX_CLASSES]
    )
    if len(names) < 2:
        return
    place = {name: index for index, name in enumerate(names)}
    numbers = np.zeros((len(names), len(names)), int)
    for row in table.to_dict("records"):
        if row["class"] in place and row["other"] in place:
            a, b = place[row["class"]], place[row["other"]]
            numbers[a, b] = numbers[b, a] = row["images"]
    yield charts.matrix("Images that hold both of two classes", names, numbers)


def _pictures(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> Iterator[Picture]:
    found = rankings(evaluation, has_stated=False)
    ranking = first_ranking(evaluation, found, samples)
    ranked = ranked_samples(evaluation, ranking, samples, number=_PICTURES)
    for sample in ranked:
        with suppress(OSError), open(sample.filepath, "rb") as file:
            pixels = decoded(file)
            if pixels is not None:
                masks = _masks(evaluation, sample.sample_id)
                number = text_of("ratio" if ranking.is_share else "px", sample.number)
                caption = f"{Path(sample.filepath).name}: {ranking.label}, {number}"
                yield small_picture(pixels, masks, caption)


def _masks(evaluation: MaskEvaluation, sample_id: str) -> list[np.ndarray]:
    """Returns the mask of a sample, if it can be read."""
    field = evaluation.mask_field
    view = all_images(root_dataset(evaluation.samples)).select(sample_id)
    with suppress(CocoMaskError):
        for documents in stream_documents(view, [field]):
            return [
                read_array(document[field]) != 0
                for document in documents
                if has_mask(document.get(field))
            ]
    return []


def _limit_pictures(sections: Sequence[Section]) -> None:
    """Leaves out the last pictures of a report that would be too large."""
    left = MAX_PICTURE_BYTES
    for section in sections:
        kept = []
        for picture in section.pictures:
            left -= len(picture.jpeg)
            if left >= 0:
                kept.append(picture)
        section.pictures = kept


def _comparison(comparison: Any, *, is_view: bool) -> Section:
    import pandas as pd

    section = Section(f"Comparison: {comparison.key}")
    section.texts.append(
        f"Masks of {comparison.pred_field} against those of {comparison.gt_field}."
    )
    if is_view:
        section.texts.append("Of all samples that were compared, not of the view.")
    summary = comparison.summary()
    rows = [(words(k), text_of(k, v)) for k, v in summary.items() if is_number(v)]
    section.tables.append(Table(("Figure", "Value"), rows))
    section.tables.append(table_of(comparison.per_class(), "By class"))
    with suppress(CocoMaskError):
        overview = comparison.objects_overview()
        for name, title in (
            ("classes", "Objects by class"),
            ("worst", "The pairs of objects that differ most"),
        ):
            section.tables.append(table_of(pd.DataFrame(overview[name]), title))
    return section
