"""What an evaluation found: tables, totals and plots, always as the fields are now.

Tables are made from the evaluation's fields when they are asked for, by MongoDB, and
can be restricted to a view.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone as fo

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import Document, root_dataset, stream_documents
from ..figures.histogram import Histogram, Scale, field_histogram, histogram_view
from ..label_lists import LabelList
from ..masks.compute import mask_options
from ..measuring.measure import NO_LABEL, drawing_options
from ..split_names import split_of, split_paths, split_rank
from .stored import StoredEvaluation

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from ..figures.sources import SampleFigures

# The name of the sums that each evaluation has.
TOTALS = "samples"


class MaskEvaluation(StoredEvaluation):
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
        splits = self.per_split(view)["split"].tolist() if len(view) else []
        return split_comparison(SplitValues(view, self.value_path), classes, splits)

    def split_drift(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns how each split differs from ``train``, or else the largest one.

        A row for each split, class (``"(all)"`` for all together) and ``figure``: the
        ``coverage`` or ``area_px`` of the images' masks; of classes their coverage, or
        the ``object_area_px`` of their objects; with labels the number of
        ``objects``. ``distance`` is that of Kolmogorov and Smirnov, 0 for the same
        distribution and 1 for such that do not overlap; ``p_value`` is its
        probability in alike splits, and ``adjusted_p_value`` that for as many tests
        as rows (Benjamini and Hochberg, 1995). A split is ``alike`` while that is
        above 0.05, and ``None`` where a split has fewer than 8 source images: copies
        of one source count as one. ``text`` says it in words.

        Args:
            samples: a view to restrict it to
        """
        import pandas as pd

        from ..figures.drift import COLUMNS, drift_rows
        from ..figures.sources import source_figures

        view = self._view(samples)
        numbers = source_figures(view, self._sample_figures(), self.classes(view))
        splits = sorted(numbers.splits(), key=split_rank)
        rows = drift_rows(numbers, splits)
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def objects_per_image(
        self, samples: SampleCollection | None = None
    ) -> pd.DataFrame:
        """Returns how many images have how many objects.

        A row for each ``class`` (``"(all)"`` for all together) and number of
        ``objects`` that occurs, 0 too, with the number of ``images``. Every label of
        an image that has a number counts.

        Args:
            samples: a view to restrict it to

        Raises:
            CocoMaskError: if the evaluation is of masks without labels
        """
        import pandas as pd

        from ..figures.counts import images_by_objects

        labels = self._needed_labels("counts objects")

        def count(view: SampleCollection) -> list[Document]:
            return images_by_objects(view, labels, self.value_path)

        rows = self._sums.get("objects per image", self._view(samples), count)
        return pd.DataFrame(rows, columns=["class", "objects", "images"])

    def co_occurrence(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns which classes occur together.

        A row for each pair of classes that do: ``class``, ``other``, the ``images``
        that hold objects of both, and ``overlap_px``, the pixels that both cover. A
        class with itself has the images that hold it, and the pixels under two or more
        of its objects.

        Args:
            samples: a view to restrict it to

        Raises:
            CocoMaskError: if the evaluation is of masks without labels
        """
        import pandas as pd

        from ..figures.together import pairs_of_classes

        labels = self._needed_labels("finds classes that occur together")
        options = drawing_options(self.samples, self.mask_field, labels.field)

        def find(view: SampleCollection) -> list[Document]:
            return pairs_of_classes(view, self.mask_field, labels, options)

        view = self._measured(samples)
        rows = self._sums.get("classes together", view, find)
        names = ["class", "other", "images", "overlap_px"]
        return pd.DataFrame(rows, columns=names)

    def object_shapes(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns how the objects of each class differ in size and shape.

        A row for each ``class`` (``"(all)"`` for all together) and ``figure``, with the
        number of ``objects`` and the quantiles ``min``, ``q25``, ``median``, ``q75``
        and ``max``. Figures are counted on each object's pixels, drawn alone:
        ``area_px``, ``area_percent`` of the image, ``width_px``, ``height_px``,
        ``aspect`` (width / height), ``parts`` (which touch nowhere), ``holes``,
        ``solidity`` (area / area of the convex hull) and the outline's ``vertices``.

        Args:
            samples: a view to restrict it to

        Raises:
            CocoMaskError: if the evaluation is of masks without labels
        """
        import pandas as pd

        from ..figures.shapes import QUANTILES, shapes_of_classes

        labels = self._needed_labels("measures objects")
        options = drawing_options(self.samples, self.mask_field, labels.field)

        def measure(view: SampleCollection) -> list[Document]:
            return shapes_of_classes(view, self.mask_field, labels, options)

        rows = self._sums.get("object shapes", self._measured(samples), measure)
        return pd.DataFrame(rows, columns=["class", "figure", "objects", *QUANTILES])

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

    def bar_view(
        self, histogram: Histogram, bar: int, samples: SampleCollection | None = None
    ) -> fo.DatasetView:
        """Returns the view behind one bar of :meth:`histogram`."""
        return histogram_view(self._view(samples), histogram, bar)

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

    @abstractmethod
    def _sample_figures(self) -> SampleFigures:
        """Returns where the figures of :meth:`split_drift` are."""

    def _needed_labels(self, what: str) -> LabelList:
        labels = self._labels
        if labels is None:
            raise CocoMaskError(
                f"Mask evaluation '{self.key}' is of masks alone, and only one with a "
                f"label_field {what}; evaluate again with it"
            )
        return labels

    def _measured(self, samples: SampleCollection) -> Any:
        """Returns the samples that have a number."""
        return self._view(samples).match({self.value_path: {"$type": "number"}})

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
        names = list(targets.get(self.mask_field, {}).values())
        is_binary = made is None or made["mode"] == "binary"
        return names[0] if is_binary and len(names) == 1 else "foreground"
