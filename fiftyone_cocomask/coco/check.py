"""An export read from beginning to end: every image, every annotation, every issue."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ..arguments import checked
from ..errors import ExportError
from ..unfinished import remove_unfinished
from .attributes import plain_value
from .categories import Categories, KnownLabels, name_categories
from .class_findings import report_classes
from .fingerprints import file_fingerprint
from .issues import Action, IssueCode
from .layout import ExportFiles, SplitFiles, find_export
from .leakage import report_leakage
from .loading import LoadedImage, load_image
from .projects import common_facts, projects_of, report_projects
from .reading import ReadPart, SplitReading
from .records import Category, CocoId, ImageRecord
from .report import ExportReport
from .shared_reading import (
    Forked,
    Work,
    batches_of,
    join_parts,
    read_in_processes,
)
from .splits import SplitIndex, image_names
from .stored_info import check_classes, fit_info
from .unlisted import report_unlisted
from .zips import KnownMarks, ZipFiles

_MadeT = TypeVar("_MadeT")


@checked
def check_export(
    path: str | Path, *, image_dir: str | Path | None = None
) -> ExportReport:
    """Checks a COCO export. Reads only; needs no database.

    Example::

        import fiftyone_cocomask as fcm

        print(fcm.check_export("/path/to/export").summary())

    Args:
        path: the export's folder (with one ``_annotations.coco.json`` or split
            folders), its ``.zip``, or a COCO JSON file
        image_dir: where the images are; beside the JSON by default

    Returns:
        the report

    Raises:
        ExportError: if the path is not a COCO export
    """
    with ExportReader(path, image_dir=image_dir) as reader:
        for _ in reader.images():
            pass
    return reader.report


class ExportReader:
    """Reads an export once, image by image; a context manager.

    Opening it indexes all JSONs; images and annotations are decoded when their turn
    comes, so memory is a small multiple of the JSONs' size.

    Args:
        path: the export's folder, its ``.zip``, or a COCO JSON file
        image_dir: where the images are; beside the JSON by default
        splits: the splits to read; all by default
        unpack_to: the folder to unpack a zip's images to; may be set later. None reads
            them in place, and their paths name no files
        wants_fingerprints: whether records tell their files from others
        known_labels: what a dataset that it is imported into calls its categories
        known_splits: the names of the splits that this dataset has

    Attributes:
        name: the export's name
        splits: the names of its splits
        left_out: the names of the splits that are not read
        info: the name, Roboflow's facts, and each split's ``info``, ``licenses``,
            ``categories``, and what writing it back needs: its ``header`` as JSON text,
            the ``labels`` of its categories, and the ``form`` of its annotations, which
            is complete when :meth:`images` is exhausted
        projects: the projects whose exports these are, nearly always one
        roboflow: project, version, licence, export date and address, as far as known
            and true of all projects
        num_images: the number of images that the JSONs list
        categories: for each split its categories
        report: what was found; complete when :meth:`images` is exhausted
        unpack_to: the folder to unpack a zip's images to

    Raises:
        ExportError: if the path is not a COCO export, or lacks a split
    """

    def __init__(
        self,
        path: str | Path,
        *,
        image_dir: str | Path | None = None,
        splits: Sequence[str] | None = None,
        unpack_to: str | Path | None = None,
        wants_fingerprints: bool = False,
        known_labels: KnownLabels | None = None,
        known_splits: Collection[str] = (),
    ) -> None:
        self._export = find_export(path, image_dir, known_splits)
        self.name = self._export.name
        self.unpack_to = unpack_to
        self._wants_fingerprints = wants_fingerprints
        self.report = ExportReport(self.name)
        try:
            self._indexes = self._index(splits)
        except ExportError:
            self._export.close()
            raise
        self.splits = [index.name for index in self._indexes]
        left_out = [s for s in self._export.splits if s.name not in self.splits]
        self._left_out = {split.name: split for split in left_out}
        self.left_out = set(self._left_out)
        self._finders = {split.name: split.images for split in self._export.splits}
        self._names_left_out: dict[str, frozenset[str]] = {}
        self.num_images = self.report.images
        self._categories = {
            index.name: Categories(
                index.name, index.category_entries, index.used_ids, self.report
            )
            for index in self._indexes
        }
        name_categories(self._categories, self.report, known_labels or {})
        try:
            check_classes(self.name, self.used_categories())
        except ExportError:
            self._export.close()
            raise
        self.categories = {n: c.all() for n, c in self._categories.items()}
        self.report.categories = len(
            {(c.id, c.original_name) for cs in self.categories.values() for c in cs}
        )
        self.projects = projects_of(self._indexes, self._export.readmes)
        report_projects(self.projects, self.report)
        self.roboflow = common_facts(self.projects)
        self.info = self._info()
        self._fit_info()
        report_classes(self._categories, self.report)
        report_leakage(self._indexes, self.report)

    def __enter__(self) -> ExportReader:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._export.close()

    @property
    def is_zip(self) -> bool:
        """Whether the images are in a zip."""
        return isinstance(self._export.files, ZipFiles)

    @property
    def classes(self) -> list[str]:
        """The labels in use, by the ids of their categories."""
        return list(dict.fromkeys(c.name for c in self.used_categories()))

    def used_categories(self) -> list[Category]:
        """Returns the categories in use: one for each id and label."""
        used: dict[tuple[CocoId | None, str], Category] = {}
        for categories in self._categories.values():
            for category in categories.in_use():
                used.setdefault((category.id, category.name), category)
        return list(used.values())

    def all_categories(self) -> list[Category]:
        """Returns the categories listed or in use: one for each id and label."""
        found: dict[tuple[CocoId | None, str], Category] = {}
        for categories in self._categories.values():
            for category in categories.all():
                found.setdefault((category.id, category.name), category)
        return list(found.values())

    def images(self) -> Iterator[ImageRecord]:
        """Yields the images that can become samples, with their annotations.

        Can be called once. What cannot be used goes to the report.

        Raises:
            ExportError: if the folder to unpack to cannot be written to
        """
        for reading in self._readings():
            yield from reading.images(reading.take_groups())

    def made_of_images(
        self, work: Work[Any, _MadeT], forked: Forked
    ) -> Generator[_MadeT | Iterator[ImageRecord], None, None]:
        """Yields what forked processes have made of the images, batch by batch.

        Can be called once, in place of :meth:`images`. The report and all else is then
        as if one process had read them.

        Args:
            work: what is made of images where they are read
            forked: calls a function in forked processes

        Yields:
            what was made of a batch; or its images, where that has to be made here

        Raises:
            ExportError: if the folder to unpack to cannot be written to
        """
        for reading in self._readings():
            groups = reading.take_groups()
            yield from read_in_processes(reading, groups, work, forked)

    def mark(self) -> str:
        """Returns what tells the JSONs that were read from others at the same path."""
        digest = blake2b(digest_size=9)
        for index in self._indexes:
            json_mark = file_fingerprint(index.files.json_name)
            if json_mark is None and self.is_zip:
                json_mark = file_fingerprint(self._export.files.root)
            facts = index.name, index.num_images, index.num_annotations, json_mark
            digest.update(repr(facts).encode())
        return digest.hexdigest()

    def joined_images(
        self,
        size: int,
        work: Work[Any, _MadeT],
        parts: Iterator[tuple[ReadPart, _MadeT] | None],
    ) -> Generator[_MadeT | Iterator[ImageRecord], None, None]:
        """Yields what was made of the images elsewhere, as :meth:`made_of_images`.

        Args:
            size: how many images each batch had at most
            work: what is made of images
            parts: what :class:`ExportParts` gave of each batch, in their order; None
                for a batch that is to be read here
        """
        for reading in self._readings():
            groups = reading.take_groups()
            batches = batches_of(groups, size)
            yield from join_parts(
                reading, groups, batches, work, parts, knew_listed=False
            )

    def _readings(self) -> Iterator[SplitReading]:
        """Yields the splits to be read, each before the next one is begun."""
        unpack_to = None if self.unpack_to is None else Path(self.unpack_to)
        if unpack_to is not None and self.is_zip:
            remove_unfinished(unpack_to)
        read = [index.files for index in self._indexes]
        listed: set[str] = set()
        while self._indexes:
            index = self._indexes.pop(0)
            reading = SplitReading(
                index,
                self._categories[index.name],
                self.report,
                unpack_to,
                listed,
                self._wants_fingerprints,
            )
            yield reading
            listed |= reading.names
            reading.report_rest()
            form = self.info["splits"][index.name]["form"]
            form.update(reading.form.to_dict())
        report_unlisted(self._export.splits, read, listed, self.report)

    def listed_images(self) -> Iterator[tuple[str, str, str | None]]:
        """Yields split, file name and source key of the images that the JSONs list.

        Only before :meth:`images` is called. The source key is what the copies of one
        source have in common, None for no copy.
        """
        for index in self._indexes:
            for file_name, entries in index.images.items():
                yield index.name, file_name, entries[0].source

    def is_left_out(self, split: str | None, file_name: str | None) -> bool:
        """Whether an image is listed in a split that is not read."""
        files = self._left_out.get(split or "")
        if files is None:
            return False
        if files.name not in self._names_left_out:
            try:
                names = image_names(files.document())
            except ExportError:
                # It is not read: what is wrong with it costs nothing.
                names = frozenset()
            self._names_left_out[files.name] = names
        return file_name in self._names_left_out[files.name]

    def keep_unpacked(self, known_marks: KnownMarks) -> None:
        """Keeps files that a zip unpacked earlier from being overwritten.

        Args:
            known_marks: says whether a file has to stay, see :attr:`.ZipFiles`
        """
        if isinstance(self._export.files, ZipFiles):
            self._export.files.known_marks = known_marks

    def fingerprint_of(self, split: str, file_name: str) -> str | None:
        """Returns what tells an image's file from others, None if it has no file."""
        image = load_image(
            self._finders[split], file_name, unpack_to=None, wants_fingerprint=True
        )
        return image.fingerprint if isinstance(image, LoadedImage) else None

    def take_indexes(self) -> list[tuple[SplitIndex, Categories]]:
        """Returns the splits, each with its categories, for another kind of reading.

        Afterwards :meth:`images` yields nothing.
        """
        indexes, self._indexes = self._indexes, []
        return [(index, self._categories[index.name]) for index in indexes]

    def _index(self, wanted: Sequence[str] | None) -> list[SplitIndex]:
        export = self._export
        self._report_files(export)
        indexes = [
            SplitIndex(split, self.report) for split in _chosen(export.splits, wanted)
        ]
        if not indexes:
            raise ExportError(f"{export.files.root} has no split to read")
        for index in indexes:
            self.report.count_split(index.name, index.num_images, index.num_annotations)
        return indexes

    def _report_files(self, export: ExportFiles) -> None:
        for name in sorted(export.files.refused_links):
            self.report.add(
                IssueCode.LINK_REFUSED,
                f"'{name}' is a link that leads out of the export; it was not followed",
                Action.DROPPED,
            )
        for code, message, action in export.findings:
            self.report.add(code, message, action)

    def _fit_info(self) -> None:
        for split, key, is_kept in fit_info(self.info["splits"]):
            left = "has it as text only" if is_kept else "goes without it"
            self.report.add(
                IssueCode.INFO_TOO_LARGE,
                f"the '{key}' of its JSON is more than a dataset can hold beside the "
                f"rest: the dataset {left}",
                Action.KEPT if is_kept else Action.DROPPED,
                split=split,
            )

    def _info(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "path": str(self._export.files.root),
            "roboflow": dict(self.roboflow),
            "splits": {
                index.name: {
                    "info": plain_value(index.info),
                    "licenses": plain_value(index.licenses),
                    "categories": plain_value(index.category_entries or []),
                    "header": index.header,
                    "labels": [
                        [c.id, c.name] for c in self._categories[index.name].in_use()
                    ],
                    "form": {},
                }
                for index in self._indexes
            },
        }


def _chosen(splits: list[SplitFiles], wanted: Sequence[str] | None) -> list[SplitFiles]:
    """Returns the splits of these names; all of them by default."""
    if wanted is None:
        return splits
    names = {wanted} if isinstance(wanted, str) else set(wanted)
    known = [split.name for split in splits]
    unknown = sorted(names - set(known))
    if unknown:
        raise ExportError(
            f"The export has no split '{unknown[0]}'; it has {', '.join(known)}"
        )
    return [split for split in splits if split.name in names]
