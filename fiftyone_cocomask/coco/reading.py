"""The images of a split -> records, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .annotations import AnnotationReader
from .categories import Categories
from .counted_issues import Notes
from .document import decode
from .frames import Finding, frame_of
from .images import mime_type
from .issues import Action, IssueCode
from .loading import LoadedImage, UnusableImage, load_image, mapped
from .normalized import NormalizedCoordinates
from .originals import AnnotationForm, image_original
from .records import ImageRecord
from .report import ExportReport
from .shapes import number_of
from .sources import source_name, user_tags
from .splits import ImageEntry, SplitIndex
from .stored_info import fit_facts
from .zips import ZipFiles

_MAX_SIDE = 10_000_000
# Each file that is unpacked waits for the disk: 8 at a time wait a fifth as long.
_UNPACKING_THREADS = 8


class SplitReading:
    """One pass over a split: its images as records, and all the rest as issues.

    Args:
        index: the split
        categories: its categories
        report: where issues go
        unpack_to: the folder to unpack a zip's images to; None reads them in place
        listed: the files that splits list, to which this one adds its own
        wants_fingerprints: whether records tell their files from others
    """

    def __init__(
        self,
        index: SplitIndex,
        categories: Categories,
        report: ExportReport,
        unpack_to: Path | None,
        listed: set[str],
        wants_fingerprints: bool = False,
    ) -> None:
        self._index = index
        self._report = report
        self._unpack_to = unpack_to
        self._notes = Notes()
        self._listed = listed
        self._wants_fingerprints = wants_fingerprints
        self._normalized = NormalizedCoordinates()
        self._annotations = AnnotationReader(
            index.name, categories, index.repeated_ids, report, self._notes
        )

    @property
    def form(self) -> AnnotationForm:
        """How the annotations are written, as far as they are read."""
        return self._annotations.form

    def images(self, num_workers: int | None) -> Iterator[ImageRecord]:
        """Yields the images that can become samples, with their annotations."""
        groups = list(self._index.images.values())
        self._index.images.clear()
        if self._unpack_to is not None and isinstance(
            self._index.files.images.files, ZipFiles
        ):
            num_workers = max(num_workers or 0, _UNPACKING_THREADS)
        loaded = mapped(self._load, groups, num_workers)
        for place, image in enumerate(loaded):
            entries, groups[place] = groups[place], []
            if isinstance(image, UnusableImage):
                self._drop(entries, image)
            else:
                yield self._record(entries, image)
            if image.name is not None:
                self._listed.add(image.name)

    def report_rest(self) -> None:
        """Reports what belongs to no image: orphans, notes, what is true of all."""
        index = self._index
        self._annotations.drop_orphans(index.orphans)
        index.orphans = []
        self._notes.report(
            self._report, index.name, index.num_images, index.num_annotations
        )
        self._normalized.report(self._report, index.name)

    def _load(self, entries: list[ImageEntry]) -> LoadedImage | UnusableImage:
        return load_image(
            self._index.files.images,
            entries[0].file_name,
            self._unpack_to,
            self._wants_fingerprints,
        )

    def _drop(self, entries: list[ImageEntry], image: UnusableImage) -> None:
        for entry in entries:
            self._add(image.code, image.reason, Action.DROPPED, entry)
            self._annotations.drop_all(
                entry.annotations,
                IssueCode.ANNOTATION_OF_DROPPED_IMAGE,
                f"its image cannot be used: {image.reason}",
                file_name=entry.file_name,
                image_id=entry.coco_id,
            )

    def _record(self, entries: list[ImageEntry], image: LoadedImage) -> ImageRecord:
        header = image.header
        record: ImageRecord | None = None
        for entry in entries:
            values = decode(entry.raw)
            if record is None:
                extra = values.get("extra")
                record = ImageRecord(
                    self._index.name,
                    entry.coco_id,
                    entry.file_name,
                    image.path,
                    header.width,
                    header.height,
                    header.num_channels,
                    header.size_bytes,
                    mime_type(image.name),
                    user_tags(extra),
                    source_name(entry.file_name, extra),
                    source_key=entry.source,
                    fingerprint=image.fingerprint,
                )
                self._report_file(entry, image, record)
            record.issues += entry.codes
            frame, frame_finding = frame_of(header, json_size(values))
            if entry is entries[0]:
                record.original = image_original(
                    entry.raw,
                    values,
                    (header.width, header.height),
                    is_fitted=not frame.is_identity,
                    orientation=frame.orientation,
                )
                left_out = fit_facts(record)
                if left_out is not None:
                    finding = (
                        IssueCode.INFO_TOO_LARGE,
                        f"its entry has more than a sample can hold: {left_out} were "
                        "left out",
                        Action.DROPPED,
                    )
                    self._tell(finding, entry, record)
            if frame_finding is not None:
                self._tell(frame_finding, entry, record)
            before = len(record.annotations)
            self._annotations.read(entry.annotations, record, frame, entry.places)
            self._normalized.add(record, record.annotations[before:], frame)
        assert record is not None
        self._report.usable_images += 1
        if not any(entry.annotations for entry in entries):
            self._notes.add(
                IssueCode.IMAGE_WITHOUT_ANNOTATIONS, record.file_name, record.coco_id
            )
        return record

    def _report_file(
        self, entry: ImageEntry, image: LoadedImage, record: ImageRecord
    ) -> None:
        if image.found.difference is not None:
            finding = (
                IssueCode.IMAGE_NAME_DIFFERS,
                f"it is taken to be '{image.name}', whose name differs in "
                f"{image.found.difference}",
                Action.REPAIRED,
            )
            self._tell(finding, entry, record)
        elif not image.found.is_in_place:
            finding = (
                IssueCode.IMAGE_FOUND_ELSEWHERE,
                f"it lies at '{image.name}'",
                Action.REPAIRED,
            )
            self._tell(finding, entry, record)
        if image.name in self._listed:
            finding = (
                IssueCode.DUPLICATE_FILE_NAME,
                f"its file '{image.name}' is that of another entry too",
                Action.KEPT,
            )
            self._tell(finding, entry, record)
        if image.header.truncated:
            finding = (
                IssueCode.IMAGE_TRUNCATED,
                f"the end of the file is missing: {image.header.size_bytes:,} bytes",
                Action.KEPT,
            )
            self._tell(finding, entry, record)
        if image.header.mode != "RGB":
            self._notes.add(
                IssueCode.IMAGE_NOT_RGB,
                entry.file_name,
                entry.coco_id,
                detail=image.header.mode,
            )

    def _tell(self, finding: Finding, entry: ImageEntry, record: ImageRecord) -> None:
        code, message, action = finding
        record.issues.append(code)
        self._add(code, message, action, entry)

    def _add(
        self, code: IssueCode, message: str, action: Action, entry: ImageEntry
    ) -> None:
        self._report.add(
            code,
            message,
            action,
            split=self._index.name,
            file_name=entry.file_name,
            image_id=entry.coco_id,
        )


def json_size(values: dict[str, Any]) -> tuple[int, int] | None:
    """Returns the width and height that a JSON gives an image, if both are good."""
    width, height = number_of(values.get("width")), number_of(values.get("height"))
    if width is None or height is None:
        return None
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
        return None
    return round(width), round(height)
