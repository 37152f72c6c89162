"""What becomes of one sample: a new one of an image, or one merged with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ...choices import ConflictRule
from ...coco.records import ImageRecord
from ..documents import MODIFIED, new_sample_document
from ..import_base.base import (
    BASE_FIELD,
    REPLACING,
    BaseKey,
    Fields,
    SampleBase,
    new_ids,
    new_label,
)
from ..import_base.digests import Document
from .changing import MergedLabels
from .conflicts import CONFLICT_TAG, Conflict
from .documents import annotation_labels, label_fields, own_names, sample_fields
from .identity import OLD_COPY_TAG, are_other_projects
from .label_merging import keep_labels, merge_labels
from .pictures import has_own_picture
from .said import said_digest

GONE_TAG = "gone_from_export"
# What the import writes where an image has it, and takes away where it has not.
_OPTIONAL = ("coco_id", "coco_id_text", "import_issues", "coco_original")


@dataclass(frozen=True, slots=True)
class ImportRules:
    """How an import writes samples.

    Attributes:
        fields: the fields of polylines and detections
        tags: the tags that every sample gets
        conflicts: whose version stays in conflicts
        origin: tells the export, and its other versions, from others
        project: what tells it from other projects; as ``origin``, but where that is of
            earlier versions which named no project
        is_replacing: whether new samples are to take the place of those that are there
        attributes: the names that the export, or a version before it, gives to
            attributes of any image's annotations
        written_as: what the fields were called when an import wrote them first; None
            if none did
    """

    fields: Fields
    tags: Sequence[str]
    conflicts: ConflictRule = "keep"
    origin: str | None = None
    project: str | None = None
    is_replacing: bool = False
    attributes: Sequence[str] = ()
    written_as: Fields | None = None

    @property
    def base_fields(self) -> Fields:
        """The names of the fields that the base of each sample goes by."""
        return self.written_as or self.fields

    @property
    def paths(self) -> list[str]:
        """The paths of the fields that :func:`merged_sample` reads."""
        return [
            "filepath",
            "tags",
            "metadata",
            "split",
            "file_name",
            "source_name",
            BASE_FIELD,
            *_OPTIONAL,
            *self.fields,
        ]


def new_samples(
    records: Sequence[ImageRecord], rules: ImportRules, now: datetime
) -> list[Document]:
    """Returns the samples of new images.

    Args:
        records: the images
        rules: how the import writes
        now: when the samples count as made
    """
    ids = new_ids()
    samples = []
    for record, labels in zip(records, annotation_labels(records), strict=True):
        pairs = [
            (line and new_label(line, next(ids)), box and new_label(box, next(ids)))
            for line, box in labels
        ]
        base = SampleBase.of_labels(
            pairs,
            own_names(record),
            split=record.split,
            user_tags=tuple(record.user_tags),
            fingerprint=record.fingerprint,
            origin=rules.origin,
            fields=rules.base_fields,
            said=said_digest(record, rules.tags),
            as_of=now,
        ).to_document()
        if rules.is_replacing:
            base[REPLACING] = True
        tags = dict.fromkeys([record.split, *record.user_tags, *rules.tags])
        samples.append(
            {
                **new_sample_document(str(record.path), list(tags)),
                **sample_fields(record),
                **label_fields(pairs, *rules.fields),
                BASE_FIELD: base,
            }
        )
    return samples


@dataclass(slots=True)
class MergedSample:
    """What a merge does to a sample.

    Attributes:
        changes: what to set
        labels: what became of its labels
        moved_from: the split that it was in, if it is in another one now
        split_conflict: the conflict about its split, if there is one
        is_of_other_project: whether the sample is of another project than the export
        base: what the last import of the export wrote, None if there was none
    """

    changes: Document
    labels: MergedLabels
    moved_from: str | None = None
    split_conflict: Conflict | None = None
    is_of_other_project: bool = False
    base: SampleBase | None = None

    @property
    def conflicts(self) -> list[Conflict]:
        """All conflicts, those of its labels and of its split."""
        split = [self.split_conflict] if self.split_conflict is not None else []
        return [*self.labels.conflicts, *split]


def is_whole(document: Document, said: bytes | None, rules: ImportRules) -> bool:
    """Whether merging an image into its sample would change and count nothing.

    Args:
        document: the sample's document, with its base and when it was modified
        said: the digest of all that the export says of the image
        rules: how the import writes
    """
    stored = document.get(BASE_FIELD) or {}
    if said is None or are_other_projects(stored.get("origin"), rules.project):
        return False
    modified = document.get(MODIFIED)
    return SampleBase.is_kept_whole(stored, rules.base_fields, said, modified)


def merged_sample(
    document: Document,
    record: ImageRecord,
    said: bytes | None,
    rules: ImportRules,
    now: datetime,
) -> MergedSample:
    """Merges an image of an export into its sample.

    Args:
        document: the sample's document, with the fields of :attr:`ImportRules.paths`
        record: the image
        said: the digest of all that the export says of the image
        rules: how the import writes
        now: when the sample counts as modified, if it is changed
    """
    stored = document.get(BASE_FIELD) or {}
    if are_other_projects(stored.get("origin"), rules.project):
        return _merged_with_other_project(document, record, said, rules)
    base = SampleBase.from_document(stored, rules.base_fields)
    was_told = _was_told(base, said)
    if was_told:
        # It has them, or a person has taken them away since.
        rules = replace(rules, tags=())
    labels = _merged_labels(document, base, record, rules, rules.base_fields, said)
    names = own_names(record)
    old_tags = document.get("tags") or []
    merged = MergedSample({}, labels, base=base)
    fields = sample_fields(record)
    is_settled = was_told and CONFLICT_TAG not in old_tags
    fields["split"] = _merged_split(
        document, base, record, rules, merged, is_settled=is_settled
    )
    # A conflict that is left to a person is looked at again.
    is_open = merged.split_conflict is not None and merged.moved_from is None
    known_split = base.split if is_open and base is not None else record.split
    others = SampleBase.others_of(document.get(BASE_FIELD), rules.base_fields)
    new_base = SampleBase(
        tuple(labels.annotations),
        tuple(sorted({*names, *(base.names if base else ())})),
        known_split,
        tuple(record.user_tags),
        record.fingerprint,
        (base.origin if base else None) or rules.origin,
        rules.base_fields,
        others,
        # Conflicts that are left to a person are looked at again.
        None if any(kept.flags for kept in labels.annotations) else said,
        base.as_of if base else None,
    )
    new: Document = {
        "filepath": str(record.path),
        "tags": _merged_tags(old_tags, document, base, record, rules, merged),
        **dict.fromkeys(_OPTIONAL),
        **fields,
        **_label_lists(document, labels, rules),
        BASE_FIELD: new_base.to_document(),
    }
    if has_own_picture(document, record, was_told=was_told):
        new |= {name: document.get(name) for name in ("filepath", "metadata")}
    merged.changes = {k: v for k, v in new.items() if document.get(k) != v}
    if merged.changes:
        is_persons = bool(labels.edits_kept or merged.conflicts or others)
        new_base = replace(new_base, as_of=None if is_persons else now)
        merged.changes[BASE_FIELD] = new_base.to_document()
    return merged


def _merged_with_other_project(
    document: Document, record: ImageRecord, said: bytes | None, rules: ImportRules
) -> MergedSample:
    """Adds what a project says of an image to the sample that another one made.

    Only labels and tags are added to, and the project gets a base of its own.
    """
    stored = document[BASE_FIELD]
    key = (*rules.base_fields, str(rules.project))
    base = SampleBase.from_document(stored, key)
    # What it gave then, a person may have taken away since.
    given = [] if _was_told(base, said) else [*record.user_tags, *rules.tags]
    if base is None:
        own: Document = {"names": stored.get("names"), "labels_in": {",".join(key): ""}}
        base = SampleBase.from_document(own, key)
    assert base is not None
    labels = _merged_labels(document, base, record, rules, key, said)
    merged = MergedSample({}, labels, is_of_other_project=True)
    new_base = SampleBase(
        tuple(labels.annotations),
        tuple(sorted({*own_names(record), *base.names})),
        stored.get("split"),
        tuple(stored.get("user_tags") or ()),
        stored.get("file"),
        stored["origin"],
        key,
        SampleBase.others_of(stored, key),
        None if any(kept.flags for kept in labels.annotations) else said,
    )
    tags = [*(document.get("tags") or []), *given]
    if _is_open(merged, rules):
        tags.append(CONFLICT_TAG)
    elif base.is_in_conflict and not SampleBase.are_others_in_conflict(stored, key):
        tags = [tag for tag in tags if tag != CONFLICT_TAG]
    new: Document = {
        "tags": list(dict.fromkeys(tags)),
        **_label_lists(document, labels, rules),
        BASE_FIELD: new_base.to_document(),
    }
    merged.changes = {k: v for k, v in new.items() if document.get(k) != v}
    return merged


def _was_told(base: SampleBase | None, said: bytes | None) -> bool:
    """Whether the last import told a sample the same, its tags among it."""
    return base is not None and said is not None and base.said == said


def _merged_labels(
    document: Document,
    base: SampleBase | None,
    record: ImageRecord,
    rules: ImportRules,
    key: BaseKey,
    said: bytes | None,
) -> MergedLabels:
    lines = (document.get(rules.fields[0]) or {}).get("polylines") or []
    boxes = (document.get(rules.fields[1]) or {}).get("detections") or []
    if base is not None:
        base = base.with_names(rules.attributes)
    others = SampleBase.label_ids_of_others(document.get(BASE_FIELD), key)
    if base is not None and _was_told(base, said):
        return keep_labels(base, lines, boxes, others)
    return merge_labels(
        base,
        lines,
        boxes,
        annotation_labels([record])[0],
        own_names(record),
        conflicts=rules.conflicts,
        is_imported=_is_of_import(document, rules),
        is_tagged=CONFLICT_TAG in (document.get("tags") or ()),
        others=others,
        size=(record.width, record.height),
    )


def _label_lists(
    document: Document, labels: MergedLabels, rules: ImportRules
) -> Document:
    """Returns the values of the two fields of labels."""
    line_field, box_field = rules.fields
    lines = document.get(line_field) or {"_cls": "Polylines"}
    boxes = document.get(box_field) or {"_cls": "Detections"}
    return {
        line_field: {**lines, "polylines": labels.polylines},
        box_field: {**boxes, "detections": labels.detections},
    }


def _is_of_import(document: Document, rules: ImportRules) -> bool:
    """Whether the labels of two fields come from an import, as 0.1 wrote them too."""
    if document.get("file_name") is None:
        return False
    if document.get(BASE_FIELD):
        return SampleBase.is_about(document[BASE_FIELD], rules.base_fields)
    return any(document.get(name) is not None for name in rules.fields)


def _merged_split(
    document: Document,
    base: SampleBase | None,
    record: ImageRecord,
    rules: ImportRules,
    merged: MergedSample,
    *,
    is_settled: bool,
) -> str:
    """Returns the split of a sample, which a person may have changed too.

    A conflict about it that was told before is settled once its tag is gone.
    """
    now, new = document.get("split"), record.split
    before = base.split if base is not None and base.split is not None else now
    if now is None or now == new:
        return new
    if now == before:
        merged.moved_from = now
        return new
    if before == new or is_settled:
        merged.labels.edits_kept += 1
        return str(now)
    merged.split_conflict = Conflict(None, f"is in '{now}'", f"is in '{new}'")
    if rules.conflicts == "keep":
        return str(now)
    merged.moved_from = now
    return new


def _merged_tags(
    tags: list[str],
    document: Document,
    base: SampleBase | None,
    record: ImageRecord,
    rules: ImportRules,
    merged: MergedSample,
) -> list[str]:
    """Returns a sample's tags: what a person removed or added stays so."""
    written: set[str | None] = set()
    if base is not None:
        written = {base.split, *base.user_tags}
    elif document.get("file_name") is not None:
        written = {document.get("split")}
    wanted = [record.split, *record.user_tags]
    is_moved = merged.moved_from is not None
    if not is_moved and document.get("split") not in (None, record.split):
        # A person's split.
        wanted = record.user_tags
        written.discard(record.split)
    outdated = (written - set(wanted)) | {GONE_TAG, OLD_COPY_TAG}
    added = []
    if _is_open(merged, rules):
        added = [CONFLICT_TAG]
    elif base is not None and not SampleBase.are_others_in_conflict(
        document[BASE_FIELD], rules.base_fields
    ):
        outdated.add(CONFLICT_TAG)
    kept = [tag for tag in tags if tag not in outdated]
    new = [tag for tag in wanted if tag not in written]
    return list(dict.fromkeys([*kept, *new, *rules.tags, *added]))


def _is_open(merged: MergedSample, rules: ImportRules) -> bool:
    """Whether a merge leaves a conflict to a person."""
    return bool(merged.conflicts) and rules.conflicts == "keep"
