"""Operator: classes that are one get a single name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import as_text_list
from ..errors import CocoMaskError
from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from ..words import count
from .changing import (
    ChangeOperator,
    ask_for_fix_key,
    fix_results,
    how_to_undo,
    tell_outcome,
)
from .choosing import ask_for_dry_run, choose_field, choose_several
from .forms import is_refused, note, reject
from .in_time import known
from .job import ProgressArgument, Results, job_config
from .label_fields import chosen_objects, fields_to_draw
from .markdown import code
from .target_samples import target_samples

_FIX_KEY = "merged_classes"


class MergeClasses(ChangeOperator):
    """Gives the labels of some classes the name of another."""

    verb = "Merging classes"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="merge_classes",
            label="Merge classes",
            description="Give classes that are one a single name; can be undone",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        into: str,
        classes: Sequence[str] | None = None,
        *,
        label_field: str = "segmentations",
        fix_key: str = _FIX_KEY,
        dry_run: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Gives the labels of some classes, and their boxes, the name of another.

        Example::

            import fiftyone.operators as foo

            merge_classes = foo.get_operator("@cocomask/cocomask/merge_classes")
            merge_classes(dataset, "cerebelo", ["cerebelo_1"])

        Args:
            samples: the dataset or view
            into: the class that the others become
            classes: the classes that go; by default those whose names are nearly its
                own
            label_field: the field of the labels
            fix_key: the key of the changes, to undo them by
            dry_run: whether to say what would be done, and to write nothing
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`FixReport.to_dict`
        """
        params = {
            "into": into,
            "classes": as_text_list(classes),
            "label_field": label_field,
            "fix_key": fix_key,
            "dry_run": dry_run,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which classes become which, and of how many labels."""
        fields = fields_to_draw(ctx, inputs)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Merges them and returns the report."""
        from ..datasets.fixing.classes import merge_classes

        params = ctx.params
        report = merge_classes(
            target_samples(ctx),
            params.get("into") or "",
            params.get("classes") or None,
            label_field=chosen_objects(ctx),
            fix_key=params.get("fix_key") or _FIX_KEY,
            dry_run=bool(params.get("dry_run")),
            progress=progress,
        )
        return {**fix_results(ctx, report), "into": params.get("into")}

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how many labels have the name now, and what was left."""
        number = count(sum(results["fixed"].values()), "object")
        would = "would become" if results["dry_run"] else "relabelled as"
        view = types.Success if results["fixed"] else types.Notice
        outputs.view(
            "done",
            view(
                label=f"{number} {would} {code(results['into'])}",
                description=how_to_undo(results, "undoes it"),
            ),
        )


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    from ..datasets.fixing.classes import count_classes
    from ..datasets.fixing.stored import check_fix_key
    from ..datasets.label_lists import LabelList

    params = ctx.params
    label_field = choose_field(
        inputs,
        "label_field",
        fields,
        params.get("label_field"),
        label="Objects",
        description="The labels whose classes are merged; their boxes follow",
        usual="segmentations",
    )
    if label_field is None:
        return
    labels, samples = LabelList.of_field(ctx.dataset, label_field), target_samples(ctx)
    numbers = known(
        "counting labels",
        ("numbers of", labels.path),
        samples,
        partial(count_classes, samples, labels),
    )
    # As long as nobody knows, those that are given are as good as any.
    given = params.get("classes") if numbers is None else numbers
    classes = sorted(name for name in given or () if isinstance(name, str))
    into = params.get("into")
    field = inputs.str(
        "into",
        required=True,
        label="One class",
        description="The class that the others become: one that there is, or a new one",
    )
    asked = choose_several(
        ctx,
        inputs,
        "classes",
        classes,
        params.get("classes"),
        label="Classes that go",
        description="By default those whose names are nearly the same",
    )
    fix_key = params.get("fix_key") or _FIX_KEY
    key_field = ask_for_fix_key(inputs, _FIX_KEY, "changes")
    ask_for_dry_run(inputs)
    if is_refused(key_field, check_fix_key, ctx.dataset, fix_key, label_field):
        return
    if into is not None and not isinstance(into, str):
        reject(field, f"into must be the name of a class, not {into!r}")
        return
    if not into or not set(asked or ()) <= set(classes):
        return
    try:
        going = known(
            "looking for classes",
            ("classes that go", label_field, into, fix_key, *(asked or ())),
            ctx.dataset,
            partial(_going, ctx.dataset, into, asked, label_field, fix_key),
        )
    except CocoMaskError as error:
        reject(field, str(error))
        return
    if going is None or numbers is None:
        going = asked or ["classes whose names are nearly the same"]
        number = "objects"
    else:
        number = count(sum(numbers.get(name, 0) for name in going), "object")
    if not going:
        note(inputs, "outcome", f"No other class has nearly the name {code(into)}")
        return
    of_classes = ", ".join(code(name) for name in going)
    tell_outcome(
        ctx,
        inputs,
        ("relabels", "relabel"),
        f"{number} of {of_classes} as {code(into)}, and their boxes",
        "**Undo mask fixes** undoes it",
    )


def _going(
    dataset: Dataset,
    into: str,
    asked: list[str] | None,
    label_field: str,
    fix_key: str,
) -> list[str]:
    """Returns the classes that go.

    Raises:
        CocoMaskError: if they may not
    """
    from ..datasets.fixing.classes import check_merge, classes_to_merge

    labels = check_merge(dataset, into, asked, label_field, fix_key)
    return asked or classes_to_merge(dataset, labels, into)
