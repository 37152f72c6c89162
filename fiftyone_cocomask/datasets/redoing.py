"""Masks and figures of a few samples, made again after their labels have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import fiftyone as fo

from ..errors import CocoMaskError
from ..fiftyone_types import SampleCollection
from ..words import count
from .database_errors import DatabaseError
from .documents import all_images, ids_of, root_dataset
from .documents.runs import run_results
from .evaluations.refresh import evaluate_again
from .evaluations.runs import (
    MaskEvaluationInfo,
    list_mask_evaluations,
    mask_evaluation_info,
)
from .issues.find import search_again
from .issues.searches import issue_search_of, list_mask_issues
from .label_fields import mask_fields
from .masks.field import mask_options
from .masks.redraw import redraw_masks
from .outlines.rank import list_outline_rankings, rank_again


@dataclass(slots=True)
class Redone:
    """What was made again.

    Attributes:
        samples: the number of samples
        masks: the fields whose masks were drawn again
        evaluations: the keys of the evaluations whose figures were measured again
        rankings: the keys of the rankings whose outlines were measured again
        searches: the keys of the searches whose tags are up to date again
        problems: what could not be made again, and why
    """

    samples: int = 0
    masks: list[str] = field(default_factory=list)
    evaluations: list[str] = field(default_factory=list)
    rankings: list[str] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def attempt(
        self, done: list[str], name: str, act: Callable[..., int], *arguments: Any
    ) -> None:
        """Makes something again, which must not keep the rest from being made.

        Args:
            done: the names of what was made again
            name: the name of this
            act: makes it, and returns of how many samples
            arguments: what it takes
        """
        try:
            if act(*arguments):
                done.append(name)
        except DatabaseError:
            # Without its database, nothing else can be made again either.
            raise
        except CocoMaskError as error:
            self.problems.append(f"{name}: {error}")

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON holds it."""
        return asdict(self)

    def __str__(self) -> str:
        """Says it in a sentence or two."""
        named = [*self.masks, *self.evaluations, *self.rankings, *self.searches]
        text = f"Brought up to date in {count(self.samples, 'sample')}: "
        text += ", ".join(named) if named else "nothing, as nothing was out of date"
        return "\n".join([text, *self.problems])


def redo_samples(
    dataset: fo.Dataset,
    sample_ids: Iterable[str],
    label_field: str,
    *,
    progress: Any = False,
) -> Redone:
    """Brings masks, figures and tags up to date, of some samples alone.

    Masks are drawn as those of their field were; an evaluation, a ranking or a search
    that does not cover a sample is not extended to it. Comparisons of masks are of all
    samples and stay as they are.

    Args:
        dataset: the dataset
        sample_ids: the ids of samples whose labels have changed
        label_field: the field of the labels
        progress: whether to render progress bars (True/False), FiftyOne's default
            (None), or a function to call with each bar, whose ``verb`` says what is
            being made again
    """
    samples = all_images(dataset).select(list(dict.fromkeys(sample_ids)))
    redone = Redone(samples=len(samples))
    if not redone.samples:
        return redone
    drawing = _telling(progress, "Drawing masks again")
    for name in mask_fields(dataset):
        made = mask_options(dataset, name)
        if made is not None and made["label_field"] == label_field:
            redone.attempt(redone.masks, name, _draw, samples, name, drawing)
    measuring = _telling(progress, "Measuring masks again")
    for key in list_mask_evaluations(dataset):
        info = mask_evaluation_info(dataset, key)
        made = mask_options(dataset, info.mask_field) or {}
        if label_field in (info.label_field, made.get("label_field")):
            redone.attempt(redone.evaluations, key, _evaluate, samples, info, measuring)
    ranking = _telling(progress, "Measuring outlines again")
    for key in list_outline_rankings(dataset):
        if dataset.get_run_info(key).config.label_field == label_field:
            redone.attempt(redone.rankings, key, rank_again, samples, key, ranking)
    searching = _telling(progress, "Looking for issues again")
    for key in list_mask_issues(dataset):
        if issue_search_of(dataset, key)[1].field == label_field:
            redone.attempt(redone.searches, key, search_again, samples, key, searching)
    return redone


def _telling(progress: Any, verb: str) -> Any:
    """Returns a ``progress`` whose bars say what is being done."""
    if not callable(progress):
        return progress

    def report(bar: Any) -> None:
        bar.verb = verb
        progress(bar)

    return report


def _draw(samples: SampleCollection, mask_field: str, progress: Any) -> int:
    """Draws masks that are out of date again; returns how many."""
    report = redraw_masks(samples.exists(mask_field), mask_field, progress=progress)
    return 0 if report is None else report.images - report.unchanged


def _evaluate(
    samples: SampleCollection, info: MaskEvaluationInfo, progress: Any
) -> int:
    """Measures samples that an evaluation covers again; returns how many."""
    dataset, key = root_dataset(samples), info.eval_key
    touched, everything = ids_of(samples), ids_of(dataset.load_run_view(key))
    covered = touched & everything
    is_stopped = run_results(dataset, key) is None
    earlier = getattr(dataset.get_run_info(key).config, "earlier", None)
    if is_stopped and earlier is None and not everything <= touched:
        # Stopped in the midst of all of its samples, it waits to be run again. One that
        # was stopped here is completed.
        return 0
    if covered:
        ids = [str(sample_id) for sample_id in sorted(covered)]
        evaluate_again(samples.select(ids), info, progress=progress)
    return len(covered)
