"""What a dataset has of earlier versions of an export, and this one no longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

import fiftyone as fo
from bson import ObjectId

from ...choices import OldCopies
from ...coco.check import ExportReader
from ...coco.issues import Action, IssueCode
from ...coco.report import ExportReport
from ...words import agree, count
from ..documents import (
    BATCH_SIZE,
    Document,
    change_documents,
    current_dataset,
    read_documents,
    sample_ids,
)
from ..import_base.base import SampleBase
from .identity import (
    OLD_COPY_TAG,
    KnownSample,
    KnownSamples,
    are_other_projects,
    is_version,
)
from .own_values import OwnValues, has_persons_work
from .samples import GONE_TAG, ImportRules

# Of images that an export lists and that cannot become samples.
_UNUSABLE_IMAGES = frozenset(
    {
        IssueCode.DUPLICATE_IMAGE_ID,
        IssueCode.FILE_NAME_UNSAFE,
        IssueCode.IMAGE_MALFORMED,
        IssueCode.IMAGE_MISSING,
        IssueCode.IMAGE_TOO_LARGE,
        IssueCode.IMAGE_UNREADABLE,
    }
)
# How many file names a message names.
_EXAMPLES = 3


class GoneSamples:
    """Samples that the export no longer has: told and tagged, few of them deleted.

    Args:
        dataset: the dataset, None where it is not there yet
        rules: how the import writes, which tells a person's work
        report: the import's report
        is_dry: whether nothing is written
    """

    def __init__(
        self,
        dataset: fo.Dataset | None,
        rules: ImportRules,
        report: ExportReport,
        is_dry: bool,
    ) -> None:
        self._dataset = dataset
        self._rules = rules
        self._report = report
        self._is_dry = is_dry

    def find(
        self,
        known: KnownSamples,
        reader: ExportReader,
        moved_from: Collection[str],
        is_old_copy: Callable[[KnownSample], bool],
    ) -> list[KnownSample]:
        """Returns the samples of earlier versions that the export no longer has.

        Args:
            known: the samples of the dataset, matched with all images of the export
            reader: the export
            moved_from: the splits that samples have left
            is_old_copy: whether the export has newer copies of a sample's source
        """
        total: Counter[str | None] = Counter()
        shared: Counter[str | None] = Counter()
        for sample in known:
            if sample.file_name is not None:
                total[sample.origin] += 1
                shared[sample.origin] += sample.is_matched or is_old_copy(sample)
        versions = {
            origin
            for origin, number in shared.items()
            if is_version(number, total[origin], reader.num_images)
            and not are_other_projects(origin, self._rules.project)
        }
        splits = {*reader.splits, *moved_from}
        # The export has these, though their files cannot be used this time.
        unusable = {
            issue.file_name
            for issue in self._report.issues
            if issue.code in _UNUSABLE_IMAGES
        }
        gone = [
            sample
            for sample in known
            if not sample.is_matched
            and sample.file_name is not None
            and sample.file_name not in unusable
            and sample.origin in versions
            and sample.listed_split not in reader.left_out
            and (sample.listed_split in splits or is_old_copy(sample))
        ]
        # Of an export into other fields, which another one's images never were in.
        others = self._of_other_fields(gone)
        # A person's copies of samples are of images that the export has.
        found = {sample.place for sample in known if sample.is_matched}
        return [s for s in gone if s.id not in others and s.place not in found]

    def _of_other_fields(self, samples: Sequence[KnownSample]) -> set[ObjectId]:
        """Returns the ids of samples that no import into these fields wrote."""
        found: set[ObjectId] = set()
        is_others = SampleBase.of_others(self._rules.base_fields)
        for start in range(0, len(samples), BATCH_SIZE):
            assert self._dataset is not None
            ids = [sample.id for sample in samples[start : start + BATCH_SIZE]]
            of_these = {"_id": {"$in": ids}, **is_others}
            found.update(*sample_ids(self._dataset, of_these))
        return found

    def tell(
        self, gone: Sequence[KnownSample], deleted: Collection[KnownSample] = ()
    ) -> None:
        """Tells what became of samples, and tags those that stay in the dataset.

        Args:
            gone: the samples
            deleted: those of them that :meth:`retire` has deleted
        """
        for sample in gone:
            became = f"it stays in the dataset, tagged '{GONE_TAG}'"
            if sample in deleted:
                became = f"it is an older copy, and {self._was} deleted"
            self._report.add(
                IssueCode.GONE_FROM_EXPORT,
                "the dataset has it from an earlier import, and this export does not; "
                + became,
                Action.KEPT,
                split=sample.split,
                file_name=sample.file_name,
            )
        self._tag([sample for sample in gone if sample not in deleted], [GONE_TAG])

    def retire(
        self,
        copies: Sequence[KnownSample],
        new_copies: Mapping[str, int],
        old_copies: OldCopies,
    ) -> set[KnownSample]:
        """Tags or deletes older copies of sources that were augmented again.

        Args:
            copies: the older copies
            new_copies: how many new ones each source has
            old_copies: whether they are tagged or, where no person has worked on them,
                deleted

        Returns:
            those that were deleted
        """
        deleted: list[KnownSample] = []
        sources = {sample.source_key for sample in copies}
        new = sum(new_copies[source] for source in sources if source)
        copies_of = f"of {count(len(sources), 'source')} of which the dataset has "
        if new:
            are = agree(new, "is a copy", "are copies")
            said = f"{count(new, 'new image')} {are} {copies_of}"
        else:
            said = f"the export has copies {copies_of}"
        said += f"{count(len(copies), 'older copy')}, such as " + ", ".join(
            str(s.file_name) for s in copies[:_EXAMPLES]
        )
        ids = {sample.id for sample in copies}
        if old_copies == "delete":
            touched = self._touched(copies)
            deleted = [sample for sample in copies if sample.id not in touched]
            were = self._was if len(deleted) == 1 or self._is_dry else "were"
            said += f"; {len(deleted):,} of them {were} deleted"
            if deleted and not self._is_dry:
                assert self._dataset is not None
                self._dataset.delete_samples([str(s.id) for s in deleted])
            ids = touched
            if touched:
                said += (
                    f", and {len(touched):,} that a person has worked on "
                    f"{agree(len(touched), 'is', 'are')} tagged '{OLD_COPY_TAG}'"
                )
        else:
            said += f"; these are tagged '{OLD_COPY_TAG}'"
        self._tag([s for s in copies if s.id in ids], [OLD_COPY_TAG])
        self._report.add(IssueCode.OLD_COPIES, said, Action.KEPT)
        return set(deleted)

    @property
    def _was(self) -> str:
        """How it is said that something was done, or is not as this is a dry run."""
        return "would be" if self._is_dry else "was"

    def _touched(self, samples: Sequence[KnownSample]) -> set[ObjectId]:
        """Returns the ids of the samples that a person has worked on."""
        assert self._dataset is not None
        found: set[ObjectId] = set()
        # With the fields that somebody has added since the import began.
        own = OwnValues(current_dataset(self._dataset), self._rules)
        paths = [*self._rules.paths, *own.paths]
        for start in range(0, len(samples), BATCH_SIZE):
            ids = [sample.id for sample in samples[start : start + BATCH_SIZE]]
            for document in read_documents(self._dataset, ids, paths):
                if has_persons_work(document, self._rules) or own.are_in(document):
                    found.add(document["_id"])
        return found

    def _tag(self, samples: Sequence[KnownSample], added: Sequence[str]) -> None:
        if self._is_dry or not samples:
            return

        def change(document: Document, _: datetime) -> Document:
            tags = document.get("tags") or []
            wanted = list(dict.fromkeys([*tags, *added]))
            return {} if wanted == tags else {"tags": wanted}

        for start in range(0, len(samples), BATCH_SIZE):
            ids = [sample.id for sample in samples[start : start + BATCH_SIZE]]
            change_documents(self._dataset, ids, ["tags"], change)
