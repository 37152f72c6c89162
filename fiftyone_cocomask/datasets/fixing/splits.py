"""All copies of a picture in one split: the repair of ``leak``."""

from __future__ import annotations

import fiftyone as fo

from ...fiftyone_types import SampleCollection
from ..documents import Document, root_dataset, stream_documents
from ..issues.dataset_rules import source_of_copy
from ..issues.leaks import Pictures
from ..issues.rules import CHECKED, MaskIssue
from .changes import Change
from .planning import FixPlan
from .report import FixReport


def split_changes(
    samples: SampleCollection, plan: FixPlan, report: FixReport
) -> list[Change]:
    """Returns the changes that put all copies of a picture into one split.

    Args:
        samples: the dataset or view
        plan: what to repair
        report: counts what is left as it is
    """
    names = [
        name
        for name in ("source_name", "file_name", "split")
        if isinstance(root_dataset(samples).get_field(name), fo.StringField)
    ]
    if "split" not in names or MaskIssue.LEAK not in plan.issues:
        return []
    documents = {}
    pictures = Pictures()
    tag = plan.marks.tag(MaskIssue.LEAK)
    for batch in stream_documents(samples, ["filepath", "metadata", "tags", *names]):
        for document in batch:
            if tag not in (document.get("tags") or ()) or not document.get("split"):
                continue
            if CHECKED in document["tags"]:
                reason = f"it is tagged '{CHECKED}'"
                report.skip(str(document["_id"]), None, MaskIssue.LEAK.value, reason)
                continue
            metadata = document.get("metadata") or {}
            size = (metadata.get("width") or 0, metadata.get("height") or 0)
            documents[document["_id"]] = document
            pictures.add(
                document["_id"],
                document["split"],
                source_of_copy(document.get("source_name"), document.get("file_name")),
                document["filepath"],
                size if all(size) else None,
            )
    changes = []
    for group in pictures.leaking_groups(plan.limits.leak_distance):
        target = _most_common([picture.split for picture in group])
        for picture in group:
            document = documents[picture.sample_id]
            change = _moved(document, picture.split, target, tag)
            others = [p for p in group if p.split != picture.split]
            change.outline = {"copy": documents[others[0].sample_id]["filepath"]}
            changes.append(change)
    return changes


def _most_common(splits: list[str]) -> str:
    """Returns the split that comes most often, `train` before others."""
    order = sorted(set(splits), key=lambda name: (name != "train", name))
    return max(order, key=splits.count)


def _moved(document: Document, split: str, target: str, tag: str) -> Change:
    tags = document.get("tags") or []
    moves = split != target
    return Change(
        sample_id=str(document["_id"]),
        filepath=document["filepath"],
        issues=[MaskIssue.LEAK.value],
        action=f"moved to {target}" if moves else "kept",
        before={"split": split},
        after={"split": target},
        tags_added=[target] if moves and target not in tags else [],
        tags_before=list(tags),
        tags_removed=[t for t in (tag, *([split] if moves else [])) if t in tags],
    )
