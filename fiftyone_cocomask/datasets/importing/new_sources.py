"""The sources of new images: the images before they were augmented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ...coco.issues import Action, IssueCode
from ...coco.report import ExportReport
from ...coco.splits import are_splits
from .identity import KnownSample


class NewSources:
    """Counts the new copies of each source, and notes the splits that they are in."""

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._splits: dict[str, set[str]] = {}

    def __contains__(self, source_key: str | None) -> bool:
        """Whether there are new copies of a source."""
        return source_key in self._numbers

    @property
    def numbers(self) -> Mapping[str, int]:
        """How many new copies each source has."""
        return self._numbers

    def add(self, split: str, source_key: str | None) -> None:
        """Takes a new image.

        Args:
            split: its split
            source_key: what the copies of its source have in common; None for no copy
        """
        if source_key is not None:
            self._numbers[source_key] += 1
            self.add_split(split, source_key)

    def add_split(self, split: str, source_key: str | None) -> None:
        """Takes an image that is not new, but in another split than before."""
        if source_key is not None:
            self._splits.setdefault(source_key, set()).add(split)

    def report_leakage(
        self, known: Iterable[KnownSample], report: ExportReport
    ) -> None:
        """Reports sources of new images that the dataset has in other splits.

        Args:
            known: the samples of the dataset, matched with all images of the export
            report: the report of the import
        """
        counts = [split["images"] for split in report.splits.values()]
        if len(counts) > 1 and not are_splits(counts):
            return
        found: dict[str, dict[str, str]] = {}
        for sample in known:
            source = sample.source_key
            if source in self._splits and not sample.is_matched:
                places = found.setdefault(str(source), {})
                places.setdefault(str(sample.split), str(sample.file_name))
        for source, places in found.items():
            splits = sorted({*places, *self._splits[source]})
            if len(splits) > 1:
                examples = ", ".join(f"{split}/{n}" for split, n in places.items())
                report.add(
                    IssueCode.SOURCE_IN_SEVERAL_SPLITS,
                    f"with what the dataset has already ({examples}), copies of "
                    f"'{source}' lie in the splits {', '.join(splits)}",
                    Action.KEPT,
                )
