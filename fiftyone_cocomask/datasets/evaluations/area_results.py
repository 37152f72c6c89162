"""The results of a mask area evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone as fo

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import Document, stream_documents
from ..figures.histogram import Scale
from ..figures.ratios import ratio, shares
from ..figures.resized import (
    LIMITS,
    SIZES,
    How,
    ResizedObjects,
    is_below,
    resized_name,
)
from ..figures.sources import SampleFigures
from ..kept_pass import KeptPass
from ..measuring.measure import NO_LABEL
from ..split_names import split_of, split_paths
from . import totals as figures
from .results import TOTALS, MaskEvaluation
from .stated_areas import annotated_areas
from .totals import over_splits, summed

if TYPE_CHECKING:
    import pandas as pd

_OBJECT_COUNTS = ("objects", "small", "medium", "large", "hidden", "empty")


class AreaResults(MaskEvaluation):
    """What :func:`evaluate_mask_area` found; areas are in pixels."""

    kind = "area"
    title = "Area (px)"
    is_share = False
    _value_suffix = "px"
    _overview_scale: ClassVar[Scale] = "log"
    _value_title: ClassVar[str] = "Mask area (px)"
    _class_column = "visible_px"
    _class_title = "Visible area (px)"
    _split_column = "share_of_foreground"
    _split_title = "Share of the split's foreground"

    @property
    def label_value_path(self) -> str | None:
        path = self._stored.config.label_path
        return f"{path}.{self.key}_px" if path else None

    def summary(self, samples: SampleCollection | None = None) -> dict[str, Any]:
        """Returns the totals and means.

        - ``images``: the samples that have a number; ``images_without_number``: those
          that have none; ``empty_images``: those whose mask is all 0
        - ``foreground_px``, ``image_px``: the pixels of masks that are not 0, and of
          images; ``images_of_unknown_size`` are not in the latter
        - ``mean_area_px_over_images``: the mean of the masks' areas;
          ``mean_area_px_over_pixels``: their mean weighted by the images' pixels
        - ``min_area_px``, ``max_area_px``: of the masks
        - with labels, ``objects``: those that have an area;
          ``mean_area_px_over_objects`` of the labels' own areas; ``small``,
          ``medium``, ``large`` by it; ``hidden``: of more than 0 px, none of them
          visible; ``empty``: of 0 px
        - ``out_of_date``: the samples whose masks or labels have changed since, see
          :meth:`out_of_date`; ``older_masks``: see :meth:`older_masks`
        - ``masks_of_other_size``, ``changed_meanwhile``, ``without_number``: what the
          evaluation itself reported

        Args:
            samples: a view to restrict it to
        """
        view = self._view(samples)
        row = self._figures(summed(self._totals(view)))
        objects = self._object_figures(summed(self._label_rows(view)))
        return {**self._head(), **row, **objects, **self._tail(samples)}

    def per_split(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns the figures of :meth:`summary` for each split, one a row."""
        import pandas as pd

        view = self._view(samples)
        by_split: dict[str, list[Document]] = {}
        for row in self._label_rows(view):
            by_split.setdefault(row["split"], []).append(row)
        rows = []
        for total in self._totals(view):
            objects = self._object_figures(summed(by_split.get(total["split"], [])))
            rows.append({"split": total["split"], **self._figures(total), **objects})
        return pd.DataFrame(rows)

    def per_class(
        self, samples: SampleCollection | None = None, *, by_split: bool = False
    ) -> pd.DataFrame:
        """Returns the figures of each class.

        ``images`` is the number of samples with the class, ``visible_px`` its pixels
        in the masks, ``share_of_foreground`` their share of all classes' (of the
        split's, with ``by_split``). With labels also the number of ``objects``, the
        sum, mean, least and greatest of their own areas, how many are ``small``,
        ``medium``, ``large``, ``hidden`` or ``empty``, as in :meth:`summary`.

        Args:
            samples: a view to restrict it to
            by_split: whether to give each split a row of its own
        """
        import pandas as pd

        view = self._view(samples)
        rows = self._class_rows(view, by_split=by_split)
        table = pd.DataFrame(rows)
        if not rows:
            return table
        groups = table.groupby("split", dropna=False)["visible_px"]
        table["share_of_foreground"] = groups.transform(lambda g: shares(g.tolist()))
        return table if by_split else table.drop(columns="split")

    def per_object(self, samples: SampleCollection | None = None) -> pd.DataFrame:
        """Returns the figures of each label that has an area, one a row.

        ``share_of_image`` is its own area / all pixels of the image. Empty if the
        labels were not evaluated.

        Args:
            samples: a view to restrict them to
        """
        import pandas as pd

        names = ("area_px", "visible_px", "share_of_image", "bucket")
        columns = ["sample_id", "label_id", "split", "class", *names]
        return pd.DataFrame(self._object_rows(self._view(samples)), columns=columns)

    def tables(self) -> dict[str, Callable[[SampleCollection], pd.DataFrame]]:
        objects = {"objects": self.per_object} if self._labels is not None else {}
        return {**super().tables(), **objects}

    def figure_tables(self) -> dict[str, Callable[[SampleCollection], pd.DataFrame]]:
        found = super().figure_tables()
        if self._labels is not None:
            found["resized_objects"] = self.resized_objects
        return found

    def keep_sums(self) -> None:
        super().keep_sums()
        self.annotated_areas()

    def annotated_areas(
        self, samples: SampleCollection | None = None
    ) -> dict[str, Any]:
        """Returns how the areas that annotations state compare with their masks'.

        Roboflow writes the box's area into its exports; ``text`` says so in words. See
        :func:`annotated_areas` for the other figures.

        Args:
            samples: a view to restrict it to
        """
        if self._labels is None:
            return {"objects": 0, "text": "No labels were evaluated."}
        labels = self._labels
        return self._sums.get(
            "annotated areas",
            self._view(samples),
            lambda view: annotated_areas(view, labels, self.key),
        )

    @checked
    def resized_objects(
        self,
        samples: fo.Dataset | fo.DatasetView | None = None,
        *,
        sizes: Sequence[int] = SIZES,
    ) -> pd.DataFrame:
        """Returns how many objects would be small in images of other sizes.

        A row for each class, ``size`` (the side of square images, in pixels) and
        ``how``: ``"letterbox"`` keeps the images' shapes, ``"stretch"`` does not. Of
        the ``objects``, ``below_16_px`` and ``below_64_px`` would have an area of fewer
        pixels: the own area times the change of the image's area.

        Args:
            samples: a view to restrict it to
            sizes: the sides

        Raises:
            CocoMaskError: if the evaluation is of masks without labels
        """
        import pandas as pd

        self._needed_labels("knows objects")
        if not sizes or min(sizes) < 1:
            raise CocoMaskError(f"sizes must be numbers above 0, not {list(sizes)}")
        view = self._view(samples)
        begin = partial(self.resized_pass, sizes=sizes)
        rows = self._of_pass(resized_name(sizes), view, begin)
        below = [f"below_{limit}_px" for limit in LIMITS]
        return pd.DataFrame(rows, columns=["class", "size", "how", "objects", *below])

    def resized_pass(
        self,
        samples: SampleCollection | None = None,
        sizes: Sequence[int] = SIZES,
    ) -> KeptPass | None:
        """Returns the pass of :meth:`resized_objects`, to be run bit by bit.

        Args:
            samples: a view to restrict it to
            sizes: the sides

        Returns:
            the pass, which has not begun; None if its sums are kept
        """
        view = self._view(samples)
        if self._sums.has(resized_name(sizes), view):
            return None
        labels = self._needed_labels("knows objects")
        resized = ResizedObjects(labels, f"{self.key}_px", sizes)
        return KeptPass(self._sums, view, resized.read(view), resized.sums)

    @checked
    def resized_view(
        self,
        size: int,
        how: How = "letterbox",
        *,
        limit: int = 16,
        label: str | None = None,
        samples: fo.Dataset | fo.DatasetView | None = None,
    ) -> fo.DatasetView:
        """Returns the objects behind one number of :meth:`resized_objects`.

        Args:
            size: the side of the square images, in pixels
            how: ``"letterbox"`` or ``"stretch"``
            limit: the objects would have fewer pixels than this
            label: their class, None for all
            samples: a view to restrict it to

        Raises:
            CocoMaskError: if the evaluation is of masks without labels
        """
        labels = self._needed_labels("knows objects")
        if size < 1:
            raise CocoMaskError(f"size must be a number above 0, not {size}")
        condition = is_below(f"{self.key}_px", how, size, limit, label)
        view = self._view(samples).match({"metadata.width": {"$gt": 0}})
        return view.filter_labels(labels.field, fo.ViewExpression(condition))

    def _sample_figures(self) -> SampleFigures:
        area = None if self._labels is None else f"{self.key}_px"
        return SampleFigures("area_px", self.value_path, None, self._labels, area)

    def _object_rows(self, view: SampleCollection) -> Iterator[Document]:
        labels = self._labels
        if labels is None:
            return
        key = self.key
        names = ("_id", "label", f"{key}_px", f"{key}_visible_px", f"{key}_bucket")
        paths = [f"{labels.path}.{name}" for name in names]
        paths += ["metadata.width", "metadata.height", *split_paths(view)]
        for documents in stream_documents(view, paths):
            for document in documents:
                metadata = document.get("metadata") or {}
                width, height = metadata.get("width"), metadata.get("height")
                image_px = (width or 0) * (height or 0)
                for label in labels.documents(document):
                    area, name = label.get(f"{key}_px"), label.get("label")
                    if area is not None:
                        yield {
                            "sample_id": str(document["_id"]),
                            "label_id": str(label["_id"]),
                            "split": split_of(document),
                            "class": NO_LABEL if name is None else name,
                            "area_px": area,
                            "visible_px": label.get(f"{key}_visible_px"),
                            "share_of_image": ratio(area, image_px),
                            "bucket": label.get(f"{key}_bucket"),
                        }

    def _sample_columns(self) -> dict[str, str]:
        return {"area_px": self.value_path}

    def _totals(self, view: SampleCollection) -> list[Document]:
        """Returns a row of sums per split."""
        return self._sums.get(
            TOTALS, view, lambda v: figures.area_totals(v, self.value_path)
        )

    def _label_rows(self, view: SampleCollection) -> list[Document]:
        """Returns a row of sums per split and class of labels."""
        labels = self._labels
        if labels is None:
            return []
        return self._sums.get(
            "labels",
            view,
            lambda v: figures.label_totals(
                v, labels.path, self.key, is_list=labels.is_list
            ),
        )

    def _class_rows(self, view: SampleCollection, *, by_split: bool) -> list[Document]:
        if self._stored.config.label_path is not None:
            rows = self._label_rows(view)
            return [
                {
                    "split": row["split"],
                    "class": row["class"],
                    "images": row["images"],
                    "visible_px": row["visible_px"],
                    **self._object_figures(row),
                    "area_px": row["area_px"],
                    "min_area_px": row["min_area_px"],
                    "max_area_px": row["max_area_px"],
                }
                for row in (rows if by_split else over_splits(rows))
            ]
        classes_path = self.classes_path
        if classes_path is not None:
            rows = self._sums.get(
                "classes", view, lambda v: figures.class_totals(v, classes_path)
            )
            names = ("split", "class", "images", "visible_px")
            return [
                {name: row[name] for name in names}
                for row in (rows if by_split else over_splits(rows))
            ]
        totals = self._totals(view)
        return [
            {
                "split": row.get("split"),
                "class": self._only_class(),
                "images": row["images"] - row["empty_images"],
                "visible_px": row["foreground_px"],
            }
            for row in (totals if by_split else [summed(totals)] if totals else [])
        ]

    def _figures(self, total: Document) -> Document:
        images = total.get("images", 0)
        return {
            "images": images,
            "images_without_number": total.get("samples", 0) - images,
            "empty_images": total.get("empty_images", 0),
            "foreground_px": total.get("foreground_px", 0),
            "image_px": total.get("image_px", 0),
            "images_of_unknown_size": total.get("unknown_size", 0),
            "mean_area_px_over_images": ratio(total.get("foreground_px", 0), images),
            "mean_area_px_over_pixels": ratio(
                total.get("area_times_image_px", 0), total.get("image_px", 0)
            ),
            "min_area_px": total.get("min"),
            "max_area_px": total.get("max"),
        }

    def _object_figures(self, total: Document) -> Document:
        if self._stored.config.label_path is None:
            return {}
        counts = {name: total.get(name, 0) for name in _OBJECT_COUNTS}
        mean = ratio(total.get("area_px", 0), counts["objects"])
        return {**counts, "mean_area_px_over_objects": mean}
