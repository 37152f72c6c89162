"""The annotations of an image: read, measured together, judged, accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from ..geometry.rle import rle_area, rle_box
from ..words import count, number_or_type, shortened, type_name
from .areas import code_of_area, enclosed_area, fills_box
from .categories import Categories
from .counted_issues import Notes
from .document import Raw, decode, normal_id
from .drafts import Draft, read_draft
from .fitting import (
    MAX_STORED_BYTES,
    Judged,
    fit_outlines,
    stored_bytes,
    usual_bytes,
)
from .frames import Frame
from .issues import Action, IssueCode
from .judging import Geometry, judge
from .originals import AnnotationForm, annotation_original
from .records import Annotation, Box, CocoId, ImageRecord
from .repeated_keys import repeated_keys
from .report import ExportReport
from .ring_figures import measure_rings
from .usual_annotations import UsualAnnotations

# Only objects that cover so much of their boxes may fill them.
_NEAR = 0.12


class AnnotationReader:
    """Reads the annotations of a split, image by image.

    Each is either returned or reported as dropped, and counted in the report.

    Args:
        split: the split's name
        categories: its categories
        repeated_ids: the ids that several of its annotations have
        report: where issues go
        notes: where notes go
        form: what is known of how the split's annotations are written; nothing by
            default

    Attributes:
        form: how the split's annotations are written, as far as they are read
    """

    def __init__(
        self,
        split: str,
        categories: Categories,
        repeated_ids: frozenset[CocoId],
        report: ExportReport,
        notes: Notes,
        form: AnnotationForm | None = None,
    ) -> None:
        self._split = split
        self._categories = categories
        self._repeated_ids = repeated_ids
        self._report = report
        self._notes = notes
        self.form = form or AnnotationForm()

    def read(
        self,
        entries: Iterable[Raw],
        image: ImageRecord,
        frame: Frame,
        places: Sequence[int] = (),
        usual: UsualAnnotations | None = None,
    ) -> None:
        """Reads annotations into the record of their image.

        Args:
            entries: the annotations, undecoded
            image: the record of their image
            frame: how their coordinates map to the image
            places: where in the JSON's list they are, if that is to be kept
            usual: the same annotations, if they all are usual for the image
        """
        if usual is not None and self._read_usual(usual, image, frame):
            return
        drafts = []
        for entry, place in zip_longest(entries, places):
            draft = self._draft(entry, image)
            if draft is not None:
                draft.place = place
                drafts.append(draft)
        figures = measure_rings([ring for d in drafts for ring in d.shape.rings])
        judged: list[Judged] = []
        first = 0
        for draft in drafts:
            geometry = judge(draft, figures, first, frame)
            first += len(draft.shape.rings)
            if geometry.box is None and not geometry.has_shape:
                self._drop(draft, image)
                continue
            draft.original = self._original(draft, geometry, frame)
            judged.append((draft, geometry))
        fit_outlines(judged, MAX_STORED_BYTES - image.stored_bytes)
        segmentations: dict[bytes, Draft] = {}
        for draft, geometry in judged:
            fitting, size = self._fitting(draft, geometry, image)
            if fitting is None:
                self._drop_from_full(draft, image)
                continue
            image.stored_bytes += size
            self._tell_duplicate(draft, fitting, segmentations)
            self._note(draft, fitting, image, frame)
            image.annotations.append(_annotation(draft, fitting))
            self._report.count_imported(image.annotations[-1].label)
            if draft.findings:
                self._report_findings(draft, fitting, image)

    def _read_usual(
        self, usual: UsualAnnotations, image: ImageRecord, frame: Frame
    ) -> bool:
        """Reads annotations of which there is nothing to say; whether they are such."""
        form, listed = self.form, self._categories.is_listed
        repeated = self._repeated_ids
        if not (
            frame.is_identity
            and form.has_iscrowd is not False
            and not form.has_nested
            and all(listed(entry.category_id) for entry in usual.entries)
            and not (repeated and any(entry.id in repeated for entry in usual.entries))
        ):
            return False
        found = []
        size = 0
        for entry, box, original, ring in zip(
            usual.entries, usual.boxes, usual.originals, usual.rings, strict=True
        ):
            category = self._categories.get(entry.category_id)
            size += usual_bytes(len(ring), category) + len(original or "")
            found.append(
                Annotation(
                    entry.id,
                    entry.category_id,
                    category.name,
                    category.supercategory,
                    0,
                    entry.area,
                    box,
                    [ring],
                    None,
                    {},
                    [],
                    original,
                )
            )
        if image.stored_bytes + size > MAX_STORED_BYTES:
            return False
        form.has_iscrowd, form.has_nested = True, False
        image.stored_bytes += size
        image.annotations += found
        for annotation, area in zip(found, usual.areas, strict=True):
            self._report.count_imported(annotation.label)
            geometry = Geometry(annotation.box, annotation.rings, None, area)
            code = self._code_of_area(
                annotation.annotated_area, annotation.box, geometry, frame
            )
            if code is not None:
                self._notes.add(
                    code, image.file_name, image.coco_id, annotation.coco_id
                )
        return True

    def _fitting(
        self, draft: Draft, geometry: Geometry, image: ImageRecord
    ) -> tuple[Geometry | None, int]:
        """Returns what of an annotation its image has room for, and its bytes.

        That is all of it, or the box.
        """
        room = MAX_STORED_BYTES - image.stored_bytes
        size = stored_bytes(draft, geometry)
        if size <= room:
            return geometry, size
        box_only = Geometry(geometry.box)
        if geometry.box is None or not geometry.has_shape:
            return None, 0
        size = stored_bytes(draft, box_only)
        if size > room:
            return None, 0
        draft.tell(IssueCode.IMAGE_FULL, _full(image), Action.BOX_ONLY)
        return box_only, size

    def drop_orphans(self, entries: Iterable[Raw]) -> None:
        """Reports annotations without an image, and what is not an annotation."""
        for entry in entries:
            value = decode(entry)
            if not isinstance(value, dict):
                self.drop_all(
                    [entry], IssueCode.ANNOTATION_MALFORMED, _malformed(value)
                )
                continue
            image_id = normal_id(value.get("image_id"))
            if image_id is None:
                reason = (
                    f"its image_id is {number_or_type(value.get('image_id'))}, which "
                    "no image can have"
                )
            else:
                reason = f"no image has its image_id {image_id}"
            self.drop_all([entry], IssueCode.ANNOTATION_WITHOUT_IMAGE, reason)

    def drop_all(
        self,
        entries: Iterable[Raw],
        code: IssueCode,
        reason: str,
        *,
        file_name: str | None = None,
        image_id: CocoId | None = None,
    ) -> None:
        """Reports annotations as dropped without reading them."""
        for entry in entries:
            value = decode(entry)
            found = normal_id(value.get("id")) if isinstance(value, dict) else None
            self._report.dropped += 1
            self._report.add(
                code,
                reason,
                Action.DROPPED,
                split=self._split,
                file_name=file_name,
                image_id=image_id,
                annotation_id=found,
            )

    def _draft(self, entry: Raw, image: ImageRecord) -> Draft | None:
        value = decode(entry)
        if isinstance(value, dict):
            draft = read_draft(entry, value, self._categories)
            for key in repeated_keys(entry, value):
                draft.tell(
                    IssueCode.DUPLICATE_KEY,
                    f"it has '{shortened(key)}' twice; the last one counts",
                    Action.KEPT,
                )
            return draft
        self.drop_all(
            [entry],
            IssueCode.ANNOTATION_MALFORMED,
            _malformed(value),
            file_name=image.file_name,
            image_id=image.coco_id,
        )
        return None

    def _original(self, draft: Draft, geometry: Geometry, frame: Frame) -> str | None:
        return annotation_original(
            draft.raw,
            draft.values,
            geometry.box,
            (frame.width, frame.height) if frame.is_identity else None,
            draft.area is not None,
            draft.attributes,
            self.form,
            draft.place,
        )

    def _tell_duplicate(
        self, draft: Draft, geometry: Geometry, seen: dict[bytes, Draft]
    ) -> None:
        if draft.coco_id in self._repeated_ids:
            draft.tell(
                IssueCode.DUPLICATE_ANNOTATION_ID,
                f"other annotations of the split have the id {draft.coco_id} too",
                Action.KEPT,
            )
        key = _segmentation_key(geometry)
        if key is None:
            return
        same = seen.setdefault(key, draft)
        if same is not draft:
            category = ""
            if same.category is not draft.category:
                category = f", which is '{same.category.name}'"
            draft.tell(
                IssueCode.DUPLICATE_OBJECT,
                f"it has the very same segmentation as annotation {same.coco_id}"
                + category,
                Action.KEPT,
            )

    def _note(
        self, draft: Draft, geometry: Geometry, image: ImageRecord, frame: Frame
    ) -> None:
        codes = []
        if draft.coco_id is None:
            codes.append(IssueCode.ANNOTATION_WITHOUT_ID)
        if draft.iscrowd:
            codes.append(IssueCode.CROWD)
        if len(geometry.rings) > 1:
            codes.append(IssueCode.MULTI_PART)
        if "keypoints" in draft.values:
            codes.append(IssueCode.KEYPOINTS)
        code = self._code_of_area(draft.area, draft.box, geometry, frame)
        if code is not None:
            codes.append(code)
        if draft.renamed:
            names = ", ".join(
                f"'{shortened(name)}' is '{shortened(safe)}'"
                for name, safe in list(draft.renamed.items())[:3]
            )
            self._notes.add(
                IssueCode.ATTRIBUTE_RENAMED,
                image.file_name,
                image.coco_id,
                draft.coco_id,
                detail=names,
            )
        for code in codes:
            self._notes.add(code, image.file_name, image.coco_id, draft.coco_id)

    def _code_of_area(
        self, stated: float | None, box: Box | None, geometry: Geometry, frame: Frame
    ) -> IssueCode | None:
        area = geometry.area
        if stated is None or stated < 0 or area is None:
            return None
        box_area = None if box is None else box[2] * box[3]
        if box_area is not None and abs(box_area - area) <= _NEAR * box_area:
            fills = _fills_box(geometry)
            self._notes.count_stated_area(fills_box=fills)
            if fills:
                box_area = None
        elif box_area is not None:
            self._notes.count_stated_area(fills_box=False)
        code = code_of_area(stated, area, box_area)
        is_sum = code is IssueCode.AREA_DIFFERS or len(geometry.rings) > 1
        if code is not None and geometry.rings and is_sum:
            # Rings may lie over each other, or cross themselves.
            area = enclosed_area(geometry.rings) * frame.area_factor
            code = code_of_area(stated, area, box_area)
        return code

    def _drop(self, draft: Draft, image: ImageRecord) -> None:
        self._report.dropped += 1
        for code, message, _ in draft.findings:
            self._add(
                code, f"{message}; nothing is left of it", Action.DROPPED, draft, image
            )
            image.issues.append(code)

    def _drop_from_full(self, draft: Draft, image: ImageRecord) -> None:
        self._report.dropped += 1
        self._add(
            IssueCode.IMAGE_FULL,
            _full(image),
            Action.DROPPED,
            draft,
            image,
        )
        image.issues.append(IssueCode.IMAGE_FULL)

    def _report_findings(
        self, draft: Draft, geometry: Geometry, image: ImageRecord
    ) -> None:
        has_shape = geometry.has_shape
        for code, message, action in draft.findings:
            # A ring of one or two points encloses nothing that could be lost.
            is_loss = action is None and code is not IssueCode.RING_TOO_SHORT
            if action is None:
                action = Action.REPAIRED if has_shape else Action.BOX_ONLY
                message += "; " + (
                    "it was left out" if has_shape else "its box is kept"
                )
            self._add(code, message, action, draft, image, is_loss=is_loss)

    def _add(
        self,
        code: IssueCode,
        message: str,
        action: Action,
        draft: Draft,
        image: ImageRecord,
        *,
        is_loss: bool = False,
    ) -> None:
        self._report.add(
            code,
            message,
            action,
            split=self._split,
            file_name=image.file_name,
            image_id=image.coco_id,
            annotation_id=draft.coco_id,
            is_loss=is_loss,
        )


def _full(image: ImageRecord) -> str:
    before = len(image.annotations)
    what = (
        f"it and the {count(before, 'annotation')} before it are" if before else "it is"
    )
    return (
        f"{what} more than the database can hold of one sample; split the image into "
        "tiles"
    )


def _malformed(value: Any) -> str:
    return f"an entry of 'annotations' is {type_name(value)}, not an object"


def _annotation(draft: Draft, geometry: Geometry) -> Annotation:
    return Annotation(
        draft.coco_id,
        draft.category_id,
        draft.category.name,
        draft.category.supercategory,
        draft.iscrowd,
        draft.area,
        geometry.box,
        geometry.rings,
        geometry.rle,
        draft.attributes,
        [code for code, _, _ in draft.findings],
        draft.original,
        geometry.outline,
    )


def _fills_box(geometry: Geometry) -> bool:
    """Whether the pixels of an object fill its box, as evaluations find it too."""
    if geometry.rings:
        points = np.concatenate(geometry.rings)
        width, height = np.ptp(points, axis=0).tolist()
        return fills_box(enclosed_area(geometry.rings), width * height)
    assert geometry.rle is not None
    _, _, width, height = rle_box(geometry.rle)
    return fills_box(rle_area(geometry.rle), width * height)


def _segmentation_key(geometry: Geometry) -> bytes | None:
    """Returns bytes that are the same for the very same segmentations."""
    if len(geometry.rings) == 1:
        return geometry.rings[0].tobytes()
    if geometry.rings:
        return b"|".join(ring.tobytes() for ring in geometry.rings)
    if geometry.rle is not None:
        counts: Any = geometry.rle["counts"]
        return str(counts).encode()
    return None
