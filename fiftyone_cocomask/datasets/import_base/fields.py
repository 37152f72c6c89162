"""The fields of an import's labels, which may have other names by now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import fiftyone as fo

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import Document, stream_documents
from .base import BASE_FIELD, Fields, SampleBase
from .digests import NO_LABEL, short_id

# Of the field of polylines, and of that of detections: the type of its labels, the list
# that it keeps them in, and the argument that names it.
_KINDS = (
    (fo.Polylines, "polylines", "label_field"),
    (fo.Detections, "detections", "box_field"),
)
# In how many samples fields are looked for that may not be there: forms ask too, and
# are to answer soon.
_MAX_SAMPLES = 1000


def written_as(
    dataset: fo.Dataset, fields: tuple[str | None, str | None]
) -> Fields | None:
    """Returns what two fields were called when an import wrote their labels first.

    The base of each sample goes by those names, also after a field was renamed. Labels
    are known by their ids: those that others have put into a field have other ids.

    Args:
        dataset: the dataset
        fields: the fields of polylines and detections, as they are called now; None
            for one that may be any

    Returns:
        the names; None if no import wrote labels that are in these fields
    """
    present = [[name] if name else [] for name in fields]
    for document in _samples_with_base(dataset, present):
        for names in SampleBase.fields_of(document[BASE_FIELD]):
            others = {
                kind: now
                for kind, (now, was) in enumerate(zip(fields, names, strict=True))
                if now not in (None, was)
            }
            if not others:
                return names
            if any(dataset.has_field(names[kind]) for kind in others):
                continue
            found = [_has_labels(document, names, k, now) for k, now in others.items()]
            if any(found) and False not in found:
                return names
    return None


def boxes_written_with(
    dataset: fo.Dataset, labels: str, candidates: Sequence[str]
) -> str | None:
    """Returns the field of the boxes that an import wrote with a field of polygons.

    Several imports may have written into fields of their own.

    Args:
        dataset: the dataset
        labels: the field of polygons, or of others' labels
        candidates: the fields of boxes that it may be

    Returns:
        the field; where no import is known to have written the labels, the first that
        none has written with others. None if there is none
    """
    with_labels = [{f"{labels}.{name}.0": {"$exists": True}} for _, name, _ in _KINDS]
    samples = dataset.match({"$or": with_labels})
    others, is_known = set[str | None](), False
    documents = _samples_with_base(samples, ([labels], [labels, *candidates]))
    for document in islice(documents, _MAX_SAMPLES):
        for names in SampleBase.fields_of(document[BASE_FIELD]):
            found = _called_now(dataset, document, names, 1, candidates)
            if _called_now(dataset, document, names, 1, [labels]) is not None:
                return None
            if _called_now(dataset, document, names, 0, [labels]) is None:
                others.add(found)
            elif found is not None:
                return found
            else:
                is_known = True
    left = [name for name in candidates if name not in others]
    return left[0] if left and not is_known else None


def _called_now(
    dataset: fo.Dataset,
    document: Document,
    names: Fields,
    kind: int,
    candidates: Sequence[str],
) -> str | None:
    """Returns which of some fields an import has written under one of two names."""
    if dataset.has_field(names[kind]):
        return names[kind] if names[kind] in candidates else None
    for name in candidates:
        if _has_labels(document, names, kind, name):
            return name
    return None


def check_not_renamed(dataset: fo.Dataset, fields: Fields) -> None:
    """Checks that no field of an import's labels has another name by now.

    Imported into the old name again, all labels would count as deleted by a person.

    Args:
        dataset: the dataset
        fields: the fields of polylines and detections to import into

    Raises:
        CocoMaskError: if one has; it says which to give
    """
    others = [
        []
        if dataset.has_field(name)
        else list(dataset.get_field_schema(embedded_doc_type=kind))
        for name, (kind, _, _) in zip(fields, _KINDS, strict=True)
    ]
    if not any(others):
        return
    found: dict[int, str] = {}
    written = (
        document
        for document in _samples_with_base(dataset, others)
        if fields in SampleBase.fields_of(document[BASE_FIELD])
    )
    for document in islice(written, _MAX_SAMPLES):
        for kind, candidates in enumerate(others):
            name = _called_now(dataset, document, fields, kind, candidates)
            if name is not None:
                found.setdefault(kind, name)
        if len(found) == sum(map(bool, others)):
            break
    if found:
        was = " and ".join(f"'{fields[k]}'" for k in found)
        now = " and ".join(f"'{name}'" for name in found.values())
        give = " and ".join(f"{_KINDS[k][2]}='{name}'" for k, name in found.items())
        raise CocoMaskError(
            f"The labels that were imported into {was} of dataset '{dataset.name}' are "
            f"in {now} by now; give {give}"
        )


def _samples_with_base(
    samples: SampleCollection, fields: Sequence[Sequence[str]]
) -> Iterator[Document]:
    """Yields samples that an import wrote, with the ids of labels in some fields.

    Args:
        samples: the dataset, or a view
        fields: fields of polylines, and fields of detections
    """
    if not samples.has_field(BASE_FIELD):
        return
    ids = [
        f"{name}.{labels}._id"
        for names, (_, labels, _) in zip(fields, _KINDS, strict=True)
        for name in names
    ]
    for documents in stream_documents(samples, [BASE_FIELD, *ids]):
        yield from (document for document in documents if document.get(BASE_FIELD))


def _has_labels(
    document: Document, fields: Fields, kind: int, name: str
) -> bool | None:
    """Whether a sample's field has labels that an import wrote to one of that kind.

    Returns:
        None if the import wrote none and the field has none, which tells nothing
    """
    base = SampleBase.of_fields(document[BASE_FIELD], fields)
    if base is None:
        return False
    written = {record[kind] for record in base.annotations} - {NO_LABEL}
    there = {
        short_id(label)
        for label in (document.get(name) or {}).get(_KINDS[kind][1]) or []
    }
    return None if not written and not there else not written.isdisjoint(there)
