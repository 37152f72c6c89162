"""What an evaluation found: tables, totals and plots, always as the fields are now.

Tables are made from the evaluation's fields when they are asked for, by MongoDB, and
can be restricted to a view.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone as fo

from ...fiftyone_types import SampleCollection
from ..documents import Document, has_samples, root_dataset, stream_documents
from ..figures.histogram import Histogram, Scale, field_histogram
from ..masks.field import mask_options
from ..measuring.measure import NO_LABEL
from ..split_names import split_of, split_paths
from .figure_results import FigureResults

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


# The name of the sums that each evaluation has.
TOTALS = "samples"


class MaskEvaluation(FigureResults):
    """The results of an evaluation.

    Means are given in two ways: *over images*, where each image counts the same, and
    *over pixels*, where each counts as much as it has pixels.

    Args:
        stored: FiftyOne's ``RunResults`` of the evaluation's run
    """

    @abstractmethod
    def summary(self, samples: SampleCollection | None = None) -> dict[str, Any]:
        """Returns the totals and means; see the subclass for their definitions."""

    @abstractmethod
    def per_split(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns the figures of :meth:`summary` for each split, one a row."""

    @abstractmethod
    def per_class(
        self, samples: SampleCollection | None = None, *, by_split: bool = False
    ) -> pd.DataFrame:
        """Returns the figures of each class, one a row, or one a split and class."""

    def per_sample(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns the figures of each sample, one a row, in the order of the view.

        Args:
            samples: a view to restrict them to
        """
        import pandas as pd

        view = self._view(samples)
        columns = self._sample_columns()
        rows = []
        for documents in stream_documents(
            view, ["filepath", *split_paths(view), *columns.values()]
        ):
            for document in documents:
                row = {
                    "sample_id": str(document["_id"]),
                    "filepath": document["filepath"],
                    "split": split_of(document),
                }
                row |= {name: document.get(path) for name, path in columns.items()}
                rows.append(row)
        names = ["sample_id", "filepath", "split", *columns]
        return pd.DataFrame(rows, columns=names)

    def tables(self) -> dict[str, Callable[[SampleCollection], pd.DataFrame]]:
        """Returns the tables that there are, by name: how each is made of a view."""

        def classes(view: SampleCollection) -> pd.DataFrame:
            return self.per_class(view, by_split=True)

        return {
            "samples": self.per_sample,
            "classes": classes,
            "splits": self.per_split,
        }

    def compare_splits(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns how each split differs from ``train``, or else the largest one.

        ``distance`` is the Kolmogorov-Smirnov distance of the samples' numbers, 0 for
        the same distribution and 1 for such that do not overlap; a split is ``alike``
        as long as that is within ``limit``, which two halves of one dataset exceed
        once in 20 times. Augmented copies of one source count as one in it; splits of
        fewer than 8 sources are too small to tell. ``class_distance`` is the total
        variation distance of the classes' shares of the foreground, 0..1;
        ``missing_classes`` are those of the other split that this one lacks; ``text``
        says it in words.

        Args:
            samples: a view to restrict it to
        """
        from .splits import SplitValues, split_comparison

        view = self._view(samples)
        classes = self.per_class(view, by_split=True)
        splits = self.per_split(view)["split"].tolist() if has_samples(view) else []
        return split_comparison(SplitValues(view, self.value_path), classes, splits)

    def classes(self, samples: SampleCollection | None = None) -> list[str]:
        """Returns the names of the classes, as :meth:`per_class` has them."""
        table = self.per_class(samples)
        return [] if table.empty else table["class"].tolist()

    def histogram(
        self,
        samples: SampleCollection | None = None,
        *,
        of_labels: bool = False,
        bins: int = 20,
        scale: Scale = "linear",
    ) -> Histogram:
        """Returns how the numbers of the samples, or of the labels, are distributed.

        Args:
            samples: a view to restrict it to
            of_labels: whether to count labels, where they have a number
            bins: the number of bins
            scale: ``"linear"`` or ``"log"``
        """
        path = (self.label_value_path if of_labels else None) or self.value_path

        def count(view: SampleCollection) -> Document:
            return field_histogram(view, path, bins=bins, scale=scale).to_dict()

        name = f"histogram of {path}, {bins} {scale} bins"
        return Histogram.from_dict(self._sums.get(name, self._view(samples), count))

    def class_view(
        self, label: str, samples: SampleCollection | None = None
    ) -> fo.DatasetView:
        """Returns the samples that :meth:`per_class` counts as a class's images."""
        view = self._view(samples)
        path = self._stored.config.label_path
        if self.label_value_path is not None and path is not None:
            wanted = None if label == NO_LABEL else label
            condition: Document = {
                "label": wanted,
                f"{self.key}_px": {"$ne": None},
            }
            if path != self.label_field:
                return view.match({path: {"$elemMatch": condition}})
            return view.match({f"{path}.{k}": v for k, v in condition.items()})
        if self.classes_path is not None:
            return view.match({f"{self.classes_path}.label": label})
        return view.match({self.value_path: {"$gt": 0}})

    def classes_view(
        self, labels: Sequence[str], samples: SampleCollection | None = None
    ) -> fo.DatasetView:
        """Returns the samples of any of some classes, as :meth:`class_view` does."""
        view = self._view(samples)
        ids = {i for name in labels for i in self.class_view(name, view).values("id")}
        return view.select(sorted(ids))

    def keep_sums(self) -> None:
        """Sums over all samples now, so that tables and plots come at once later."""
        self.summary()
        self.per_class()
        self.ids_to_refresh()
        for of_labels in {False, self.label_value_path is not None}:
            self.overview_histogram(of_labels=of_labels)

    def are_sums_kept(self, samples: SampleCollection | None = None) -> bool:
        """Whether the sums of some samples are at hand, and need not be made anew.

        Args:
            samples: a view to restrict them to
        """
        return self._sums.has(TOTALS, self._view(samples))

    def overview_histogram(
        self, samples: SampleCollection | None = None, *, of_labels: bool = False
    ) -> Histogram:
        """Returns the :meth:`histogram` that suits the evaluation, kept from its end.

        Args:
            samples: a view to restrict it to
            of_labels: whether to count labels, where they have a number
        """
        return self.histogram(
            samples, of_labels=of_labels, bins=24, scale=self._overview_scale
        )

    def plot_distribution(
        self,
        samples: SampleCollection | None = None,
        *,
        of_labels: bool = False,
        bins: int = 20,
        scale: Scale = "linear",
    ) -> go.Figure:
        """Plots :meth:`histogram`."""
        from ..figures.plots import histogram_figure

        histogram = self.histogram(samples, of_labels=of_labels, bins=bins, scale=scale)
        what = "labels" if of_labels and self.label_value_path else "samples"
        return histogram_figure(histogram, self._value_title, what)

    def plot_classes(self, samples: SampleCollection | None = None) -> go.Figure:
        """Plots the main figure of each class, one bar a class."""
        from ..figures.plots import class_figure

        table = self.per_class(samples)
        return class_figure(table, self._class_column, self._class_title)

    def plot_splits(self, samples: SampleCollection | None = None) -> go.Figure:
        """Plots the main figure of each class side by side for the splits."""
        from ..figures.plots import split_figure

        table = self.per_class(samples, by_split=True)
        return split_figure(table, self._split_column, self._split_title)

    _overview_scale: ClassVar[Scale]
    _value_title: ClassVar[str]
    _class_column: ClassVar[str]
    _class_title: ClassVar[str]
    _split_column: ClassVar[str]
    _split_title: ClassVar[str]

    @abstractmethod
    def _sample_columns(self) -> dict[str, str]:
        """Returns the columns of :meth:`per_sample` and their fields."""

    def _head(self) -> dict[str, Any]:
        return {
            "eval_key": self.key,
            "evaluation": self.kind,
            "mask_field": self.mask_field,
            "label_field": self.label_field,
        }

    def _tail(self, samples: SampleCollection) -> dict[str, Any]:
        """Returns what only the pass itself could find out, and what has changed."""
        changed = self.out_of_date(samples)
        return {
            "out_of_date": 0 if changed is None else changed.samples,
            "older_masks": self.older_masks(samples),
            "masks_of_other_size": self._stored.num_other_size,
            "changed_meanwhile": self._stored.num_changed,
            "without_number": self.without_number,
        }

    def _only_class(self) -> str:
        """Returns the name of the foreground of masks without classes."""
        made = mask_options(self._stored.samples, self.mask_field)
        targets = root_dataset(self._stored.samples).mask_targets
        own = targets.get(self.mask_field, {})
        names = [name for value, name in own.items() if value]
        is_binary = made is None or made["mode"] == "binary"
        return names[0] if is_binary and len(names) == 1 else "foreground"
