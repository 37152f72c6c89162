"""Objects deleted, each polygon with its box, so that it can be undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fiftyone as fo
from bson import ObjectId

from ...arguments import checked
from ...errors import CocoMaskError
from ..database_errors import explain_database_errors
from ..documents import Document, read_documents, root_dataset, sample_ids
from ..label_lists import LabelList, labels_and_boxes
from ..locks import ISSUES, one_at_a_time
from ..targets import checked_samples
from .changes import Change, neighbours
from .partners import partners_of
from .report import FixReport
from .stored import SAMPLES_AT_ONCE, begin_changes, check_fix_key
from .writing import carry_out

# What a report calls an object that was asked for.
DELETED_OBJECT = "deleted_object"


@explain_database_errors()
@checked
@one_at_a_time(ISSUES)
def delete_objects(
    dataset: fo.Dataset | fo.DatasetView,
    label_ids: Sequence[str],
    *,
    label_field: str = "segmentations",
    fix_key: str = "deleted_objects",
    dry_run: bool = False,
) -> FixReport:
    """Deletes objects: each label with the box, or the polygon, of its annotation.

    Where several labels of an image have one annotation's id, as after a merge that
    has kept one of an earlier version, the box goes that lies where the label does. If
    there is one box for all of them, it goes with the last. The deletions are a run of
    the dataset that :func:`undo_mask_fixes` takes back, label by label; a killed call
    can be run again.

    Example::

        import fiftyone_cocomask as fcm

        view = dataset.load_saved_view("mask_issues: tiny")
        fcm.delete_objects(dataset, view.values("id"))
        fcm.undo_mask_fixes(dataset, "deleted_objects")

    Args:
        dataset: the dataset, or a view into it
        label_ids: the ids of the labels, or of their boxes; those of patches are the
            same. A label that is not there is reported as skipped
        label_field: the field of the labels: of Polylines, or of Detections
        fix_key: the key of the deletions, to undo them by
        dry_run: whether to say what would be done, and to write nothing

    Returns:
        a :class:`FixReport`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    dataset = root_dataset(dataset)
    checked_samples(dataset)
    lists = check_deletion(dataset, label_ids, label_field, fix_key)
    if not dry_run:
        begin_changes(dataset, label_field)
    report = FixReport(fix_key, dry_run=dry_run)
    wanted = dict.fromkeys(label_ids)
    changes = list(_changes(dataset, set(wanted), lists))
    found = {change.label_id for change in changes}
    for label_id in wanted:
        if label_id not in found:
            reason = f"'{label_field}' has no such object"
            report.skip("", label_id, DELETED_OBJECT, reason)
    carry_out(dataset, changes, lists, report)
    return report


def check_deletion(
    dataset: fo.Dataset, label_ids: Sequence[str], label_field: str, fix_key: str
) -> dict[str, LabelList]:
    """Returns where the labels and their boxes are, by field.

    Raises:
        CocoMaskError: if they may not be deleted
    """
    labels = LabelList.of_field(dataset, label_field)
    check_fix_key(dataset, fix_key, label_field)
    if not label_ids:
        raise CocoMaskError("label_ids must name at least one label")
    for label_id in label_ids:
        if not ObjectId.is_valid(label_id):
            raise CocoMaskError(
                f"label_ids must be ids of labels, such as '{ObjectId()}', not "
                f"{label_id!r}"
            )
    return labels_and_boxes(dataset, labels)


def _changes(
    dataset: fo.Dataset, label_ids: set[str], lists: dict[str, LabelList]
) -> Iterator[Change]:
    """Yields the deletion of each label, and of the box or polygon of its object."""
    ids = [ObjectId(label_id) for label_id in label_ids]
    condition = {"$or": [{f"{x.path}._id": {"$in": ids}} for x in lists.values()]}
    for batch in sample_ids(dataset, condition, SAMPLES_AT_ONCE):
        for document in read_documents(dataset, batch, ["filepath", *lists]):
            yield from _of_sample(document, label_ids, lists)


def _of_sample(
    document: Document, label_ids: set[str], lists: dict[str, LabelList]
) -> Iterator[Change]:
    labels = {field: x.documents(document) for field, x in lists.items()}
    chosen = {
        field: {str(label["_id"]) for label in own} & label_ids
        for field, own in labels.items()
    }
    goes = set().union(*chosen.values())
    for number, (field, own) in enumerate(labels.items()):
        others = [x for other in labels if other != field for x in labels[other]]
        for index, label in enumerate(own):
            is_chosen = str(label["_id"]) in chosen[field]
            partners = [str(x["_id"]) for x in partners_of(label, own, others)]
            of_object = {partner: partner in goes for partner in partners}
            # A box goes once nothing is left of its annotation.
            if not is_chosen and not (of_object and all(of_object.values())):
                continue
            # Counted once where both were asked for: a box is of the same object.
            going = [partner for partner, goes_too in of_object.items() if goes_too]
            follows = None if is_chosen and not (number and going) else going[0]
            yield Change(
                sample_id=str(document["_id"]),
                filepath=document["filepath"],
                issues=[DELETED_OBJECT] if follows is None else [],
                action="removed",
                label_field=field,
                label_id=str(label["_id"]),
                label=label.get("label"),
                index=index,
                between=neighbours(own, index),
                before=label,
                after=None,
                follows=follows,
            )
