"""One split of an export: its JSON indexed by image, nothing decoded for good."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, overload
from urllib.parse import unquote, urlsplit

import msgspec
import numpy as np

from ..words import number_or_type, shortened, type_name
from .document import Document, Raw, decode, normal_id
from .files import UnsafeNameError, checked_name
from .issues import Action, IssueCode
from .large_json import LargeList
from .layout import SplitFiles
from .originals import header_text
from .records import CocoId
from .repeated_keys import repeated_keys
from .report import ExportReport
from .sources import source_key

_Skim = msgspec.defstruct(
    "_Skim",
    [("id", Any, None), ("image_id", Any, None), ("category_id", Any, None)],
    gc=False,
)
_skim_decoder = msgspec.json.Decoder(_Skim)
# train, valid, test: where there are more, they are perhaps no splits.
_MOST_SPLITS = 3


class AnnotationTexts(Sequence[Raw]):
    """The annotations of an image, undecoded, in the list of all of its split.

    Args:
        texts: all annotations of the split; in a large JSON each is read when it is
            asked for

    Attributes:
        places: where in that list they are
    """

    __slots__ = ("_texts", "places")

    def __init__(self, texts: Sequence[Raw]) -> None:
        self._texts = texts
        self.places = array("q")

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, number: int) -> Raw: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[Raw]: ...

    def __getitem__(self, number: int | slice) -> Raw | Sequence[Raw]:
        if isinstance(number, slice):
            return entries_at(self._texts, self.places[number])
        return self._texts[self.places[number]]

    def __iter__(self) -> Iterator[Raw]:
        return iter(entries_at(self._texts, self.places))


def entries_at(texts: Sequence[Raw], places: Sequence[int]) -> list[Raw]:
    """Returns the entries of a list at some ascending places.

    Args:
        texts: the list; in a large JSON, places that follow on are read together
        places: the places
    """
    if isinstance(texts, LargeList):
        return texts.at(places)
    return [texts[place] for place in places]


@dataclass(slots=True)
class ImageEntry:
    """An image as a JSON lists it.

    Attributes:
        raw: the entry, undecoded
        coco_id: its id
        file_name: its file name
        source: what the copies of its source have in common
        annotations: its annotations, undecoded
        places: where in the JSON's list they are, if they are not there image by image
        number: its own place in the JSON's list
        codes: the codes of what was found when the JSON was indexed
    """

    raw: Raw
    coco_id: CocoId
    file_name: str
    source: str | None
    annotations: AnnotationTexts
    places: array[int] = field(default_factory=lambda: array("q"))
    number: int = 0
    codes: list[IssueCode] = field(default_factory=list)


class SplitIndex:
    """A split's images with their annotations.

    Args:
        files: the split's files
        report: where issues go

    Attributes:
        name: the split's name
        files: its files
        info: the JSON's ``info``
        licenses: the JSON's ``licenses``
        header: all of the JSON but its images and annotations, as JSON text
        category_entries: the JSON's ``categories``, None if it has none
        num_images: the number of images that the JSON lists
        num_annotations: the number of annotations that it lists
        images: for each file name the entries that list it, nearly always one
        annotation_texts: all of its annotations, undecoded
        orphans: annotations of no image, undecoded
        used_ids: how many annotations refer to each category id
        repeated_ids: the ids that several annotations have

    Raises:
        ExportError: if the JSON is not a COCO JSON
    """

    def __init__(self, files: SplitFiles, report: ExportReport) -> None:
        self.name = files.name
        self.files = files
        self._report = report
        document = files.document()
        self.info = document.info
        self.licenses = document.licenses
        self.category_entries = document.categories
        self.header, left_out = header_text(document.parts)
        self.num_images = len(document.images)
        self.num_annotations = len(document.annotations)
        if document.repaired is not None:
            report.add(
                IssueCode.TEXT_REPAIRED,
                f"{files.json_name} holds {document.repaired}; the character U+FFFD "
                "replaces them",
                Action.REPAIRED,
                split=self.name,
            )
        self._report_document(document)
        for key in left_out:
            report.add(
                IssueCode.KEY_TOO_LARGE,
                f"'{shortened(key)}' of {files.json_name} is too large to be kept for "
                "writing the export back",
                Action.DROPPED,
                split=self.name,
            )
        self.images: dict[str, list[ImageEntry]] = {}
        self.annotation_texts = document.annotations
        self._by_id: dict[CocoId, ImageEntry] = {}
        self._index_images(document)
        files.images.expect(entries[0].file_name for entries in self.images.values())
        self.orphans: list[Raw] = []
        self.used_ids: Counter[CocoId | None] = Counter()
        self.repeated_ids: frozenset[CocoId] = frozenset()
        self._index_annotations(document)
        self._report_case()

    def take_images(self) -> Iterator[list[ImageEntry]]:
        """Yields the entries of each image, which are gone from here afterwards."""
        self._by_id.clear()
        for file_name in list(self.images):
            yield self.images.pop(file_name)

    def _report_document(self, document: Document) -> None:
        path = self.files.json_name
        for repeated in document.repeated:
            self._report.add(
                IssueCode.DUPLICATE_KEY,
                f"in {path} {repeated}",
                Action.REPAIRED,
                split=self.name,
            )
        if not document.has_annotations:
            self._report.add(
                IssueCode.ANNOTATIONS_MISSING,
                f"{path} has no 'annotations', so images without objects: "
                f"{self.num_images:,}",
                Action.KEPT,
                split=self.name,
            )

    def _index_images(self, document: Document) -> None:
        for number, raw in enumerate(document.images):
            entry = self._image_entry(raw, document.annotations)
            if entry is None:
                continue
            entry.number = number
            first = self._by_id.setdefault(entry.coco_id, entry)
            if first is not entry:
                self._report_duplicate_id(entry, first)
                continue
            same_file = self.images.setdefault(_file_key(entry.file_name), [])
            if same_file:
                self._tell(
                    IssueCode.DUPLICATE_FILE_NAME,
                    f"images {same_file[0].coco_id} and {entry.coco_id} are the same "
                    "file; their annotations are put together",
                    Action.REPAIRED,
                    entry,
                )
            same_file.append(entry)

    def _image_entry(self, raw: Raw, annotations: Sequence[Raw]) -> ImageEntry | None:
        value = decode(raw)
        if not isinstance(value, dict):
            self._malformed(
                f"an entry of 'images' is {type_name(value)}, not an object"
            )
            return None
        coco_id, file_name = normal_id(value.get("id")), _file_name(value)
        if not isinstance(file_name, str) or not file_name.strip():
            what = "empty" if isinstance(file_name, str) else type_name(file_name)
            self._malformed(
                f"its file_name is {what}, not the name of a file",
                image_id=coco_id,
            )
            return None
        if coco_id is None:
            self._malformed(
                f"its id is {number_or_type(value.get('id'))}, so no annotation can "
                "refer to it",
                file_name=file_name,
            )
            return None
        entry = ImageEntry(
            raw,
            coco_id,
            file_name,
            source_key(file_name, value.get("extra")),
            AnnotationTexts(annotations),
        )
        for key in repeated_keys(raw, value):
            self._tell(
                IssueCode.DUPLICATE_KEY,
                f"its entry has '{shortened(key)}' twice; the last one counts",
                Action.REPAIRED,
                entry,
            )
        return entry

    def _report_duplicate_id(self, entry: ImageEntry, first: ImageEntry) -> None:
        if entry.file_name == first.file_name:
            self._tell(
                IssueCode.DUPLICATE_FILE_NAME,
                "the JSON lists it twice with the same id; it counts once",
                Action.REPAIRED,
                first,
            )
            return
        first.codes.append(IssueCode.DUPLICATE_IMAGE_ID)
        self._tell(
            IssueCode.DUPLICATE_IMAGE_ID,
            f"it has the id {entry.coco_id} of '{first.file_name}', which the "
            "annotations of this id go to; nothing tells which of them are this "
            "image's",
            Action.DROPPED,
            entry,
        )

    def _index_annotations(self, document: Document) -> None:
        numbers = array("q")
        texts: Counter[str] = Counter()
        is_by_image, last = True, 0
        for place, raw in enumerate(document.annotations):
            coco_id, image_id, category_id = _skim(raw)
            image = self._by_id.get(image_id) if image_id is not None else None
            if image is None:
                self.orphans.append(raw)
                continue
            image.annotations.places.append(place)
            is_by_image &= image.number >= last
            last = image.number
            self.used_ids[category_id] += 1
            if isinstance(coco_id, int):
                numbers.append(coco_id)
            elif coco_id is not None:
                texts[coco_id] += 1
        repeated = {text for text, number in texts.items() if number > 1}
        self.repeated_ids = frozenset({*_repeated(numbers), *repeated})
        for entry in self._by_id.values():
            entry.places = _NO_PLACES if is_by_image else entry.annotations.places

    def _report_case(self) -> None:
        folded: dict[str, ImageEntry] = {}
        for entries in self.images.values():
            entry = entries[0]
            first = folded.setdefault(entry.file_name.casefold(), entry)
            if first is not entry:
                self._tell(
                    IssueCode.FILE_NAMES_DIFFER_IN_CASE,
                    f"its name differs from '{first.file_name}' only in case; on some "
                    "systems that is one file",
                    Action.KEPT,
                    entry,
                )

    def _malformed(
        self,
        message: str,
        file_name: str | None = None,
        image_id: CocoId | None = None,
    ) -> None:
        self._report.add(
            IssueCode.IMAGE_MALFORMED,
            message,
            Action.DROPPED,
            split=self.name,
            file_name=file_name,
            image_id=image_id,
        )

    def _tell(
        self, code: IssueCode, message: str, action: Action, entry: ImageEntry
    ) -> None:
        entry.codes.append(code)
        self._report.add(
            code,
            message,
            action,
            split=self.name,
            file_name=entry.file_name,
            image_id=entry.coco_id,
        )


def _repeated(numbers: array[int]) -> list[int]:
    """Returns the numbers that are there more than once."""
    if not numbers:
        return []
    ordered = np.sort(np.frombuffer(numbers, np.int64))
    repeated: list[int] = np.unique(ordered[1:][ordered[1:] == ordered[:-1]]).tolist()
    return repeated


_NO_PLACES: array[int] = array("q")


def _file_name(image: dict[str, Any]) -> Any:
    """Returns the name of an image's file.

    LVIS gives no ``file_name`` but the ``coco_url`` of an image of COCO, whose end is
    the file's folder and name.
    """
    url = image.get("coco_url")
    if "file_name" in image or not isinstance(url, str):
        return image.get("file_name")
    try:
        path = urlsplit(url).path
    except ValueError:  # Its host is none; the end may be a name all the same.
        path = url
    return "/".join(PurePosixPath(unquote(path)).parts[-2:])


def image_names(document: Document) -> frozenset[str]:
    """Returns the names of the images that a JSON lists, as an index has them."""
    entries = map(decode, document.images)
    names = (_file_name(entry) for entry in entries if isinstance(entry, dict))
    return frozenset(_file_key(name) for name in names if isinstance(name, str))


def _file_key(file_name: str) -> str:
    """Returns what different ways to write a file's name have in common."""
    try:
        return checked_name(file_name)
    except UnsafeNameError:
        return file_name


def _skim(raw: Raw) -> tuple[CocoId | None, CocoId | None, CocoId | None]:
    """Returns the id, the image's id and the category's id of an annotation."""
    try:
        skim: Any = _skim_decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        value = decode(raw)
        if not isinstance(value, dict):
            return None, None, None
        return (
            normal_id(value.get("id")),
            normal_id(value.get("image_id")),
            normal_id(value.get("category_id")),
        )
    return normal_id(skim.id), normal_id(skim.image_id), normal_id(skim.category_id)


def are_splits(images: Sequence[int]) -> bool:
    """Whether JSONs divide images among them, and not describe one each.

    Programs that write a JSON for each image have no splits in mind: two copies of a
    source in two of those are not leakage.

    Args:
        images: the number of images of each
    """
    of_one_image = sum(number <= 1 for number in images)
    is_one_each = len(images) > _MOST_SPLITS and 2 * of_one_image > len(images)
    return len(images) > 1 and not is_one_each
