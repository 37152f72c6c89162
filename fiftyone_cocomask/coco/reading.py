"""The images of a split -> records, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from .annotations import AnnotationReader
from .categories import Categories
from .counted_issues import Notes
from .document import Raw, decode
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
from .usual_annotations import ImageTexts, UsualAnnotations, usual_annotations
from .zips import ZipFiles

_MAX_SIDE = 10_000_000
# The annotations of so many images, or of so many bytes, are decoded together.
_BATCH_SIZE = 50
_BATCH_BYTES = 2**20
# Each file that is unpacked waits for the disk: 8 at a time wait a fifth as long.
_UNPACKING_THREADS = 8


@dataclass(slots=True)
class ReadPart:
    """What was found in some images of a split, read by themselves.

    Attributes:
        report: issues and counts
        notes: what is counted over the split
        normalized: the coordinates from 0 to 1
        form: how the annotations are written
        names: the files that the images are
    """

    report: ExportReport
    notes: Notes
    normalized: NormalizedCoordinates
    form: AnnotationForm
    names: set[str]

    def packed(self) -> list[Any]:
        """Returns it as plain values, for another machine."""
        return [
            self.report.packed_part(),
            self.notes.packed(),
            self.normalized.packed(),
            self.form.to_dict(),
            sorted(self.names),
        ]

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> ReadPart:
        """Returns what :meth:`packed` gave."""
        report, notes, normalized, form, names = values
        return cls(
            ExportReport.unpacked_part(report),
            Notes.unpacked(notes),
            NormalizedCoordinates.unpacked(normalized),
            AnnotationForm.from_dict(form),
            set(names),
        )


@dataclass(slots=True)
class _Waiting:
    """An image whose annotations are to be read.

    Attributes:
        entries: what the JSON lists of it
        image: its file
        texts: for each entry its annotations, undecoded; none of an unusable image
    """

    entries: list[ImageEntry]
    image: LoadedImage | UnusableImage
    texts: list[list[Raw]]

    @property
    def size(self) -> int:
        """The bytes of the texts."""
        return sum(len(memoryview(t)) for t in chain.from_iterable(self.texts))

    @property
    def only_texts(self) -> ImageTexts:
        """Its annotations if they may all be usual, else none."""
        if len(self.texts) != 1 or self.entries[0].places:
            return ImageTexts([], 1, 1)
        assert isinstance(self.image, LoadedImage)
        header = self.image.header
        return ImageTexts(self.texts[0], header.width, header.height)


class SplitReading:
    """One pass over a split: its images as records, and all the rest as issues.

    Args:
        index: the split
        categories: its categories
        report: where issues go
        unpack_to: the folder to unpack a zip's images to; None reads them in place
        listed: the files that earlier splits list
        wants_fingerprints: whether records tell their files from others
        form: what is known of how the annotations are written; nothing by default

    Attributes:
        names: the files that this split lists, as far as they are read
    """

    def __init__(
        self,
        index: SplitIndex,
        categories: Categories,
        report: ExportReport,
        unpack_to: Path | None,
        listed: Set[str],
        wants_fingerprints: bool = False,
        form: AnnotationForm | None = None,
    ) -> None:
        self.names: set[str] = set()
        self._index = index
        self._categories = categories
        self._report = report
        self._unpack_to = unpack_to
        self._notes = Notes()
        self._listed = listed
        self._wants_fingerprints = wants_fingerprints
        self._normalized = NormalizedCoordinates()
        self._annotations = AnnotationReader(
            index.name, categories, index.repeated_ids, report, self._notes, form
        )

    @property
    def form(self) -> AnnotationForm:
        """How the annotations are written, as far as they are read."""
        return self._annotations.form

    def begun_at(self, form: AnnotationForm) -> SplitReading:
        """Returns a reading of the same split by itself, for :meth:`join`.

        Args:
            form: what is known of how the annotations are written
        """
        return SplitReading(
            self._index,
            self._categories,
            ExportReport(self._report.name),
            self._unpack_to,
            self._listed,
            self._wants_fingerprints,
            form,
        )

    def part(self) -> ReadPart:
        """Returns what a reading by itself has found."""
        return ReadPart(
            self._report, self._notes, self._normalized, self.form, self.names
        )

    def join(self, part: ReadPart, *, knew_listed: bool = True) -> bool:
        """Takes what was found in the images that come next by themselves.

        Args:
            part: what was found
            knew_listed: whether it was known which files earlier splits list

        Returns:
            whether it is what reading them here finds; if not, nothing was taken
        """
        if not self.names.isdisjoint(part.names):
            return False
        if not knew_listed and not part.names.isdisjoint(self._listed):
            return False
        if not self.form.join(part.form):
            return False
        self.names |= part.names
        self._report.join(part.report)
        self._notes.join(part.notes)
        self._normalized.join(part.normalized)
        return True

    def take_groups(self) -> list[list[ImageEntry]]:
        """Returns the entries of each image, which are gone from the index."""
        groups = list(self._index.images.values())
        self._index.images.clear()
        return groups

    def images(self, groups: list[list[ImageEntry]]) -> Iterator[ImageRecord]:
        """Yields the images that can become samples, with their annotations.

        Args:
            groups: the entries of each image, which are taken from the list
        """
        is_zip = isinstance(self._index.files.images.files, ZipFiles)
        unpacks = self._unpack_to is not None and is_zip
        loaded = mapped(self._load, groups, _UNPACKING_THREADS if unpacks else 1)
        for batch in _batches(_with_texts(groups, loaded)):
            usual = usual_annotations([waiting.only_texts for waiting in batch])
            for waiting, own in zip(batch, usual, strict=True):
                image = waiting.image
                if isinstance(image, UnusableImage):
                    self._drop(waiting.entries, image)
                else:
                    yield self._record(waiting, image, own)
                if image.name is not None:
                    self.names.add(image.name)

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

    def _record(
        self, waiting: _Waiting, image: LoadedImage, usual: UsualAnnotations | None
    ) -> ImageRecord:
        header = image.header
        entries = waiting.entries
        record: ImageRecord | None = None
        for entry, texts in zip(entries, waiting.texts, strict=True):
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
                    counted=None if frame.is_identity else (frame.width, frame.height),
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
            self._annotations.read(texts, record, frame, entry.places, usual)
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
        if image.name in self.names or image.name in self._listed:
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


def _with_texts(
    groups: list[list[ImageEntry]], loaded: Iterable[LoadedImage | UnusableImage]
) -> Iterator[_Waiting]:
    """Yields images with their annotations, whose entries are taken from the list."""
    for place, image in enumerate(loaded):
        entries, groups[place] = groups[place], []
        is_usable = isinstance(image, LoadedImage)
        texts = [list(entry.annotations) for entry in entries if is_usable]
        yield _Waiting(entries, image, texts)


def _batches(images: Iterable[_Waiting]) -> Iterator[list[_Waiting]]:
    """Yields images together as long as the texts of their annotations are small."""
    batch: list[_Waiting] = []
    size = 0
    for waiting in images:
        batch.append(waiting)
        size += waiting.size
        if len(batch) == _BATCH_SIZE or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def json_size(values: dict[str, Any]) -> tuple[int, int] | None:
    """Returns the width and height that a JSON gives an image, if both are good."""
    width, height = number_of(values.get("width")), number_of(values.get("height"))
    if width is None or height is None:
        return None
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
        return None
    return round(width), round(height)
