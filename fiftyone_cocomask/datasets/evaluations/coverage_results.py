"""The results of a mask coverage evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ...fiftyone_types import SampleCollection
from ..documents import Document
from ..figures.histogram import Scale
from ..figures.ratios import ratio
from ..figures.sources import SampleFigures
from . import totals as figures
from .results import TOTALS, MaskEvaluation
from .totals import over_splits, summed

if TYPE_CHECKING:
    import pandas as pd


class CoverageResults(MaskEvaluation):
    """What :func:`evaluate_mask_coverage` found; coverages are shares, 0..1."""

    kind = "coverage"
    title = "Coverage"
    is_share = True
    _value_suffix = "ratio"
    _overview_scale: ClassVar[Scale] = "linear"
    _value_title: ClassVar[str] = "Coverage (share of the image)"
    _class_column = "coverage_over_pixels"
    _class_title = "Share of all images' pixels"
    _split_column = "mean_coverage_over_images"
    _split_title = "Mean coverage over the split's images"

    @property
    def overlap_path(self) -> str | None:
        has_labels = self._stored.config.label_path is not None
        return f"{self.key}_overlap" if has_labels else None

    def summary(self, samples: SampleCollection | None = None) -> dict[str, Any]:
        """Returns the totals and means.

        - ``images``: the samples that have a number; ``images_without_number``: those
          that have none; ``empty_images``: those whose mask is all 0
        - ``foreground_px``, ``image_px``: the pixels of masks that are not 0, and of
          images; ``images_of_unknown_size`` are in neither
        - ``mean_coverage_over_images``: the mean of the images' coverages;
          ``mean_coverage_over_pixels``: foreground pixels / image pixels of all
        - ``min_coverage``, ``max_coverage``
        - with labels, ``mean_overlap_over_images``: the mean of the overlaps of images
          that have a foreground; ``mean_overlap_over_pixels``: pixels under two or more
          labels / pixels under any, of all images
        - ``out_of_date``: the samples whose masks or labels have changed since, see
          :meth:`out_of_date`; ``older_masks``: see :meth:`older_masks`
        - ``masks_of_other_size``, ``changed_meanwhile``, ``without_number``: what the
          evaluation itself reported

        Args:
            samples: a view to restrict it to
        """
        rows = self._totals(self._view(samples))
        return {**self._head(), **self._figures(summed(rows)), **self._tail(samples)}

    def per_split(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns the figures of :meth:`summary` for each split, one a row."""
        import pandas as pd

        rows = self._totals(self._view(samples))
        return pd.DataFrame(
            [{"split": row["split"], **self._figures(row)} for row in rows]
        )

    def per_class(
        self, samples: SampleCollection | None = None, *, by_split: bool = False
    ) -> pd.DataFrame:
        """Returns the figures of each class.

        ``images`` is the number of samples with the class and ``visible_px`` its
        pixels in the images, so that the classes of an image add up to its foreground.
        ``coverage_over_pixels`` is their share of all images' pixels,
        ``mean_coverage_over_images`` the mean of their shares of each image, 0 where
        the class is absent, ``mean_coverage_where_present`` that of images with the
        class, ``share_of_foreground`` their share of all classes' pixels. All images
        are those of the split, with ``by_split``.

        Args:
            samples: a view to restrict it to
            by_split: whether to give each split a row of its own
        """
        import pandas as pd

        view = self._view(samples)
        totals = self._totals(view)
        if not by_split:
            totals = [{**summed(totals), "split": None}] if totals else []
        whole = {row["split"]: row for row in totals}
        classes = self._class_rows(view, totals, by_split=by_split)
        foreground: dict[str | None, int] = {}
        for row in classes:
            known = foreground.get(row["split"], 0)
            foreground[row["split"]] = known + row["visible_px"]
        rows = []
        for row in classes:
            total = whole[row["split"]]
            figures_ = {
                "class": row["class"],
                "images": row["images"],
                "visible_px": row["visible_px"],
                "coverage_over_pixels": ratio(row["visible_px"], total["image_px"]),
                "mean_coverage_over_images": ratio(row["ratio"], total["images"]),
                "mean_coverage_where_present": ratio(row["ratio"], row["images"]),
                "share_of_foreground": ratio(
                    row["visible_px"], foreground[row["split"]]
                ),
            }
            rows.append({"split": row["split"], **figures_} if by_split else figures_)
        return pd.DataFrame(rows)

    def _sample_figures(self) -> SampleFigures:
        return SampleFigures(
            "coverage", self.value_path, self.classes_path, self._labels
        )

    def _sample_columns(self) -> dict[str, str]:
        columns = {"coverage": self.value_path}
        if self.overlap_path is not None:
            columns["overlap"] = self.overlap_path
        return columns

    def _totals(self, view: SampleCollection) -> list[Document]:
        return self._sums.get(
            TOTALS,
            view,
            lambda v: figures.coverage_totals(
                v, self.value_path, self.overlap_path, self.classes_path
            ),
        )

    def _class_rows(
        self, view: SampleCollection, totals: list[Document], *, by_split: bool
    ) -> list[Document]:
        classes_path = self.classes_path
        if classes_path is not None:
            rows = self._sums.get(
                "classes by image",
                view,
                lambda v: figures.class_totals(v, classes_path),
            )
            # As the sums beside them, in pixels of the images.
            rows = [{**row, "visible_px": row["image_px"]} for row in rows]
            return rows if by_split else over_splits(rows)
        return [
            {
                "split": row["split"],
                "class": self._only_class(),
                "images": row["images"] - row["empty_images"],
                "visible_px": row["foreground_px"],
                "ratio": row["ratio"],
            }
            for row in totals
        ]

    def _figures(self, total: Document) -> Document:
        images = total.get("images", 0)
        found = {
            "images": images,
            "images_without_number": total.get("samples", 0) - images,
            "empty_images": total.get("empty_images", 0),
            "foreground_px": total.get("foreground_px", 0),
            "image_px": total.get("image_px", 0),
            "images_of_unknown_size": total.get("unknown_size", 0),
            "mean_coverage_over_images": ratio(total.get("ratio", 0), images),
            "mean_coverage_over_pixels": ratio(
                total.get("foreground_px", 0), total.get("image_px", 0)
            ),
            "min_coverage": total.get("min"),
            "max_coverage": total.get("max"),
        }
        if self.overlap_path is not None:
            found["mean_overlap_over_images"] = ratio(
                total.get("overlap", 0), total.get("overlap_images", 0)
            )
            found["mean_overlap_over_pixels"] = ratio(
                total.get("overlap_px", 0), total.get("drawn_px", 0)
            )
        return found
