"""Issues as tags of labels and samples, with a saved view for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
from bson import ObjectId
from fiftyone import ViewField as F

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import aggregate_documents, all_images, stream_documents
from ..documents.runs import delete_saved_view, save_patches_view
from ..label_lists import LabelList
from ..locks import changing_outline
from .id_lists import IdList
from .rules import CHECKED, RETIRED_ISSUES, IssueLimits, MaskIssue

# Labels are selected by their ids, this many at a time.
_BATCH_SIZE = 10_000


class FoundIssues:
    """The labels and samples that have each issue."""

    def __init__(self) -> None:
        self._labels: dict[MaskIssue, IdList] = defaultdict(IdList)
        self._samples: dict[MaskIssue, set[ObjectId]] = defaultdict(set)

    def add_label(
        self, sample_id: ObjectId, label_id: ObjectId, issue: MaskIssue
    ) -> None:
        """Adds an issue of a label."""
        self._labels[issue].append(sample_id, label_id)

    def add_sample(self, sample_id: ObjectId, issue: MaskIssue) -> None:
        """Adds an issue of a sample."""
        self._samples[issue].add(sample_id)

    def count(self, issue: MaskIssue) -> int:
        """Returns how many labels, or samples, have an issue."""
        return len(self._samples[issue] if issue.of_sample else self.labels(issue))

    def keep(self, issues: Collection[MaskIssue]) -> None:
        """Takes out all issues but some."""
        for issue in set(MaskIssue).difference(issues):
            self._labels.pop(issue, None)
            self._samples.pop(issue, None)

    def leave_out(self, labels: IdList, sample_ids: Collection[ObjectId]) -> None:
        """Takes out the issues of some labels, and those of some samples."""
        for issue, found in self._labels.items():
            self._labels[issue] = found.without(labels)
        for samples in self._samples.values():
            samples -= set(sample_ids)

    def labels(self, issue: MaskIssue) -> IdList:
        """Returns the labels of an issue, each once."""
        return self._labels[issue].distinct()

    def labels_of(self, issues: Collection[MaskIssue]) -> IdList:
        """Returns the labels of any of some issues, each once."""
        return sum((self._labels[issue] for issue in issues), IdList()).distinct()

    def samples(self, issue: MaskIssue) -> set[str]:
        """Returns the samples of an issue, by their ids."""
        return {str(sample) for sample in self._samples[issue]}


class IssueMarks:
    """The tags and saved views of one search for issues.

    Args:
        dataset: the dataset
        key: the key of the search, with which its tags and views begin
        labels: where the labels are
        boxes: where the boxes of the same annotations are, or None
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        key: str,
        labels: LabelList,
        boxes: LabelList | None = None,
    ) -> None:
        self._dataset = dataset
        self._key = key
        self._labels = labels
        self._boxes = boxes
        self._names = [*(issue.value for issue in MaskIssue), *RETIRED_ISSUES]

    def tag(self, issue: MaskIssue) -> str:
        """Returns the tag of an issue."""
        return f"{self._key}:{issue.value}"

    def view_name(self, issue: MaskIssue) -> str:
        """Returns the name of the saved view of an issue."""
        return f"{self._key}: {issue.value}"

    def list_of(self, issue: MaskIssue) -> LabelList:
        """Returns where the labels of an issue are."""
        in_boxes = issue is MaskIssue.BOX_ONLY and self._boxes is not None
        return self._boxes if in_boxes and self._boxes is not None else self._labels

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

    def set_tags(
        self, found: FoundIssues, samples: SampleCollection | None = None
    ) -> None:
        """Sets the tags of samples and labels, and removes those that are outdated.

        FiftyOne adds and removes tags one by one, so those that somebody sets at the
        same time stay.

        Args:
            found: what was found
            samples: a view whose samples alone get and lose tags; all by default
        """
        everything = all_images(self._dataset) if samples is None else samples
        for labels in self.label_lists:
            self._set_label_tags(labels, found, everything)
        present = self._tagged_samples(everything)
        for name in self._names:
            tag = f"{self._key}:{name}"
            wanted = set()
            if name not in RETIRED_ISSUES:
                wanted = found.samples(MaskIssue(name))
            if outdated := present[tag] - wanted:
                everything.select(list(outdated)).untag_samples(tag)
            if missing := wanted - present[tag]:
                everything.select(list(missing)).tag_samples(tag)

    def update_tags(
        self, found: FoundIssues, issues: Collection[MaskIssue], samples: Iterable[str]
    ) -> None:
        """Sets the tags of some samples and their labels; others keep theirs.

        Args:
            found: what was found in the samples
            issues: what was looked for; the tags of other issues stay, but those of
                labels that a person has checked
            samples: the ids of the samples
        """
        # Of a few samples, what is usual in a class is not what it is in all.
        found.keep(issues)
        some = all_images(self._dataset).select(list(samples))
        others = set(MaskIssue) - set(issues)
        for labels in self.label_lists:
            present = self._tagged_labels(labels, some)
            for issue in others:
                for sample_id, label_id in present[self.tag(issue)]:
                    found.add_label(sample_id, label_id, issue)
        tagged = self._tagged_samples(some)
        for issue in others:
            for sample_id in tagged[self.tag(issue)]:
                found.add_sample(ObjectId(sample_id), issue)
        self.leave_out_checked(found, some)
        self.set_tags(found, some)

    def tagged_samples(self, samples: SampleCollection) -> set[ObjectId]:
        """Returns which samples of a view have tags, or labels with tags."""
        found = {ObjectId(i) for x in self._tagged_samples(samples).values() for i in x}
        for labels in self.label_lists:
            for tagged in self._tagged_labels(labels, samples).values():
                found.update(tagged.sample_ids())
        return found

    def leave_out_checked(
        self, found: FoundIssues, samples: SampleCollection | None = None
    ) -> None:
        """Takes out the issues of labels and samples that a person has checked.

        Args:
            found: what was found
            samples: a view to be restricted to; all samples by default
        """
        samples = all_images(self._dataset) if samples is None else samples
        rows = aggregate_documents(
            samples, [{"$match": {"tags": CHECKED}}, {"$project": {"_id": 1}}]
        )
        found.leave_out(self._checked_labels(samples), {row["_id"] for row in rows})

    def _checked_labels(self, samples: SampleCollection) -> IdList:
        checked = IdList()
        for labels in self.label_lists:
            rows = aggregate_documents(
                samples,
                [
                    {"$match": {f"{labels.path}.tags": CHECKED}},
                    {"$project": {"label": labels.expression()}},
                    {"$unwind": "$label"},
                    {"$match": {"label.tags": CHECKED}},
                    {"$project": {"id": "$label._id"}},
                ],
            )
            for row in rows:
                checked.append(row["_id"], row["id"])
        return checked

    def remove_tags(self, progress: Any = False) -> None:
        """Removes all tags.

        Args:
            progress: whether to render a progress bar of the tags, or a function to
                call with it
        """
        everything = all_images(self._dataset)
        tags = [f"{self._key}:{name}" for name in self._names]
        of_samples = self._tagged_samples(everything)
        found = [(x, self._tagged_labels(x, everything)) for x in self.label_lists]
        total = sum(len(tagged[t]) for _, tagged in found for t in tags)
        total += sum(len(of_samples[tag]) for tag in tags)
        bar = fou.ProgressBar(total=total, progress=progress, iters_str="tags")
        with bar:
            for tag in tags:
                for labels, of_labels in found:
                    for view, number in self._selected(labels, of_labels[tag]):
                        view.untag_labels(tag, labels.field)
                        bar.update(number)
                if ids := of_samples[tag]:
                    everything.select(list(ids)).untag_samples(tag)
                    bar.update(len(ids))

    def save_views(
        self, base: Any, counts: dict[MaskIssue, int], limits: IssueLimits
    ) -> dict[MaskIssue, str]:
        """Saves a view of each issue that there is: of samples, or of labels' patches.

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
            names[issue] = self.view_name(issue)
            with changing_outline(self._dataset):
                delete_saved_view(self._dataset, names[issue])
                self._save_view(base, issue, limits.definition(issue))
        return names

    def _save_view(self, base: Any, issue: MaskIssue, description: str) -> None:
        name, labels = self.view_name(issue), self.list_of(issue)
        if issue.of_sample:
            view = base.match_tags(self.tag(issue))
            self._dataset.save_view(name, view, description=description)
            return
        view = self._labels_view(base, issue)
        if labels.is_list:
            # A tiny object is seen only where the picture is of it.
            save_patches_view(self._dataset, name, view, labels.field, description)
        else:
            self._dataset.save_view(name, view, description=description)

    def delete_views(self, keep: set[str] | None = None) -> None:
        """Deletes the saved views.

        Args:
            keep: names of views to leave alone
        """
        present = set(self._dataset.list_saved_views()) - (keep or set())
        for name in self._names:
            if f"{self._key}: {name}" in present:
                with changing_outline(self._dataset):
                    delete_saved_view(self._dataset, f"{self._key}: {name}")

    def _labels_view(self, base: Any, issue: MaskIssue) -> fo.DatasetView:
        labels, tagged = self.list_of(issue), F("tags").contains(self.tag(issue))
        if not labels.is_list:
            return base.match(F(labels.field).apply(tagged))
        return base.filter_labels(labels.field, tagged)

    @property
    def label_lists(self) -> list[LabelList]:
        """Where labels are that there is a field of."""
        lists = (self._labels, self._boxes)
        return [x for x in lists if x is not None and self._dataset.has_field(x.field)]

    def _set_label_tags(
        self, labels: LabelList, found: FoundIssues, samples: SampleCollection
    ) -> None:
        present = self._tagged_labels(labels, samples)
        for name in self._names:
            tag = f"{self._key}:{name}"
            wanted = IdList()
            if name not in RETIRED_ISSUES and self.list_of(MaskIssue(name)) == labels:
                wanted = found.labels(MaskIssue(name))
            for view, _ in self._selected(labels, present[tag].without(wanted)):
                view.untag_labels(tag, labels.field)
            for view, _ in self._selected(labels, wanted.without(present[tag])):
                view.tag_labels(tag, labels.field)

    def _selected(self, labels: LabelList, ids: IdList) -> Any:
        """Yields views of labels and their numbers."""
        everything = all_images(self._dataset)
        for some in ids.batches(_BATCH_SIZE):
            samples = list({str(sample_id) for sample_id, _ in some})
            view = everything.select(samples).select_labels(
                ids=[str(label_id) for _, label_id in some], fields=labels.field
            )
            yield view, len(some)

    def _tagged_labels(
        self, labels: LabelList, samples: SampleCollection
    ) -> dict[str, IdList]:
        """Returns the labels that have each tag."""
        found = {f"{self._key}:{name}": IdList() for name in self._names}
        tagged = samples.filter_labels(labels.field, F("tags").contains(list(found)))
        paths = [f"{labels.path}.{name}" for name in ("_id", "tags")]
        for documents in stream_documents(tagged, paths):
            for document in documents:
                for label in labels.documents(document):
                    for tag in found.keys() & set(label.get("tags") or ()):
                        found[tag].append(document["_id"], label["_id"])
        return found

    def _tagged_samples(self, samples: SampleCollection) -> dict[str, set[str]]:
        tags = [f"{self._key}:{name}" for name in self._names]
        tagged = samples.match_tags(tags)
        found: dict[str, set[str]] = defaultdict(set)
        for sample_id, its_tags in zip(*tagged.values(["id", "tags"]), strict=True):
            for tag in its_tags or ():
                found[tag].add(sample_id)
        return found
