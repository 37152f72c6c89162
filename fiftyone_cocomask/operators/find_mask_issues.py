"""Operators: masks that look wrong are marked, and the marks are taken away again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..errors import CocoMaskError
from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from ..words import count
from .choosing import Choice, choose, choose_field, default_field, given_field
from .folding import section
from .forms import is_refused, names, note, reject, warn
from .in_time import images_in, known
from .issue_limits import ask_for_limits, limits_of
from .job import JobOperator, ProgressArgument, Results, job_config
from .label_fields import chosen_objects, fields_to_draw, segmentation_fields
from .markdown import bold, code, plain
from .prerequisites import choosable, dataset_is_missing, no_searches
from .results import NextStep, in_sentence, next_step
from .target_samples import target_samples

_KEY = "mask_issues"
# What stands for no mask field, since a dropdown cannot be emptied.
_NO_MASKS = "-"
_NO_MASKS_YET = (
    "There are no masks yet: compute them first, or set mask_field to '-' to look at "
    "labels alone"
)


class FindMaskIssues(JobOperator):
    """Marks labels and samples whose masks look wrong."""

    verb = "Looking for mask issues"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="find_mask_issues",
            label="Find mask issues",
            description="Tag masks that look wrong, and save views; fills in metadata",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        label_field: str = "segmentations",
        mask_field: str | None = "mask",
        *,
        key: str = _KEY,
        limits: Mapping[str, Any] | None = None,
        delegate: bool = False,
    ) -> Any:
        """Marks labels and samples whose masks look wrong.

        Example::

            import fiftyone.operators as foo

            find_mask_issues = foo.get_operator("@cocomask/cocomask/find_mask_issues")
            result = find_mask_issues(dataset, "segmentations", "mask")
            print(result.result["counts"])

        Args:
            samples: the dataset or view
            label_field: a field of Polylines, or of Detections with masks
            mask_field: the field of their masks, None to leave out empty masks
            key: what the tags and saved views begin with
            limits: the numbers in the rules by name, or ``IssueLimits``
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`MaskIssueReport.to_dict`
        """
        params = {
            "label_field": label_field,
            "mask_field": mask_field or _NO_MASKS,
            "key": key,
            "limits": getattr(limits, "to_dict", lambda: limits)(),
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: what is looked at, and what is written."""
        fields = fields_to_draw(ctx, inputs)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Marks what it finds and returns the report."""
        from ..datasets.issues import IssueLimits, find_mask_issues
        from ..datasets.issues.by_class import marks_by_class
        from ..datasets.issues.searches import search_marks

        params = ctx.params
        limits = limits_of(params)
        label_field = chosen_objects(ctx)
        mask_field = given_field(params, "mask_field", _NO_MASKS) or _default_masks(
            ctx.dataset
        )
        samples = target_samples(ctx)
        report = find_mask_issues(
            samples,
            label_field,
            None if mask_field == _NO_MASKS else mask_field,
            key=params.get("key") or _KEY,
            limits=IssueLimits.of_numbers(limits),
            progress=progress,
        )
        lists = search_marks(ctx.dataset, report.key).label_lists
        per_class, per_split = marks_by_class(samples, report.key, lists)
        return {
            **report.to_dict(),
            "label_field": label_field,
            "per_class": per_class,
            "per_split": per_split,
        }

    def warnings(self, results: Results) -> list[str]:
        """Returns which images could not be checked."""
        if not (skipped := results["without_figures"]):
            return []
        number = results["num_without_figures"]
        return [in_sentence(number, "could not be checked", skipped[0])]

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the repairs, as a dry run, or the way back to Roboflow."""
        from ..datasets.fixing.planning import REPAIRABLE

        if any(results["counts"].get(issue.value) for issue in REPAIRABLE):
            why = "Say which of them can be repaired safely, without doing it"
            known = {name: results[name] for name in ("key", "label_field")}
            return [next_step("fix_mask_issues", why, **known, dry_run=True)]
        why = "Write the dataset back as a COCO export; give output_dir"
        return [
            next_step("export_roboflow_coco", why, label_field=results["label_field"])
        ]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Shows the tags and the saved views."""
        yield ctx.ops.reload_dataset()

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how often each issue was found, what it means, and its view."""
        found = {name: number for name, number in results["counts"].items() if number}
        checked = (
            f"{count(results['labels'], 'label')} of "
            f"{count(results['images'], 'image')} checked"
        )
        if not found:
            outputs.view("none", types.Success(label="No issues", caption=checked))
            return
        outputs.view(
            "found",
            types.Success(
                label=f"{count(sum(found.values()), 'issue')} of "
                f"{count(len(found), 'kind')}",
                description="Each is a tag and a saved view: choose one above the grid",
                caption=checked,
            ),
        )
        for name, number in sorted(found.items(), key=lambda item: -item[1]):
            outputs.view(
                name,
                types.Notice(
                    label=f"{number:,} × {name.replace('_', ' ')}",
                    description=f"{results['definitions'][name]}.",
                    caption=f"Saved view: {results['views'].get(name, 'none')}",
                ),
            )


class ClearMaskIssues(JobOperator):
    """Removes the tags and saved views of a search for mask issues."""

    verb = "Clearing mask issues"
    noun = "tags"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="clear_mask_issues",
            label="Clear mask issues",
            description="Remove the tags and saved views of a search for mask issues",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
            view_target=False,
        )

    def __call__(
        self, samples: SampleCollection, key: str = _KEY, *, delegate: bool = False
    ) -> Any:
        """Removes the tags and saved views of a search for mask issues.

        Example::

            import fiftyone.operators as foo

            clear = foo.get_operator("@cocomask/cocomask/clear_mask_issues")
            clear(dataset)

        Args:
            samples: the dataset, or a view into it
            key: the key of the search
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has what was ``deleted``: the numbers of ``label_tags`` and
            ``sample_tags``, and the names of the ``views``
        """
        return self.execute_on(samples, {"key": key}, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which search, and what goes."""
        from ..datasets.issues import list_mask_issues

        keys = choosable(ctx, inputs, list_mask_issues, no_searches, dataset_is_missing)
        if keys:
            key = choose_field(
                inputs,
                "key",
                keys,
                ctx.params.get("key"),
                label="Search",
                description="The search whose marks are removed",
                usual=_KEY,
            )
            if key is not None:
                removed = f"Removes the tags {code(f'{key}:...')} and their saved views"
                warn(inputs, "outcome", removed)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Removes them, and returns what is gone."""
        from ..datasets.issues import clear_mask_issues, list_mask_issues

        default = default_field(list_mask_issues(ctx.dataset), _KEY)
        key = ctx.params.get("key") or default
        before = _marks(ctx.dataset, key)
        clear_mask_issues(ctx.dataset, key, progress=progress)
        ctx.dataset.reload()
        after = _marks(ctx.dataset, key)
        deleted = {
            name: {n: number for n, number in counts.items() if n not in after[name]}
            for name, counts in before.items()
        }
        return {"key": key, "deleted": {**deleted, "views": list(deleted["views"])}}

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns another search."""
        return [next_step("find_mask_issues", "Search once more, with other rules")]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows what is gone."""
        deleted = results["deleted"]
        tags = sum(deleted["label_tags"].values()) + sum(
            deleted["sample_tags"].values()
        )
        outputs.view(
            "deleted",
            types.Success(
                label=f"Removed {count(tags, 'tag')} of {bold(results['key'])}",
                description=plain(names(deleted["views"])) or None,
            ),
        )


def _marks(dataset: Dataset, key: str) -> dict[str, dict[str, int]]:
    """Returns the numbers of the tags, and the saved views, that begin with a key."""
    views = dict.fromkeys(dataset.list_saved_views(), 1)
    found = {
        "label_tags": dataset.count_label_tags(),
        "sample_tags": dataset.count_sample_tags(),
        "views": views,
    }
    return {
        what: {n: c for n, c in counts.items() if n.startswith(f"{key}:")}
        for what, counts in found.items()
    }


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    from ..datasets.issues.searches import check_search

    params = ctx.params
    images = images_in(target_samples(ctx))
    label_field = choose_field(
        inputs,
        "label_field",
        fields,
        params.get("label_field"),
        label="Objects",
        description="The labels to look at",
        usual="segmentations",
    )
    masks = segmentation_fields(ctx.dataset)
    choose(
        inputs,
        "mask_field",
        [*map(Choice, masks), Choice(_NO_MASKS, "None: labels only")],
        given_field(params, "mask_field", _NO_MASKS),
        label="Masks",
        description="The masks drawn from them; they decide which object is on top",
        default=_default_masks(ctx.dataset),
        problem=None if masks else _NO_MASKS_YET,
    )
    key = params.get("key") or _KEY
    field = inputs.str(
        "key",
        label="Key",
        description="What the tags and saved views begin with",
        default=_KEY,
    )
    with section(ctx, inputs, "change_rules", "Change the rules"):
        ask_for_limits(ctx, inputs)
    if label_field is None:
        return
    if is_refused(field, check_search, ctx.dataset, key, label_field):
        return
    _check_pairs(ctx, inputs, label_field)
    written = f"Tags labels of {code(label_field)} and samples with "
    written += code(f"{key}:<issue>")
    saved = f"Saves a view {code(f'{key}: <issue>')} for each issue found in {images}"
    if key in ctx.dataset.list_runs():
        warn(inputs, "outcome", f"Updates the tags and views of {bold(key)}", written)
    else:
        note(inputs, "outcome", written, saved)


def _default_masks(dataset: Dataset) -> str:
    fields = segmentation_fields(dataset)
    return default_field(fields, "mask") if fields else _NO_MASKS


def _check_pairs(ctx: ExecutionContext, inputs: types.Object, label_field: str) -> None:
    """Refuses pairs of classes that may overlap if the labels have no such class."""
    from ..datasets.issues import IssueLimits
    from ..datasets.issues.find import check_exempt_pairs

    name = "exempt_pairs" if ctx.params.get("exempt_pairs") else "limits"
    if any(field.invalid for field in inputs.properties.values()):
        return
    try:
        limits = IssueLimits.of_numbers(limits_of(ctx.params))
        known(
            "looking for classes",
            ("exempt pairs", label_field, repr(limits.exempt_pairs)),
            ctx.dataset,
            lambda: check_exempt_pairs(ctx.dataset, label_field, limits),
        )
    except CocoMaskError as error:
        reject(inputs.properties[name], str(error))
