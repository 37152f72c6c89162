"""Evaluations as runs of a dataset.

They are FiftyOne's own custom runs, of its own classes, so that a dataset which has
some opens where this plugin is absent.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, get_args

import fiftyone as fo

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..comparison.runs import comparison_fields, is_comparison
from ..database_errors import explain_database_errors
from ..documents import Document, current_dataset, root_dataset
from ..documents.runs import RunField, begin_run
from ..journal import Journal
from ..locks import RUN_OF, locked, one_at_a_time
from ..masks.stored import MEASURED
from ..owned_fields import EvaluationFields, owned_paths
from ..run_changes import change_key, complete_changes, remove_run
from ..run_keys import check_key
from ..targets import Samples

Kind = Literal["area", "coverage"]
AnyKind = Literal["area", "coverage", "comparison"]

_METHOD_PREFIX = "cocomask/"


@dataclass(frozen=True, slots=True)
class MaskEvaluationInfo:
    """What is known of an evaluation without its results.

    Attributes:
        eval_key: its key
        kind: ``"area"``, ``"coverage"`` or ``"comparison"``
        mask_field: the field of the masks; of a comparison, the predicted ones
        label_field: the field of the labels, if they were evaluated
        gt_field: of a comparison, the field of the ground truth masks
        evaluated_at: when, in UTC
        fields: the paths of its fields
    """

    eval_key: str
    kind: AnyKind
    mask_field: str
    label_field: str | None
    gt_field: str | None
    evaluated_at: datetime
    fields: list[str]

    @property
    def is_comparison(self) -> bool:
        """Whether it compares two fields of masks."""
        return self.gt_field is not None

    @property
    def text(self) -> str:
        """What it is of, for a person to read."""
        if self.is_comparison:
            return f"Comparison of {self.mask_field} with {self.gt_field}"
        of_labels = f" and the labels of {self.label_field}" if self.label_field else ""
        return f"Mask {self.kind} of {self.mask_field}{of_labels}"


@dataclass(frozen=True, slots=True)
class _Stored:
    """An evaluation of area or coverage as its dataset stores it."""

    dataset: fo.Dataset
    key: str
    kind: AnyKind

    field: ClassVar[RunField] = "runs"

    def info(self) -> Any:
        return self.dataset.get_run_info(self.key)

    def mask_field(self) -> str:
        return self.info().config.mask_field

    def paths(self) -> list[str]:
        """Returns the paths of the fields that it has written."""
        return owned_paths(self.dataset, _owner(self.kind, self.key))

    def marks(self) -> list[str]:
        """Returns the path of the marks that it has left on the masks."""
        return [f"{self.mask_field()}.{MEASURED}.{self.key}"]


class _StoredComparison(_Stored):
    """A comparison, which FiftyOne stores as an evaluation of its own."""

    __slots__ = ()

    field: ClassVar[RunField] = "evaluations"

    def info(self) -> Any:
        return self.dataset.get_evaluation_info(self.key)

    def mask_field(self) -> str:
        return self.info().config.pred_field

    def paths(self) -> list[str]:
        return [p for p in comparison_fields(self.key) if self.dataset.has_field(p)]

    def marks(self) -> list[str]:
        return []


_STORED: dict[AnyKind, type[_Stored]] = {
    "area": _Stored,
    "coverage": _Stored,
    "comparison": _StoredComparison,
}


@explain_database_errors()
@checked
def list_mask_evaluations(samples: Samples, kind: AnyKind | None = None) -> list[str]:
    """Returns the eval keys of a dataset's mask evaluations.

    Args:
        samples: the dataset, or a view into it
        kind: ``"area"``, ``"coverage"`` or ``"comparison"``; None for the first two,
            whose results have tables and histograms in common

    Returns:
        the keys, sorted; also those of evaluations that were stopped before their end
    """
    dataset = root_dataset(samples)
    wanted = get_args(Kind) if kind is None else (kind,)
    return sorted(key for key, found in _kinds(dataset).items() if found in wanted)


@explain_database_errors()
@checked
def rename_mask_evaluation(
    samples: Samples, eval_key: str, new_eval_key: str, *, progress: Any = None
) -> None:
    """Renames an evaluation and its fields.

    Args:
        samples: the dataset, or a view into it
        eval_key: the key of the evaluation
        new_eval_key: its new key
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Raises:
        CocoMaskError: if there is no such evaluation, or the new key is taken; nothing
            has been changed then
    """
    dataset = root_dataset(samples)
    with ExitStack() as stack:
        # In one order, so that none of two that rename waits for the other.
        for key in sorted({eval_key, new_eval_key}):
            stack.enter_context(locked(dataset, RUN_OF.format(eval_key=key)))
        _rename(dataset, eval_key, new_eval_key, progress)


def _rename(
    dataset: fo.Dataset, eval_key: str, new_eval_key: str, progress: Any
) -> None:
    complete_changes(dataset, (eval_key, new_eval_key))
    kinds = _kinds(dataset)
    done = Journal(dataset).entry("rename", eval_key)
    is_done = done is not None and done["new_key"] == new_eval_key
    if is_done and eval_key not in kinds and new_eval_key in kinds:
        # Asked for once more, as after a kill.
        return
    stored = _stored(dataset, eval_key)
    check_key(dataset, new_eval_key, "new_eval_key")
    if new_eval_key in dataset.list_runs():
        raise CocoMaskError(
            f"Dataset '{dataset.name}' already has a run '{new_eval_key}'; give another"
        )
    paths = stored.paths() + stored.marks()
    names = {path: _renamed(path, eval_key, new_eval_key) for path in paths}
    for path in names.values():
        if dataset.has_field(path):
            raise CocoMaskError(
                f"Dataset '{dataset.name}' already has a field '{path}'; give another "
                "key"
            )
    change_key(dataset, stored.field, eval_key, new_eval_key, names, progress)


@explain_database_errors()
@checked
@one_at_a_time(RUN_OF)
def delete_mask_evaluation(
    samples: Samples, eval_key: str, *, progress: Any = None
) -> None:
    """Deletes an evaluation and its fields.

    Args:
        samples: the dataset, or a view into it
        eval_key: the key of the evaluation
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Raises:
        CocoMaskError: if there is no such evaluation
    """
    dataset = current_dataset(samples)
    complete_changes(dataset, [eval_key])
    if eval_key not in _kinds(dataset) and Journal(dataset).entry("delete", eval_key):
        # Asked for once more, as after a kill.
        return
    stored = _stored(dataset, eval_key)
    paths = stored.paths() + stored.marks()
    remove_run(dataset, stored.field, eval_key, paths, progress)


def evaluation_kind(dataset: fo.Dataset, eval_key: str) -> AnyKind:
    """Returns the kind of a mask evaluation.

    Raises:
        CocoMaskError: if there is none of that key
    """
    kinds = _kinds(dataset)
    if eval_key not in kinds:
        has = ", ".join(sorted(kinds)) if kinds else "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no mask evaluation '{eval_key}' (it has "
            f"{has})"
        )
    return kinds[eval_key]


@explain_database_errors()
@checked
def mask_evaluation_info(samples: Samples, eval_key: str) -> MaskEvaluationInfo:
    """Returns what is known of an evaluation without its results.

    Raises:
        CocoMaskError: if there is none of that key
    """
    dataset = root_dataset(samples)
    stored = _stored(dataset, eval_key)
    info = stored.info()
    return MaskEvaluationInfo(
        eval_key=eval_key,
        kind=stored.kind,
        mask_field=stored.mask_field(),
        label_field=getattr(info.config, "label_field", None),
        gt_field=getattr(info.config, "gt_field", None),
        evaluated_at=info.timestamp,
        fields=stored.paths(),
    )


def run_kind(dataset: fo.Dataset, key: str) -> Kind | None:
    """Returns what a run evaluated, or None if it is not a mask evaluation."""
    method = dataset.get_run_info(key).config.method or ""
    kinds: dict[str, Kind] = {_METHOD_PREFIX + k: k for k in get_args(Kind)}
    return kinds.get(method)


def check_run_key(dataset: fo.Dataset, key: str, kind: str) -> None:
    """Checks that a key can be that of an evaluation, and is of none of another kind.

    Raises:
        CocoMaskError: if it cannot, or is
    """
    check_key(dataset, key)
    if key in dataset.list_runs() and (found := run_kind(dataset, key)) != kind:
        what = f"mask {found} evaluation" if found else "run of another kind"
        raise CocoMaskError(
            f"'{key}' is the key of a {what} of dataset '{dataset.name}'; give "
            "another eval_key, or delete it first"
        )


def check_new_run(
    dataset: fo.Dataset, fields: EvaluationFields, *, overwrite: bool
) -> None:
    """Checks that an evaluation may be run under its key.

    Raises:
        CocoMaskError: if it may not
    """
    key = fields.eval_key
    check_run_key(dataset, key, fields.kind)
    if key in dataset.list_runs() and not overwrite:
        raise CocoMaskError(
            f"Dataset '{dataset.name}' already has a mask evaluation '{key}'; "
            "set overwrite, or give another eval_key"
        )
    fields.check_free(dataset)


def register_run(
    samples: SampleCollection,
    fields: EvaluationFields,
    mask_field: str,
    label_field: str | None,
    earlier: Document | None,
    *,
    in_tasks: bool,
) -> None:
    """Registers an evaluation that is about to be run, without results as yet.

    Args:
        samples: all that it covers
        fields: its fields
        mask_field: the field of the masks
        label_field: the field of the labels, or None
        earlier: what an earlier run reported of samples that this one leaves alone
        in_tasks: whether several tasks will run it, maybe much later
    """
    config = samples.init_run(
        method=_METHOD_PREFIX + fields.kind,
        mask_field=mask_field,
        label_field=label_field,
        label_path=fields.label_path,
        has_classes=fields.has_classes,
        earlier=earlier,
        in_tasks=in_tasks,
    )
    begin_run(samples, fields.eval_key, config)


def _kinds(dataset: fo.Dataset) -> dict[str, AnyKind]:
    """Returns the kind of each mask evaluation, by its key."""
    kinds: dict[str, AnyKind] = {}
    for key in dataset.list_runs():
        kind = run_kind(dataset, key)
        if kind is not None:
            kinds[key] = kind
    for key in dataset.list_evaluations():
        if is_comparison(dataset.get_evaluation_info(key).config):
            kinds[key] = "comparison"
    return kinds


def _stored(dataset: fo.Dataset, eval_key: str) -> _Stored:
    """Returns a mask evaluation as it is stored.

    Raises:
        CocoMaskError: if there is none of that key
    """
    kind = evaluation_kind(dataset, eval_key)
    return _STORED[kind](dataset, eval_key, kind)


def _owner(kind: str, eval_key: str) -> dict[str, str]:
    """Returns what the fields of an evaluation say of whose they are."""
    return {"evaluation": kind, "eval_key": eval_key}


def _renamed(path: str, eval_key: str, new_eval_key: str) -> str:
    parent, _, leaf = path.rpartition(".")
    new_leaf = new_eval_key + leaf[len(eval_key) :]
    return f"{parent}.{new_leaf}" if parent else new_leaf
