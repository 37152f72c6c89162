"""What an evaluation says beyond its totals and tables, from what it has written."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...arguments import checked
from ...fiftyone_types import SampleCollection
from ..documents import Document
from ..kept_pass import KeptPass
from .drawn_results import DrawnResults

if TYPE_CHECKING:
    import pandas as pd

    from ..figures.sources import SampleFigures


class FigureResults(DrawnResults):
    """The figures of an evaluation beyond its totals and tables."""

    def figure_tables(self) -> dict[str, Callable[[SampleCollection], pd.DataFrame]]:
        """Returns the figures that are tables, by name: how each is made of a view."""
        found: dict[str, Callable[[SampleCollection], pd.DataFrame]] = {
            "mask_centres": self.mask_centres,
            "split_drift": self.split_drift,
        }
        if self._labels is not None:
            found["co_occurrence"] = self.co_occurrence
            found["objects_per_image"] = self.objects_per_image
            found["object_shapes"] = self.object_shapes
        return found

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

    @checked
    def objects_view(
        self,
        objects: int,
        label: str | None = None,
        samples: fo.Dataset | fo.DatasetView | None = None,
    ) -> fo.DatasetView:
        """Returns the samples behind one number of :meth:`objects_per_image`.

        Args:
            objects: how many objects they have
            label: of a class, None for all
            samples: a view to restrict it to

        Raises:
            CocoMaskError: if the evaluation is of masks without labels
        """
        from ..figures.counts import has_objects

        labels = self._needed_labels("counts objects")
        return self._measured(samples).match(has_objects(labels, objects, label))

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

        from ..figures.drift import COLUMNS
        from ..figures.sources import SPLIT_DRIFT

        rows = self._of_pass(SPLIT_DRIFT, self._view(samples), self.drift_pass)
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def drift_pass(self, samples: SampleCollection | None = None) -> KeptPass | None:
        """Returns the pass of :meth:`split_drift`, to be run bit by bit.

        Args:
            samples: a view to restrict it to

        Returns:
            the pass, which has not begun; None if its sums are kept
        """
        from ..figures.sources import SPLIT_DRIFT, SplitDrift

        view = self._view(samples)
        if self._sums.has(SPLIT_DRIFT, view):
            return None
        drift = SplitDrift(self._sample_figures(), self.classes(view))
        return KeptPass(self._sums, view, drift.read(view), drift.sums)

    @abstractmethod
    def _sample_figures(self) -> SampleFigures:
        """Returns where the figures of :meth:`split_drift` are."""

    def _of_pass(
        self,
        name: str,
        view: SampleCollection,
        begin: Callable[[SampleCollection], KeptPass | None],
    ) -> Any:
        """Returns sums: what is kept, else those of a pass that is done now."""
        while (kept := self._sums.kept(name, view)) is None:
            begun = begin(view)
            found = None if begun is None else begun.run()
            if found is not None:
                return found[name]
        return kept
