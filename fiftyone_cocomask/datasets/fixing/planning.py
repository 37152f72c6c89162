"""What is to be repaired in a sample, and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...errors import CocoMaskError
from ...geometry.objects import Canvas
from ..documents import Document
from ..issues.image_rules import ImageLabels
from ..issues.marks import IssueMarks
from ..issues.rules import CHECKED, IssueLimits, MaskIssue
from ..label_lists import LabelList
from ..labels import LabelObject
from ..masks.options import MaskOptions
from ..measuring.measure import measure_labels
from .changes import Change, neighbours
from .partners import partners_of
from .repairs import MAX_CHANGE, MAX_STRAY, NotRepairableError, ShapeRepair, pixel_box
from .report import FixReport

# The tag of labels that have to be drawn by a person.
REDRAW = "redraw"

_OF_TWO = (MaskIssue.DUPLICATE, MaskIssue.NEAR_DUPLICATE, MaskIssue.TWO_CLASSES)
_REMOVING = (MaskIssue.EMPTY, MaskIssue.TINY, *_OF_TWO)
_RESHAPING = (
    MaskIssue.OUTSIDE,
    MaskIssue.STRAY_PART,
    MaskIssue.SELF_CROSSING,
    MaskIssue.SPIKE,
)
# What says where a label is.
_OUTLINE = ("points", "bounding_box", "mask", "closed", "filled")
_TAGGING = (MaskIssue.RECTANGLE, MaskIssue.BOX_ONLY)
# The issues that have a safe repair; `leak` is one of samples.
REPAIRABLE = (
    *_REMOVING,
    *_RESHAPING,
    MaskIssue.UNFILLED,
    *_TAGGING,
    MaskIssue.LEAK,
)


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What all samples of a repair have in common.

    Attributes:
        marks: the tags of the search
        labels: where the labels are
        boxes: where the boxes of the same annotations are, or None
        issues: what to repair
        limits: the numbers in the rules of the search
        options: how labels are drawn
        prefer_classes: of two labels in two classes, the one whose class comes first
            here is kept
        score: the attribute that says how well a label lies on an edge, or None
    """

    marks: IssueMarks
    labels: LabelList
    boxes: LabelList | None
    issues: tuple[MaskIssue, ...]
    limits: IssueLimits
    options: MaskOptions
    prefer_classes: tuple[str, ...]
    score: str | None


class SampleRepair:
    """Plans the repairs of the labels of one sample.

    Args:
        plan: what to repair
        document: the sample, with its labels
        report: counts what is left as it is
    """

    def __init__(self, plan: FixPlan, document: Document, report: FixReport) -> None:
        self._plan = plan
        self._document = document
        self._report = report
        self._sample_id = str(document["_id"])
        self._labels = plan.labels.documents(document)
        self._boxes = plan.boxes.documents(document) if plan.boxes is not None else []

    def changes(self) -> list[Change]:
        """Returns the changes of the sample's labels and their boxes."""
        wanted = self._tagged(self._labels)
        changes: list[Change] = []
        if wanted:
            try:
                changes = self._label_changes(wanted)
            except CocoMaskError as error:
                for index, issues in wanted.items():
                    self._skip(self._labels[index], issues, str(error))
        changes += self._box_only_changes()
        return changes

    def _tagged(self, labels: Sequence[Document]) -> dict[int, list[MaskIssue]]:
        """Returns what is to be repaired in which labels."""
        wanted = {}
        for index, label in enumerate(labels):
            tags = label.get("tags") or ()
            issues = [i for i in self._plan.issues if self._plan.marks.tag(i) in tags]
            if issues and CHECKED in tags:
                self._skip(label, issues, f"it is tagged '{CHECKED}'")
            elif issues:
                wanted[index] = issues
        return wanted

    def _label_changes(self, wanted: dict[int, list[MaskIssue]]) -> list[Change]:
        metadata = self._document.get("metadata") or {}
        width, height = metadata.get("width"), metadata.get("height")
        if not width or not height:
            raise CocoMaskError("the size of its image is not known")
        value = self._document.get(self._plan.labels.field)
        figures = measure_labels(value, width, height, self._plan.options)
        objects = self._plan.options.objects(value, width, height)
        canvas = Canvas(height, width, self._plan.options.rasterizer)
        found = ImageLabels(objects, figures, canvas, self._plan.limits)
        found.look()
        by_index = {item.index: item for item in objects}
        removed = self._removed(wanted, found)
        changes = []
        for index in sorted({*wanted, *removed}):
            issues = wanted.get(index, [])
            if index in removed:
                changes += self._removal(index, removed[index], figures.px[index])
                continue
            changes += self._without_partner(index, issues, removed, found)
            still = self._still_there(index, issues, found)
            present = [issue for issue in still if issue not in _REMOVING]
            if present and index in by_index:
                changes += self._repair(by_index[index], present, canvas)
            elif present:
                changes += self._tagging(self._labels[index], index, present)
        return changes

    def _still_there(
        self, index: int, issues: list[MaskIssue], found: ImageLabels
    ) -> list[MaskIssue]:
        """Returns the issues that a label still has: it may have been edited since."""
        label = self._labels[index]
        has = set(found.issues.get(index, ()))
        if label.get("filled") is False:
            has.add(MaskIssue.UNFILLED)
        if index not in found.issues:
            has.add(MaskIssue.BOX_ONLY)
        gone = [issue for issue in issues if issue not in has]
        of_two = [issue for issue in gone if issue in _OF_TWO]
        alone = [issue for issue in gone if issue not in _OF_TWO]
        self._skip(label, alone, "it has been edited since the search")
        self._skip(label, of_two, "one of the two has been edited since the search")
        return [issue for issue in issues if issue in has]

    def _removed(
        self, wanted: dict[int, list[MaskIssue]], found: ImageLabels
    ) -> dict[int, list[MaskIssue]]:
        """Returns the labels to remove, with the issues that each goes for."""
        removed: dict[int, list[MaskIssue]] = defaultdict(list)
        for index, issues in wanted.items():
            for issue in (MaskIssue.EMPTY, MaskIssue.TINY):
                if issue in issues and issue in found.issues.get(index, ()):
                    removed[index].append(issue)
        for issue, a, b in found.pairs:
            if issue is MaskIssue.CONTAINED or a in removed or b in removed:
                continue
            if issue not in (*wanted.get(a, ()), *wanted.get(b, ())):
                continue
            worse = self._worse(a, b)
            if worse is None:
                reason = "it is in two classes; say which one to prefer"
                for index in (a, b):
                    if issue in wanted.get(index, ()):
                        self._skip(self._labels[index], [issue], reason)
                continue
            if CHECKED in (self._labels[worse].get("tags") or ()):
                self._skip(self._labels[worse], [issue], f"it is tagged '{CHECKED}'")
                continue
            removed[worse].append(issue)
        return dict(removed)

    def _worse(self, a: int, b: int) -> int | None:
        """Returns which of two labels to remove, None if a person has to say."""
        one, other = self._labels[a], self._labels[b]
        if one.get("label") != other.get("label"):
            order = self._plan.prefer_classes
            ranks = [
                order.index(label["label"]) if label.get("label") in order else None
                for label in (one, other)
            ]
            if ranks[0] is None and ranks[1] is None:
                return None
            if ranks[1] is None or (ranks[0] is not None and ranks[0] < ranks[1]):
                return b
            return a
        checked = [CHECKED in (label.get("tags") or ()) for label in (one, other)]
        if checked[0] != checked[1]:
            return a if checked[1] else b
        score = self._plan.score
        scores = [label.get(score) if score else None for label in (one, other)]
        if None not in scores and scores[1] > scores[0]:  # type: ignore[operator]
            return a
        return b

    def _without_partner(
        self,
        index: int,
        issues: list[MaskIssue],
        removed: dict[int, list[MaskIssue]],
        found: ImageLabels,
    ) -> list[Change]:
        """Returns the change of a label whose issue went with the other of a pair."""
        gone = {
            issue
            for issue, a, b in found.pairs
            if issue in issues and index in (a, b) and (a in removed or b in removed)
        }
        if not gone:
            return []
        label = self._labels[index]
        change = self._change(self._plan.labels, label, index, [], "kept")
        change.tags_removed = [self._plan.marks.tag(issue) for issue in sorted(gone)]
        return [change]

    def _removal(
        self, index: int, issues: list[MaskIssue], px: int | None
    ) -> list[Change]:
        label = self._labels[index]
        changes = [self._removed_label(self._plan.labels, label, index, issues, px)]
        for place, box in self._boxes_of(label):
            assert self._plan.boxes is not None
            gone = self._removed_label(self._plan.boxes, box, place, [], None)
            gone.follows = changes[0].label_id
            changes.append(gone)
        return changes

    def _removed_label(
        self,
        labels: LabelList,
        label: Document,
        index: int,
        issues: list[MaskIssue],
        px: int | None,
    ) -> Change:
        change = self._change(labels, label, index, issues, "removed")
        own = self._labels if labels == self._plan.labels else self._boxes
        change.between = neighbours(own, index)
        change.before, change.after = label, None
        change.tags_removed = []
        change.px_before, change.px_after = px, 0 if px is not None else None
        return change

    def _repair(
        self, item: LabelObject, issues: list[MaskIssue], canvas: Canvas
    ) -> list[Change]:
        """Returns the change of a label that keeps its place, and of its box."""
        label = self._labels[item.index]
        tagging = [issue for issue in issues if issue in _TAGGING]
        changes = []
        if tagging:
            changes += self._tagging(label, item.index, tagging)
        after: Document = {}
        done: list[MaskIssue] = []
        action = "filled"
        geometry = item.geometry
        px: tuple[int, int] | None = None
        if MaskIssue.UNFILLED in issues:
            after |= {"closed": True, "filled": True}
            done.append(MaskIssue.UNFILLED)
        reshaping = [issue for issue in issues if issue in _RESHAPING]
        for issue in reshaping:
            repair = ShapeRepair(label, geometry, canvas, self._plan.limits)
            try:
                made = repair.repaired([issue])
                before, now, share = repair.change(made)
                is_stray = issue is MaskIssue.STRAY_PART
                if share > (MAX_STRAY if is_stray else MAX_CHANGE):
                    raise NotRepairableError(
                        f"its mask would change by {share:.1%} of its pixels"
                    )
            except NotRepairableError as error:
                self._skip(label, [issue], str(error))
                continue
            geometry, action = made, "reshaped"
            px = (px[0] if px else before, now)
            after |= repair.attributes(made)
            done.append(issue)
        if not done:
            return changes
        change = self._change(self._plan.labels, label, item.index, done, action)
        change.after = after
        change.before = {name: label.get(name) for name in after}
        if px is not None:
            change.px_before, change.px_after = px
            if "bounding_box" not in label:
                changes += self._moved_boxes(label, pixel_box(geometry, canvas))
        return [change, *changes]

    def _moved_boxes(self, label: Document, box: list[float]) -> list[Change]:
        changes = []
        for place, document in self._boxes_of(label):
            assert self._plan.boxes is not None
            change = self._change(self._plan.boxes, document, place, [], "box moved")
            change.follows = str(label["_id"])
            change.before = {"bounding_box": document["bounding_box"]}
            change.after = {"bounding_box": box}
            changes.append(change)
        return changes

    def _box_only_changes(self) -> list[Change]:
        """Tags the boxes of annotations that have no shape."""
        if MaskIssue.BOX_ONLY not in self._plan.issues or self._plan.boxes is None:
            return []
        changes = []
        for index, issues in self._tagged(self._boxes).items():
            changes += self._tagging(
                self._boxes[index], index, issues, self._plan.boxes
            )
        return changes

    def _tagging(
        self,
        label: Document,
        index: int,
        issues: list[MaskIssue],
        labels: LabelList | None = None,
    ) -> list[Change]:
        """Returns the change that asks for a label to be drawn anew, once."""
        if REDRAW in (label.get("tags") or ()):
            self._skip(label, issues, f"it has the tag {REDRAW} already")
            return []
        change = self._change(
            labels or self._plan.labels, label, index, issues, "tagged"
        )
        change.tags_removed = []
        change.tags_added = [REDRAW]
        return [change]

    def _change(
        self,
        labels: LabelList,
        label: Document,
        index: int,
        issues: Iterable[MaskIssue],
        action: str,
    ) -> Change:
        issues = list(issues)
        tags = label.get("tags") or ()
        ours = [self._plan.marks.tag(issue) for issue in issues]
        return Change(
            sample_id=self._sample_id,
            filepath=self._document["filepath"],
            issues=[issue.value for issue in issues],
            action=action,
            label_field=labels.field,
            label_id=str(label["_id"]),
            label=label.get("label"),
            index=index,
            outline={name: label[name] for name in _OUTLINE if name in label},
            tags_removed=[tag for tag in ours if tag in tags],
            tags_before=list(tags),
        )

    def _boxes_of(self, label: Document) -> list[tuple[int, Document]]:
        """Returns the boxes of a label's annotation, with their places."""
        found = partners_of(label, self._labels, self._boxes)
        # A box that others have a share in stays.
        if len(found) != 1 or partners_of(found[0], self._boxes, self._labels) != [
            label
        ]:
            return []
        return [(self._boxes.index(found[0]), found[0])]

    def _skip(self, label: Document, issues: Iterable[MaskIssue], reason: str) -> None:
        for issue in issues:
            self._report.skip(self._sample_id, str(label["_id"]), issue.value, reason)
