"""Issues as tags of labels and samples, with a saved view for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField as F

from ...errors import CocoMaskError
from ..documents import (
    Document,
    Update,
    read_documents,
    sample_ids,
    update_documents,
)
from ..label_lists import LabelList
from .rules import IssueLimits, MaskIssue

_BATCH_SIZE = 200

# The issues of each label of a sample by its id; those of the sample under None.
SampleIssues = dict[ObjectId | None, set[MaskIssue]]


class IssueMarks:
    """The tags and saved views of one search for issues.

    Args:
        dataset: the dataset
        key: the key of the search, with which its tags and views begin
        labels: where the labels are
    """

    def __init__(self, dataset: fo.Dataset, key: str, labels: LabelList) -> None:
        self._dataset = dataset
        self._key = key
        self._labels = labels

    def tag(self, issue: MaskIssue) -> str:
        """Returns the tag of an issue."""
        return f"{self._key}:{issue.value}"

    def view_name(self, issue: MaskIssue) -> str:
        """Returns the name of the saved view of an issue."""
        return f"{self._key}: {issue.value}"

    def check_views_free(self) -> None:
        """Checks that no saved view of somebody else's has a name of these.

        Raises:
            CocoMaskError: if one has
        """
        taken = set(self._dataset.list_saved_views())
        for issue in MaskIssue:
            if self.view_name(issue) in taken:
                raise CocoMaskError(
                    f"Dataset '{self._dataset.name}' has a saved view "
                    f"'{self.view_name(issue)}' already; give another key"
                )

    def set_tags(self, issues: dict[ObjectId, SampleIssues]) -> None:
        """Sets the tags of samples and labels, and removes those that are outdated.

        Args:
            issues: the issues of each sample that has some
        """
        for ids in self._ids(issues):
            documents = read_documents(
                self._dataset,
                ids,
                ["tags", f"{self._labels.path}._id", f"{self._labels.path}.tags"],
            )
            updates = (self._update(d, issues.get(d["_id"], {})) for d in documents)
            update_documents(self._dataset, [u for u in updates if u is not None])

    def save_views(
        self, base: Any, counts: dict[MaskIssue, int], limits: IssueLimits
    ) -> dict[MaskIssue, str]:
        """Saves a view of the samples and labels of each issue that there is.

        Args:
            base: what the views are made of: the dataset, or a slice of it
            counts: how many there are of each issue
            limits: the numbers in the rules

        Returns:
            the names of the views
        """
        names = {}
        for issue, count in counts.items():
            if not count:
                continue
            if issue.of_sample:
                view = base.match_tags(self.tag(issue))
            else:
                tagged = F("tags").contains(self.tag(issue))
                view = self._labels_view(base, tagged)
            names[issue] = self.view_name(issue)
            self._dataset.save_view(
                names[issue], view, description=limits.definition(issue), overwrite=True
            )
        return names

    def delete_views(self) -> None:
        """Deletes the saved views."""
        present = self._dataset.list_saved_views()
        for issue in MaskIssue:
            if self.view_name(issue) in present:
                self._dataset.delete_saved_view(self.view_name(issue))

    def _labels_view(self, base: Any, condition: Any) -> fo.DatasetView:
        if not self._labels.is_list:
            return base.match(F(self._labels.field).apply(condition))
        return base.filter_labels(self._labels.field, condition)

    def _ids(self, issues: dict[ObjectId, SampleIssues]) -> Iterator[list[ObjectId]]:
        """Yields the samples that have an issue or one of the tags, each once."""
        flagged = list(issues)
        for start in range(0, len(flagged), _BATCH_SIZE):
            yield flagged[start : start + _BATCH_SIZE]
        tags = [self.tag(issue) for issue in MaskIssue]
        tagged = [{"tags": {"$in": tags}}, {f"{self._labels.path}.tags": {"$in": tags}}]
        for ids in sample_ids(self._dataset, {"$or": tagged}, _BATCH_SIZE):
            yield [i for i in ids if i not in issues]

    def _update(self, document: Document, issues: SampleIssues) -> Update | None:
        changes: Document = {}
        tags = self._changed_tags(document.get("tags"), issues.get(None, set()))
        if tags is not None:
            changes["tags"] = tags
        labels = self._labels.documents(document)
        for index, label in enumerate(labels):
            wanted = issues.get(label["_id"], set())
            tags = self._changed_tags(label.get("tags"), wanted)
            if tags is not None:
                changes[self._labels.attribute(index, "tags")] = tags
        if not changes:
            return None
        return (
            document["_id"],
            changes,
            self._labels.guard([label["_id"] for label in labels]),
        )

    def _changed_tags(
        self, tags: list[str] | None, issues: set[MaskIssue]
    ) -> list[str] | None:
        """Returns the tags with ours as they should be, None if they are already."""
        ours = {self.tag(issue) for issue in MaskIssue}
        before = tags or []
        after = [tag for tag in before if tag not in ours]
        after += [self.tag(issue) for issue in MaskIssue if issue in issues]
        return after if set(after) != set(before) else None
