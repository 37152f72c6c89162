"""Operators: what a search for mask issues found is repaired, and that is undone."""

from __future__ import annotations

from collections.abc import Sequence
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
    show_pictures,
    tell_outcome,
)
from .choosing import ask_for_dry_run, choose_field, choose_several, default_field
from .folding import is_switched_on
from .forms import note, reject
from .in_time import Finding, find_out, images_in, known_classes, state_key
from .job import ProgressArgument, Results, job_config
from .label_fields import chosen_objects, fields_to_draw
from .markdown import code, plain, plain_lines
from .prerequisites import choosable, dataset_is_missing, no_searches
from .target_samples import target_samples

_KEY = "mask_issues"
_FIX_KEY = "mask_fixes"


class FixMaskIssues(ChangeOperator):
    """Repairs the mask issues that have a safe repair."""

    verb = "Repairing mask issues"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="fix_mask_issues",
            label="Fix mask issues",
            description="Repair what a search for mask issues found; can be undone",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.HIGH,
        )

    def __call__(
        self,
        samples: SampleCollection,
        issues: Sequence[str] | None = None,
        *,
        label_field: str = "segmentations",
        key: str = _KEY,
        fix_key: str = _FIX_KEY,
        prefer_classes: Sequence[str] = (),
        redo: bool = False,
        dry_run: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Repairs the mask issues that have a safe repair.

        Example::

            import fiftyone.operators as foo

            fix_mask_issues = foo.get_operator("@cocomask/cocomask/fix_mask_issues")
            result = fix_mask_issues(dataset, ["duplicate"], dry_run=True)
            print(result.result["fixed"])

        Args:
            samples: the dataset or view
            issues: the issues to repair; all that have a repair by default
            label_field: the field that was searched
            key: the key of the search
            fix_key: the key of the repairs, to undo them by
            prefer_classes: of two labels in two classes the one whose class comes
                first here is kept
            redo: whether to draw masks and to measure figures again, of the repaired
                samples alone
            dry_run: whether to say what would be done, and to write nothing
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`FixReport.to_dict`
        """
        params = {
            "label_field": label_field,
            "key": key,
            "fix_key": fix_key,
            "redo": redo,
            "dry_run": dry_run,
            "issues": as_text_list(issues),
            "prefer_classes": as_text_list(prefer_classes) or None,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which issues, what happens to them, and a preview."""
        from ..datasets.issues import list_mask_issues

        fields = fields_to_draw(ctx, inputs)
        if fields and choosable(ctx, inputs, list_mask_issues, no_searches):
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Repairs them and returns the report."""
        from ..datasets.fixing.fix import fix_mask_issues

        params = ctx.params
        report = fix_mask_issues(
            target_samples(ctx),
            params.get("issues") or None,
            label_field=chosen_objects(ctx),
            key=_search_key(ctx),
            fix_key=params.get("fix_key") or _FIX_KEY,
            prefer_classes=params.get("prefer_classes") or (),
            redo=bool(params.get("redo")),
            dry_run=bool(params.get("dry_run")),
            progress=progress,
        )
        return fix_results(ctx, report)


class UndoMaskFixes(ChangeOperator):
    """Undoes repairs of mask issues."""

    verb = "Undoing repairs"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="undo_mask_fixes",
            label="Undo mask fixes",
            description="Undo repairs of mask issues, label by label",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
            view_target=False,
        )

    def __call__(
        self,
        dataset: Dataset,
        fix_key: str = _FIX_KEY,
        *,
        redo: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Undoes repairs of mask issues.

        Example::

            import fiftyone.operators as foo

            undo = foo.get_operator("@cocomask/cocomask/undo_mask_fixes")
            undo(dataset)

        Args:
            dataset: the dataset; of a view, its whole dataset
            fix_key: the key of the repairs
            redo: whether to draw masks and to measure figures again, of the samples
                that were repaired alone
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`FixReport.to_dict`
        """
        return self.execute_on(dataset, {"fix_key": fix_key, "redo": redo}, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which repairs."""
        from ..datasets.fixing.fix import list_mask_fixes

        keys = choosable(ctx, inputs, list_mask_fixes, _no_fixes, dataset_is_missing)
        if keys:
            choose_field(
                inputs,
                "fix_key",
                keys,
                ctx.params.get("fix_key"),
                label="Repairs",
                description="The repairs to undo",
                usual=_FIX_KEY,
            )
            _ask_to_redo(inputs)
            note(
                inputs,
                "outcome",
                "Restores the repaired labels as they were",
                "What somebody has changed since stays as it is, and is listed",
            )

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Undoes them and returns the report."""
        from ..datasets.fixing.fix import list_mask_fixes, undo_mask_fixes

        default = default_field(list_mask_fixes(ctx.dataset), _FIX_KEY)
        report = undo_mask_fixes(
            ctx.dataset,
            ctx.params.get("fix_key") or default,
            redo=bool(ctx.params.get("redo")),
            progress=progress,
        )
        return fix_results(ctx, report)


def _no_fixes(dataset: Dataset) -> str:
    return f"Dataset '{plain(dataset.name)}' has no repairs of mask issues to undo."


def _search_key(ctx: ExecutionContext) -> str:
    from ..datasets.issues import list_mask_issues

    given: str | None = ctx.params.get("key")
    return given or default_field(list_mask_issues(ctx.dataset), _KEY)


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    from ..datasets.fixing.planning import REPAIRABLE
    from ..datasets.issues import list_mask_issues

    params = ctx.params
    label_field = choose_field(
        inputs,
        "label_field",
        fields,
        params.get("label_field"),
        label="Objects",
        description="The labels that were searched",
        usual="segmentations",
    )
    key = choose_field(
        inputs,
        "key",
        list_mask_issues(ctx.dataset),
        params.get("key"),
        label="Search",
        description="The search whose issues are repaired",
        usual=_KEY,
    )
    choose_several(
        ctx,
        inputs,
        "issues",
        [issue.value for issue in REPAIRABLE],
        params.get("issues"),
        label="Issues",
        description="What to repair; all that have a safe repair by default",
    )
    choose_several(
        ctx,
        inputs,
        "prefer_classes",
        _classes(ctx.dataset, label_field),
        params.get("prefer_classes") or None,
        label="Classes to keep",
        description="Of two labels in two classes, the one whose class comes first "
        "here is kept; without one, both stay",
    )
    fix_key = params.get("fix_key") or _FIX_KEY
    field = ask_for_fix_key(inputs, _FIX_KEY, "repairs")
    _ask_to_redo(inputs)
    ask_for_dry_run(inputs)
    previews = is_switched_on(ctx, inputs, "preview", "Show the repairs first")
    if label_field is None or key is None:
        return
    try:
        planned = _checked(ctx, label_field, key, fix_key, previews)
    except CocoMaskError as error:
        reject(field, str(error))
        return
    if planned is None:
        images = images_in(target_samples(ctx))
    else:
        summary, picture, number = planned
        note(inputs, "planned", "What would be done", plain_lines(summary))
        if not number:
            return
        images = count(number, "image")
        show_pictures(
            inputs,
            picture,
            "Before, and after",
            "A label of each issue, and others",
            "Labels before and after",
        )
    tell_outcome(
        ctx,
        inputs,
        ("changes and removes", "change and remove"),
        f"labels of {code(label_field)} in {images}",
        "**Undo mask fixes** undoes all of it",
    )


def _classes(dataset: Dataset, label_field: str | None) -> list[str]:
    """Returns the classes of labels, those first that the dataset lists."""
    from ..datasets.label_fields import object_list_path

    found: list[str] = []
    if label_field is not None:
        path = object_list_path(dataset, label_field)
        found = [name for name in known_classes(dataset, f"{path}.label") if name]
    return list(dict.fromkeys([*dataset.default_classes, *found]))


def _ask_to_redo(inputs: types.Object) -> None:
    inputs.bool(
        "redo",
        default=False,
        label="Draw masks and measure again",
        description="Of the changed samples alone: masks, figures, rankings and tags; "
        "fills in metadata where it is missing",
        view=types.SwitchView(),
    )


def _checked(
    ctx: ExecutionContext, label_field: str, key: str, fix_key: str, previews: bool
) -> Any:
    """Checks the answers; returns what would be done if that is wanted.

    Raises:
        CocoMaskError: if the answers do not fit
    """
    from ..datasets.fixing.fix import fix_mask_issues
    from ..datasets.fixing.stored import check_fixes

    check_fixes(ctx.dataset, key, label_field, fix_key)
    if not previews:
        return None
    samples, issues = target_samples(ctx), ctx.params.get("issues") or None
    prefer_classes = ctx.params.get("prefer_classes") or ()
    chosen = (*(issues or ()), "-", *prefer_classes)

    def plan(finding: Finding[Any]) -> Any:
        report = fix_mask_issues(
            samples,
            issues,
            label_field=label_field,
            key=key,
            fix_key=fix_key,
            prefer_classes=prefer_classes,
            dry_run=True,
            progress=finding.progress,
        )
        # Not all changes: of many labels they are large.
        return report.summary(), report.pictures(), len(set(report.sample_ids))

    name = ("repairs", label_field, key, fix_key, chosen)
    return find_out("planning repairs", state_key(name, samples), plan).value
