"""What an evaluation says of places, pairs of classes and shapes: what needs pixels.

No evaluation draws labels again where drawing the masks has counted what it needs. One
pass makes all of these figures, on request, and they are kept until a sample changes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...geometry.places import covers_place
from ..documents import Document, root_dataset
from ..figures.covered_places import PLACES, ids_at_place
from ..figures.drawn_figures import (
    CENTRES,
    SHAPES,
    TOGETHER,
    DrawnFigures,
    FigureSource,
    heatmap_name,
    places_name,
)
from ..figures.heatmaps import MAX_PLACES, MaskReader, mean_shares
from ..kept_pass import KeptPass
from ..label_lists import LabelList
from ..masks.field import class_names
from ..measuring.measure import drawing_options
from .stored import StoredEvaluation

if TYPE_CHECKING:
    import pandas as pd


class DrawnResults(StoredEvaluation):
    """The figures of an evaluation that need the pixels of masks and labels."""

    @checked
    def keep_figures(
        self,
        samples: fo.Dataset | fo.DatasetView | None = None,
        *,
        progress: Any = None,
    ) -> None:
        """Makes the figures that need pixels, all in one pass, and keeps them.

        They are :meth:`heatmap`, :meth:`mask_centres`, :meth:`co_occurrence` and
        :meth:`object_shapes`. The first of them that is asked for does it, too, but
        shows no progress. What is kept holds until a sample is changed, added or
        deleted.

        Args:
            samples: a view to restrict it to
            progress: whether to render a progress bar (True/False), or a function to
                call with the bar. None renders one if FiftyOne's default says so
        """
        if self._sums.has(CENTRES, self._measured(samples)):
            return
        self.figure_pass(samples).run_with_bar(progress)

    def figure_pass(self, samples: SampleCollection | None = None) -> KeptPass:
        """Returns the pass of :meth:`keep_figures`, to be run bit by bit.

        Args:
            samples: a view to restrict it to

        Returns:
            the pass, which has not begun
        """
        view = self._measured(samples)
        figures = DrawnFigures(self._figure_source())
        return KeptPass(self._sums, view, figures.read(view), figures.sums)

    def are_figures_kept(self, samples: SampleCollection | None = None) -> bool:
        """Whether :meth:`keep_figures` would have nothing to do."""
        return self._sums.has(CENTRES, self._measured(samples))

    @checked
    def heatmap(
        self,
        label: str | None = None,
        size: int = PLACES,
        samples: fo.Dataset | fo.DatasetView | None = None,
    ) -> np.ndarray:
        """Returns where in the images the masks lie.

        The images are cut into places, each of the same share of the width and height.
        The number of a place is the mean, over the images that have a number, of the
        share of it that is covered: by the mask, or by what is visible of a class. So
        the mean of all places is ``mean_coverage_over_images`` of a coverage
        evaluation's ``summary``, or of its ``per_class``.

        Args:
            label: a class, None for the whole mask
            size: the number of places in each direction, at most 256
            samples: a view to restrict it to

        Returns:
            a float array of shape (size, size): rows from the top, columns from the
            left, numbers 0..1

        Raises:
            CocoMaskError: if there is no such class, or the size is out of range
        """
        masks = self._mask_reader(label, size, samples)
        if size == PLACES:
            label = None if self._is_of_masks(label) else label
            found = self._drawn(heatmap_name(label, size), samples)
            return np.zeros((size, size)) if found is None else np.array(found)

        def compute(view: SampleCollection) -> list[list[float]]:
            shares = mean_shares((mask for _, mask in masks.of(view)), size)
            return shares.tolist()

        name = heatmap_name(label, size)
        return np.array(self._sums.get(name, self._measured(samples), compute))

    @checked
    def place_view(
        self,
        row: int,
        column: int,
        label: str | None = None,
        size: int = PLACES,
        samples: fo.Dataset | fo.DatasetView | None = None,
    ) -> fo.DatasetView:
        """Returns the samples that cover a place of :meth:`heatmap`.

        Args:
            row: the row of the place, from 0 at the top
            column: its column, from 0 at the left
            label: the class, None for the whole mask
            size: the number of places in each direction
            samples: a view to restrict it to

        Raises:
            CocoMaskError: if there is no such place or class
        """
        masks = self._mask_reader(label, size, samples)
        if not (0 <= row < size and 0 <= column < size):
            raise CocoMaskError(f"row and column must be from 0 to {size - 1}")
        view, kept = self._measured(samples), None
        if size == PLACES:
            kept = self._kept_places(None if self._is_of_masks(label) else label, view)
        if kept is not None:
            ids = list(ids_at_place(kept, row, column))
        else:
            ids = [
                str(sample_id)
                for sample_id, mask in masks.of(view)
                if covers_place(mask, row, column, size)
            ]
        return self._view(samples).select(ids)

    def _kept_places(
        self, label: str | None, view: SampleCollection
    ) -> list[Document] | None:
        """Returns which samples cover which places, None if it is not all kept."""
        number = self._sums.kept(places_name(label), view)
        # Earlier versions kept all of it there.
        if not isinstance(number, int):
            return None
        parts = [self._sums.kept(places_name(label, n), view) for n in range(number)]
        return None if None in parts else parts

    def mask_centres(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns where the middle of each class lies, and how far it spreads.

        A row for the masks (``"(all)"``) and each class that covers anything, with the
        ``images`` in which it does. ``centre_x`` and ``centre_y`` are the mean position
        of what it covers, as shares of the width from the left and of the height from
        the top; ``spread_x`` and ``spread_y`` are its standard deviations. Every image
        counts with the share of it that is covered, whatever its size.

        Args:
            samples: a view to restrict it to
        """
        import pandas as pd

        names = ["class", "images", "centre_x", "centre_y", "spread_x", "spread_y"]
        return pd.DataFrame(self._drawn(CENTRES, samples) or [], columns=names)

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

        self._needed_labels("finds classes that occur together")
        names = ["class", "other", "images", "overlap_px"]
        return pd.DataFrame(self._drawn(TOGETHER, samples), columns=names)

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

        from ..figures.shapes import QUANTILES

        self._needed_labels("measures objects")
        rows = self._drawn(SHAPES, samples)
        return pd.DataFrame(rows, columns=["class", "figure", "objects", *QUANTILES])

    @abstractmethod
    def classes(self, samples: SampleCollection | None = None) -> list[str]:
        """Returns the names of the classes, as ``per_class`` has them."""

    def _drawn(self, name: str, samples: SampleCollection) -> Any:
        """Returns sums that need pixels: what is kept, else those of a pass."""
        view = self._measured(samples)

        def make(_: SampleCollection) -> Any:
            found = self.figure_pass(samples).run() or {}
            return found.get(name)

        return self._sums.get(name, view, make)

    def _figure_source(self) -> FigureSource:
        if self._labels is not None:
            options = drawing_options(self.samples, self.mask_field, self._labels.field)
            return FigureSource(self.mask_field, self._labels, options)
        names = None
        if self.classes_path is not None:
            names = class_names(root_dataset(self.samples), self.mask_field) or {}
        return FigureSource(self.mask_field, names=names)

    def _is_of_masks(self, label: str | None) -> bool:
        """Whether a class is all that the masks have."""
        has_classes = self._labels is not None or self.classes_path is not None
        return label is None or not has_classes

    def _mask_reader(
        self, label: str | None, size: int, samples: SampleCollection
    ) -> MaskReader:
        if not 1 <= size <= MAX_PLACES:
            raise CocoMaskError(f"size must be from 1 to {MAX_PLACES}, not {size}")
        if label is not None:
            known = self.classes(samples)
            if label not in known:
                raise CocoMaskError(
                    f"Mask evaluation '{self.key}' has no class '{label}' (it has "
                    f"{', '.join(known) or 'none'})"
                )
        if label is None or self._is_of_masks(label):
            return MaskReader(self.mask_field)
        source = self._figure_source()
        if source.labels is None:
            values = self._values_of(label, source.names or {})
            return MaskReader(self.mask_field, values)
        return MaskReader(
            self.mask_field, label=label, labels=source.labels, options=source.options
        )

    def _values_of(self, label: str, names: Mapping[int, str]) -> list[int]:
        """Returns the values of a class in the masks.

        Raises:
            CocoMaskError: if no mask target has its name any more
        """
        values = [value for value, name in names.items() if name == label]
        if not values and label.removeprefix("-").isdecimal():
            # A value without a name is called by its number.
            values = [int(label)]
        if not values:
            raise CocoMaskError(
                f"The mask targets of '{self.mask_field}' have no class '{label}' any "
                f"more; evaluate again under the eval_key '{self.key}'"
            )
        return values

    def _needed_labels(self, what: str) -> LabelList:
        labels = self._labels
        if labels is None:
            raise CocoMaskError(
                f"Mask evaluation '{self.key}' is of masks alone, and only one with a "
                f"label_field {what}; evaluate again with it"
            )
        return labels
