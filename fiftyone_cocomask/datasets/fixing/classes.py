"""Classes that are one, merged: their labels get one name, and that can be undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...coco.class_findings import similar_names
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..database_errors import explain_database_errors
from ..documents import (
    Document,
    aggregate_documents,
    num_samples,
    read_documents,
    root_dataset,
    sample_ids,
)
from ..label_lists import (
    LabelList,
    annotation_of,
    boxes_beside,
    boxes_of_their_own,
    labels_and_boxes,
    with_all_labels,
)
from ..locks import ISSUES, one_at_a_time
from ..targets import checked_samples
from .changes import Change
from .report import FixReport
from .stored import SAMPLES_AT_ONCE, StoredFixes, begin_changes, check_fix_key
from .writing import carry_out

# What a report calls a label whose class is merged into another.
MERGED = "merged_class"
_RELABELLED = "relabelled"


@explain_database_errors()
@checked
@one_at_a_time(ISSUES)
def merge_classes(
    samples: fo.Dataset | fo.DatasetView,
    into: str,
    classes: Sequence[str] | None = None,
    *,
    label_field: str = "segmentations",
    fix_key: str = "merged_classes",
    dry_run: bool = False,
    progress: Any = None,
) -> FixReport:
    """Gives the labels of some classes, and their boxes, the name of another class.

    For classes that are one, such as ``"cerebelo"`` and ``"cerebelo_1"``. A box follows
    its label where it has the same class. The changes are a run of the dataset that
    :func:`undo_mask_fixes` takes back, label by label; a killed call can be run again.

    Example::

        import fiftyone_cocomask as fcm

        fcm.merge_classes(dataset, "cerebelo", ["cerebelo_1", "cerebelo-2"])
        fcm.undo_mask_fixes(dataset, "merged_classes")

    Args:
        samples: the dataset or view whose labels are renamed, all of each sample
        into: the class that the others become, which may be a new one
        classes: the classes that go; by default those whose names are nearly its own
        label_field: a field of Polylines, or of Detections
        fix_key: the key of the changes, to undo them by
        dry_run: whether to say what would be done, and to write nothing
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`FixReport`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    samples = checked_samples(samples)
    dataset = root_dataset(samples)
    labels = check_merge(dataset, into, classes, label_field, fix_key)
    going = set(classes_to_merge(dataset, labels, into) if classes is None else classes)
    lists = labels_and_boxes(dataset, labels)
    if not dry_run:
        begin_changes(dataset, label_field)
    report = FixReport(fix_key, dry_run=dry_run)
    changes: list[Change] = []
    with fou.ProgressBar(total=num_samples(samples), progress=progress) as bar:
        for document in _with_classes(samples, sorted(going), lists):
            changes += _changes(document, going, into, lists)
            bar.update()
    carry_out(dataset, changes, lists, report)
    return report


def check_merge(
    dataset: fo.Dataset,
    into: str,
    classes: Sequence[str] | None,
    label_field: str,
    fix_key: str,
) -> LabelList:
    """Returns where labels are whose classes may be merged.

    Raises:
        CocoMaskError: if they may not
    """
    labels = LabelList.of_field(dataset, label_field)
    check_fix_key(dataset, fix_key, label_field)
    if not into.strip() or not into.isprintable():
        raise CocoMaskError(f"into must be the name of a class, not {into!r}")
    if classes is None:
        return labels
    if not classes:
        raise CocoMaskError("classes must name at least one class to merge")
    if into in classes:
        raise CocoMaskError(f"Class '{into}' cannot be merged into itself")
    known = _class_names(dataset, labels)
    unknown = [name for name in classes if name not in known]
    if unknown:
        # A call that was killed has perhaps merged all of them.
        stored = StoredFixes(dataset, fix_key).changes()
        merged = {c.before["label"] for c in stored if c.action == _RELABELLED}
        unknown = [name for name in unknown if name not in merged]
    if unknown:
        raise CocoMaskError(
            f"'{label_field}' has no labels of the class '{unknown[0]}'; it has "
            f"{', '.join(known[:20])}"
        )
    return labels


def classes_to_merge(dataset: fo.Dataset, labels: LabelList, into: str) -> list[str]:
    """Returns the classes of labels whose names are nearly that of another one."""
    groups = similar_names(sorted({*_class_names(dataset, labels), into}))
    return [name for group in groups if into in group for name in group if name != into]


def count_classes(samples: SampleCollection, labels: LabelList) -> dict[str, int]:
    """Returns how many objects have each class: all of each sample, as are merged."""
    boxes = boxes_beside(root_dataset(samples), labels)
    objects = [labels.expression()]
    if boxes is not None:
        objects.append(boxes_of_their_own(labels, boxes))
    rows = aggregate_documents(
        with_all_labels(samples),
        [
            {"$project": {"label": {"$concatArrays": objects}}},
            {"$unwind": "$label"},
            {"$group": {"_id": "$label.label", "number": {"$sum": 1}}},
        ],
    )
    return {row["_id"]: row["number"] for row in rows if row["_id"]}


def _class_names(dataset: fo.Dataset, labels: LabelList) -> list[str]:
    """Returns the classes of labels and their boxes, each once."""
    lists = labels_and_boxes(dataset, labels).values()
    paths = [f"{x.path}.label" for x in lists]
    return sorted({name for path in paths for name in dataset.distinct(path) if name})


def _with_classes(
    samples: SampleCollection, classes: list[str], lists: dict[str, LabelList]
) -> Iterator[Document]:
    """Yields the samples with labels of some classes, with all their labels."""
    dataset = root_dataset(samples)
    within = None if samples is dataset else set(samples.values("_id"))
    condition = {
        "$or": [{f"{labels.path}.label": {"$in": classes}} for labels in lists.values()]
    }
    for ids in sample_ids(dataset, condition, SAMPLES_AT_ONCE):
        wanted = [i for i in ids if within is None or i in within]
        yield from read_documents(dataset, wanted, ["filepath", *lists])


def _changes(
    document: Document, classes: set[str], into: str, lists: dict[str, LabelList]
) -> Iterator[Change]:
    """Yields what becomes of a sample's labels; boxes come with their labels."""
    counted: set[Any] = set()
    for field, labels in lists.items():
        found = labels.documents(document)
        for index, label in enumerate(found):
            if label.get("label") not in classes:
                continue
            # Counted once: a box is of the same object.
            is_of_another = annotation_of(label) in counted
            yield Change(
                sample_id=str(document["_id"]),
                filepath=document["filepath"],
                issues=[] if is_of_another else [MERGED],
                action=_RELABELLED,
                label_field=field,
                label_id=str(label["_id"]),
                label=label["label"],
                index=index,
                before={"label": label["label"]},
                after={"label": into},
            )
        counted |= {annotation_of(label) for label in found} - {None}
