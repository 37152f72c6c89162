"""What searches have found in a dataset, with the ids of its labels and samples."""

from __future__ import annotations

from pathlib import Path

from ...fiftyone_types import SampleCollection
from ...reporting.page import Section, Table
from ...words import part_of
from ..documents import root_dataset, stream_documents
from ..issues import list_mask_issues
from ..issues.counts import issue_counts, issue_view
from ..issues.searches import search_marks
from ..label_lists import LabelList
from ..measuring.measure import NO_LABEL
from .texts import MAX_ROWS, words


def findings(samples: SampleCollection) -> list[Section]:
    """Returns a section for each search for mask issues.

    Args:
        samples: the dataset or view
    """
    return [
        section
        for key in list_mask_issues(samples)
        if (section := _of_search(samples, key)) is not None
    ]


def _of_search(samples: SampleCollection, key: str) -> Section | None:
    counts = issue_counts(samples, key)
    if not counts:
        return None
    section = Section(f"What is wrong: {key}")
    rows = [(words(issue.value), f"{number:,}") for issue, number in counts.items()]
    section.tables.append(Table(("Issue", "Number"), rows))
    named: list[list[str]] = []
    each = max(1, MAX_ROWS // len(counts))
    marks = search_marks(root_dataset(samples), key)
    for issue in counts:
        labels = None if issue.of_sample else marks.list_of(issue)
        view = issue_view(samples, key, issue)
        named += [
            [words(issue.value), *row] for row in _ids(view.limit(each), labels, each)
        ]
    total = sum(counts.values())
    title = part_of(len(named), total, "finding")
    columns = ("Issue", "File", "Sample", "Class", "Label")
    section.tables.append(Table(columns, named, title))
    return section


def _ids(
    view: SampleCollection, labels: LabelList | None, most: int
) -> list[list[str]]:
    """Returns the file, the sample, the class and the id of marked labels."""
    paths = ["filepath"]
    if labels is not None:
        paths += [f"{labels.path}._id", f"{labels.path}.label"]
    found: list[list[str]] = []
    for documents in stream_documents(view, paths):
        for document in documents:
            name, sample_id = Path(document["filepath"]).name, str(document["_id"])
            if labels is None:
                found.append([name, sample_id, "", ""])
                continue
            for label in labels.documents(document):
                text = label.get("label")
                text = NO_LABEL if text is None else text
                found.append([name, sample_id, text, str(label["_id"])])
    return found[:most]
