"""An evaluation as its run has stored it: its fields, and what has changed since."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..documents import Document, ids_of, pipeline, root_dataset, whole_samples
from ..gone_fields import first_missing, missing_field_error
from ..label_lists import LabelList
from ..owned_fields import CLASSES_SUFFIX
from .out_of_date import OutOfDate, changed_samples


def field_gone_error(key: str, missing: str) -> CocoMaskError:
    """Returns what is said of an evaluation whose field is gone."""
    return missing_field_error("Mask evaluation", key, missing, "evaluate")


class StoredEvaluation(ABC):
    """What is known of an evaluation without reading its figures.

    Args:
        stored: FiftyOne's ``RunResults`` of the evaluation's run
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    is_share: ClassVar[bool]
    _value_suffix: ClassVar[str]

    def __init__(self, stored: Any) -> None:
        self._stored = stored
        self._sums = KeptSums(root_dataset(stored.samples), stored.key)

    @property
    def key(self) -> str:
        """The eval key, also after it was renamed."""
        return self._stored.key

    @property
    def samples(self) -> Any:
        """The dataset or view that was evaluated."""
        return self._stored.samples

    @property
    def mask_field(self) -> str:
        """The field of the masks."""
        return self._stored.config.mask_field

    @property
    def label_field(self) -> str | None:
        """The field of the labels, if they were evaluated."""
        return self._stored.config.label_field

    @property
    def missing_field(self) -> str | None:
        """The field of its masks, labels or figures that is not there any more."""
        return first_missing(
            root_dataset(self.samples),
            self.mask_field,
            self.label_field,
            self.value_path,
            self.label_value_path,
            self.overlap_path,
            self.classes_path,
        )

    @property
    def value_path(self) -> str:
        """The field with each sample's number."""
        return f"{self.key}_{self._value_suffix}"

    @property
    def label_value_path(self) -> str | None:
        """The field with each label's number, if it has one."""
        return None

    @property
    def overlap_path(self) -> str | None:
        """The field with each sample's overlap, if that was measured."""
        return None

    @property
    def classes_path(self) -> str | None:
        """The field that lists each sample's classes, if there is one."""
        has_classes = self._stored.config.has_classes
        return f"{self.key}_{CLASSES_SUFFIX}" if has_classes else None

    @property
    def without_number(self) -> list[dict[str, str]]:
        """The samples without a number when they were evaluated, and why.

        Dicts with ``sample_id``, ``filepath`` and ``reason``; at most 1,000.
        """
        return self._stored.without_number

    def out_of_date(self, samples: SampleCollection | None = None) -> OutOfDate | None:
        """Returns what has changed since the evaluation, None if nothing has.

        Masks that were drawn again and labels that were edited, added or deleted
        count; mask files that others have written over do not. Evaluate again under
        the same key to bring the figures up to date.

        Args:
            samples: a view to restrict it to
        """
        found = self._changed(samples)
        changed = OutOfDate(found["masks"], found["labels"])
        return changed if changed.samples else None

    def older_masks(self, samples: SampleCollection | None = None) -> int:
        """Returns how many samples were measured with a mask older than their labels.

        Their figures mix what is old and new: compute masks, then evaluate again.

        Args:
            samples: a view to restrict it to
        """
        return int(self._changed(samples)["older_masks"])

    def ids_to_refresh(
        self, samples: SampleCollection | None = None
    ) -> list[str] | None:
        """Returns the samples of :meth:`out_of_date` and :meth:`older_masks`.

        Args:
            samples: a view to restrict it to

        Returns:
            their ids, None if they are more than 100,000
        """
        return self._changed(samples)["ids"]

    def _changed(self, samples: SampleCollection) -> Document:
        def find(view: SampleCollection) -> Document:
            return changed_samples(
                view, self.mask_field, self._labels, self.key, self.value_path
            )

        return self._sums.get("changed samples", self._covered(samples), find)

    def _covered(self, samples: SampleCollection) -> Any:
        """Returns the samples of a view that the evaluation covers."""
        if samples is None or not pipeline(self.samples):
            return self._view(samples)
        return self._view(samples).select(sorted(map(str, ids_of(self.samples))))

    @property
    def _labels(self) -> LabelList | None:
        config = self._stored.config
        if config.label_path is None:
            return None
        return LabelList(config.label_field, config.label_path)

    def _view(self, samples: SampleCollection) -> Any:
        # Figures of labels that are elsewhere by now would be none, or those of before.
        if (missing := self.missing_field) is not None:
            raise field_gone_error(self.key, missing)
        return whole_samples(self.samples if samples is None else samples)

    def _measured(self, samples: SampleCollection | None) -> Any:
        """Returns the samples that have a number."""
        return self._view(samples).match({self.value_path: {"$type": "number"}})
