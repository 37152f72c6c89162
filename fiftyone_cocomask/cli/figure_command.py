"""The command ``figures``: what the masks and labels of a dataset say."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import CocoMaskError
from ..fiftyone_types import SampleCollection
from ..table_rows import records
from ..words import count, readable
from .named_dataset import add_dataset, samples_of
from .options import on_interrupt
from .outcome import Outcome, bar, say
from .tables import plain_table

if TYPE_CHECKING:
    import pandas as pd

    from ..datasets.evaluations import MaskEvaluation

# A table says no more than this; JSON has all.
_MAX_ROWS = 30


def add_to(commands: Any) -> None:
    """Adds ``figures`` to a parser's subparsers."""
    figures = commands.add_parser(
        "figures",
        help="where classes lie, which occur together, how large they are, and more",
        description="Say what the masks and labels of an evaluated dataset show: where "
        "in the images classes lie, which occur together, how many objects images "
        "have and how large they are, whether the splits are alike, and what resizing "
        "would do. JSON has the heatmaps too.",
    )
    add_dataset(figures)
    figures.add_argument(
        "--eval-key",
        metavar="KEY",
        help="the evaluation (the first one of labels; of areas, if there is one)",
    )
    figures.add_argument(
        "--json", action="store_true", help="print JSON instead of tables"
    )
    on_interrupt(figures, "Nothing was written")
    figures.set_defaults(run=_figures)


def _figures(options: argparse.Namespace) -> Outcome:
    samples = samples_of(options)
    if options.eval_key is None:
        evaluation = _first_evaluation(samples)
    else:
        evaluation = _evaluation(samples, options.eval_key)
    key = evaluation.key
    view = samples if options.view else None
    say(f"Reading the masks and labels of {options.dataset}")
    evaluation.keep_figures(view, progress=bar())
    tables = {"per_class": evaluation.per_class(view)}
    tables |= {n: make(view) for n, make in evaluation.figure_tables().items()}
    data: dict[str, Any] = {"eval_key": key}
    data |= {name: records(table) for name, table in tables.items()}
    if options.json:
        labels = [None, *evaluation.classes(view)]
        data["heatmaps"] = [
            {"class": label, "shares": evaluation.heatmap(label, samples=view).tolist()}
            for label in labels
        ]
    return Outcome(_text(key, tables), data)


def _evaluation(samples: SampleCollection, key: str) -> MaskEvaluation:
    from ..datasets.evaluations import MaskEvaluation, load_mask_evaluation

    found = load_mask_evaluation(samples, key)
    if not isinstance(found, MaskEvaluation):
        raise CocoMaskError(f"'{key}' is a comparison; figures are of an evaluation")
    return found


def _first_evaluation(samples: SampleCollection) -> MaskEvaluation:
    """Returns the first complete evaluation, one of the areas of labels if there is."""
    from ..datasets.evaluations.loading import complete_evaluations

    found = complete_evaluations(samples)
    if not found:
        raise CocoMaskError("There is no mask evaluation yet; run `evaluate` first")
    return min(found, key=lambda each: (each.label_field is None, each.is_share))


_TITLES = {
    "per_class": "Classes",
    "mask_centres": "Where: centre and spread, as shares of the width and height",
    "co_occurrence": "Together: images that hold both, pixels that both cover",
    "objects_per_image": "Objects in an image",
    "object_shapes": "Sizes and shapes of the objects",
    "resized_objects": "Small objects, once images are resized",
    "split_drift": "Splits that differ",
}


def _text(key: str, tables: dict[str, pd.DataFrame]) -> str:
    parts = [f"Figures of mask evaluation {key!r}"]
    for name, title in _TITLES.items():
        if name not in tables:
            continue
        table = tables[name]
        if name == "split_drift":
            differing = table[table["alike"].eq(False)]
            lines = differing["text"].tolist()[:_MAX_ROWS] or ["none"]
            few = int(table["alike"].isna().sum())
            if few:
                lines.append(f"{count(few, 'comparison')} with too few source images")
            parts.append(f"{title}\n" + "\n".join(f"  {line}" for line in lines))
            continue
        shown = plain_table(table[:_MAX_ROWS], readable)
        left = len(table) - _MAX_ROWS
        more = f"\n  and {count(left, 'more row')}, see --json" if left > 0 else ""
        parts.append(f"{title}\n{shown if len(table) else '  none'}{more}")
    return "\n\n".join(parts)
