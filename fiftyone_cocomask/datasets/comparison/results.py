"""The results of comparing two fields of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import fiftyone as fo
import numpy as np

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..documents import (
    num_samples,
    root_dataset,
    stream_documents,
    whole_samples,
)
from ..figures.ratios import percent, ratio
from ..gone_fields import first_missing, missing_field_error
from ..kept_pass import KeptPass
from ..split_names import split_of, split_paths, split_rank
from .class_rows import CLASS_COLUMNS, ClassRows
from .metrics import AREA_ERROR, COVERAGE_ERROR_POINTS, METRICS

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from .objects import LabelSource, ObjectMatcher


class MaskComparison:
    """What :func:`compare_masks` found.

    *IoU* of a class is its pixels in both masks / its pixels in either; *Dice* is twice
    the former / the sum of its pixels in each. Errors are those of the predicted masks
    against the ground truth ones: negative where they are smaller.

    Args:
        results: FiftyOne's ``SegmentationResults``
    """

    kind = "comparison"

    def __init__(self, results: Any) -> None:
        self.results = results

    @property
    def key(self) -> str:
        """The eval key, also after it was renamed."""
        return self.results.key

    @property
    def samples(self) -> Any:
        """The samples that were compared."""
        return self.results.samples

    @property
    def pred_field(self) -> str:
        """The field of the predicted masks."""
        return self.results.config.pred_field

    @property
    def gt_field(self) -> str:
        """The field of the ground truth masks."""
        return self.results.config.gt_field

    def summary(self) -> dict[str, Any]:
        """Returns the totals.

        - ``images``: the samples compared; ``images_resized``: those whose predicted
          mask had another size; ``images_without_masks`` and ``without_masks``: those
          left out, and why
        - ``gt_px``, ``pred_px``: the areas of all masks; ``area_error_px``,
          ``area_error_percent``: their difference, and in percent of the former;
          ``coverage_error_points``: as a share of all pixels, in percentage points
        - ``mask_area_error``, ``mask_coverage_error``: the metrics of the Model
          Evaluation panel, by absolute errors of the samples
        - ``mean_iou``, ``mean_dice``: over the classes in either mask, each the same
        - ``gt_classes``, ``pred_classes``: the classes that the masks of each field
          have; where none is in both, their values do not mean the same
        """
        config = self.results.config.cocomask
        matrix = np.asarray(self.results.pixel_confusion_matrix)
        rows = ClassRows(self.results)
        background = rows.background
        gt_px = int(matrix.sum() - matrix[background].sum())
        pred_px = int(matrix.sum() - matrix[:, background].sum())
        classes = rows.of_matrix(matrix)
        metrics = self.results.custom_metrics or {}
        return {
            "eval_key": self.key,
            "evaluation": self.kind,
            "pred_field": self.pred_field,
            "gt_field": self.gt_field,
            "images": self._num_images,
            "images_resized": config["num_resized"],
            "images_without_masks": config["num_without_masks"],
            "gt_px": gt_px,
            "pred_px": pred_px,
            "area_error_px": pred_px - gt_px,
            "area_error_percent": percent(pred_px - gt_px, gt_px),
            "coverage_error_points": percent(pred_px - gt_px, int(matrix.sum())),
            **{m.name: metrics.get(m.uri, {}).get("value") for m in METRICS},
            "mean_iou": _mean([row["iou"] for row in classes]),
            "mean_dice": _mean([row["dice"] for row in classes]),
            "gt_classes": [row["class"] for row in classes if row["gt_px"]],
            "pred_classes": [row["class"] for row in classes if row["pred_px"]],
            "without_masks": config["without_masks"],
        }

    def per_class(self) -> pd.DataFrame:
        """Returns the figures of each class that is in either field, one a row."""
        import pandas as pd

        matrix = np.asarray(self.results.pixel_confusion_matrix)
        rows = ClassRows(self.results).of_matrix(matrix)
        return pd.DataFrame(rows, columns=list(CLASS_COLUMNS))

    def per_split(self) -> pd.DataFrame:
        """Returns the images of each split and the means of their errors, one a row."""
        import pandas as pd

        table = self.per_sample().drop(columns=["sample_id", "filepath"])
        numbers = table.columns.drop("split")
        table[numbers] = table[numbers].apply(pd.to_numeric)
        # Samples that were compared have this number each.
        table = table.dropna(subset=[COVERAGE_ERROR_POINTS.suffix])
        groups = table.groupby("split")
        found = groups[list(numbers)].mean().add_prefix("mean_")
        found.insert(0, "images", groups.size())
        return found.loc[sorted(found.index, key=split_rank)].reset_index()

    def per_sample(self, *, by_class: bool = False) -> pd.DataFrame:
        """Returns the figures of each sample.

        Args:
            by_class: whether to give each class in either of the sample's masks a row
                of its own, with its IoU and Dice

        Raises:
            CocoMaskError: if that is asked for and the field of the masks is gone
        """
        import pandas as pd

        fields = [name for m in METRICS for name in m.fields(self.key)]
        names = {name: name[len(self.key) + 1 :] for name in fields}
        if by_class:
            self._check_fields(self.gt_field)
        class_rows = ClassRows(self.results)
        pairs = class_rows.pairs_by_mask() if by_class else {}
        rows = []
        read = ["filepath", *split_paths(self.samples), f"{self.gt_field}._id"]
        for documents in stream_documents(self.samples, [*read, *fields]):
            for document in documents:
                head = {
                    "sample_id": str(document["_id"]),
                    "filepath": document["filepath"],
                    "split": split_of(document),
                }
                if by_class:
                    # It may be gone, or another one by now.
                    mask = document.get(self.gt_field) or {}
                    own = pairs.get(str(mask.get("_id")))
                    classes = class_rows.of_pairs(own) if own else []
                    rows += [{**head, **row} for row in classes]
                else:
                    values = {name: document.get(f) for f, name in names.items()}
                    rows.append({**head, **values})
        columns = CLASS_COLUMNS if by_class else list(names.values())
        return pd.DataFrame(rows, columns=["sample_id", "filepath", "split", *columns])

    @checked
    def objects(
        self,
        samples: fo.Dataset | fo.DatasetView | None = None,
        *,
        min_iou: float = 0.5,
    ) -> pd.DataFrame:
        """Matches the objects that the masks of both fields were drawn from.

        A row for each pair, and for each object without a partner, with its
        ``outcome``: ``"found"`` (a pair of one class), ``"confused"`` (of two),
        ``"missed"`` (of the ground truth alone) or ``"extra"`` (of the predicted masks
        alone). ``class`` is the ground truth's, and of extra objects their own;
        ``gt_px`` and ``pred_px`` are areas in pixels, ``bucket`` the size by the
        former; pairs have an ``iou`` of their masks and a ``boundary_iou`` (Cheng et
        al. 2021, within 2% of the image's diagonal).

        Objects of one class are matched first, then what is left of any class, so that
        together they overlap best. They have the pixels that their masks have: those
        of the masks' rasterizers, and boxes that masks show are objects too. Crowds are
        not: what lies in a crowd of the ground truth and is matched with nothing is
        left out.

        Args:
            samples: a view to restrict it to
            min_iou: the least IoU of a pair

        Raises:
            CocoMaskError: if :func:`compute_masks` has not drawn both fields
        """
        import pandas as pd

        from .objects import COLUMNS

        if not 0 < min_iou <= 1:
            raise CocoMaskError(f"min_iou must be above 0 and at most 1, not {min_iou}")
        view = self.samples if samples is None else whole_samples(samples)
        matcher = self._matcher(view, min_iou)
        table = pd.DataFrame(matcher.rows(), columns=list(COLUMNS))
        return table.astype({"gt_px": "Int64", "pred_px": "Int64"})

    def objects_pass(self) -> KeptPass:
        """Returns the pass that sums :meth:`objects`, to be run bit by bit.

        Raises:
            CocoMaskError: if :func:`compute_masks` has not drawn both fields
        """
        from .overview import ObjectsOverview

        overview = ObjectsOverview(self._matcher(self.samples, 0.5))
        kept = self._kept_sums()
        return KeptPass(kept, self.samples, overview.read(), overview.sums)

    def are_objects_kept(self) -> bool:
        """Whether :meth:`objects_overview` has nothing to match."""
        from .overview import OBJECTS

        return self._kept_sums().has(OBJECTS, self.samples)

    def objects_overview(self) -> dict[str, Any]:
        """Returns what :meth:`objects` say in sum.

        ``classes`` has a dict for each class, as :meth:`object_counts` has rows;
        ``worst`` the rows of the 50 pairs of least IoU; ``labels`` the ids of the first
        10,000 labels of each outcome. It is kept until a sample changes.

        Raises:
            CocoMaskError: if :func:`compute_masks` has not drawn both fields
        """
        from .overview import OBJECTS

        def match(_: SampleCollection) -> Any:
            return (self.objects_pass().run() or {})[OBJECTS]

        found: dict[str, Any] = self._kept_sums().get(OBJECTS, self.samples, match)
        return found

    def pair_view(self, sample_id: str, *label_ids: str | None) -> fo.DatasetView:
        """Returns one sample with nothing but some of its compared objects.

        Args:
            sample_id: the sample's id, as :meth:`objects` has it
            label_ids: the ids of the labels, of both fields
        """
        dataset = root_dataset(self.samples)
        fields = self.object_fields()
        ids = [label_id for label_id in label_ids if label_id is not None]
        return dataset.select(sample_id).select_labels(ids=ids, fields=fields)

    def label_fields(self) -> tuple[str, str]:
        """Returns the fields that the predicted masks and the others were drawn from.

        Raises:
            CocoMaskError: if :func:`compute_masks` has not drawn both fields
        """
        pred, gt = self._sources()
        return pred.labels.field, gt.labels.field

    def object_fields(self) -> list[str]:
        """Returns the fields of all objects: :meth:`label_fields`, and boxes beside.

        Raises:
            CocoMaskError: as :meth:`label_fields`
        """
        fields = [name for side in self._sources() for name in side.fields]
        return list(filter(root_dataset(self.samples).has_field, dict.fromkeys(fields)))

    def _sources(self) -> tuple[LabelSource, LabelSource]:
        from .objects import LabelSource

        fields = (self.pred_field, self.gt_field)
        self._check_fields(*fields)
        pred, gt = (LabelSource.of_masks(self.samples, name) for name in fields)
        return pred, gt

    def _check_fields(self, *names: str) -> None:
        """Checks that fields of the masks are there under their names."""
        missing = first_missing(root_dataset(self.samples), *names)
        if missing is not None:
            raise missing_field_error("Comparison", self.key, missing, "compare masks")

    def _matcher(self, samples: SampleCollection, min_iou: float) -> ObjectMatcher:
        from .objects import ObjectMatcher

        return ObjectMatcher(samples, *self._sources(), min_iou)

    def _kept_sums(self) -> KeptSums:
        dataset = root_dataset(self.samples)
        begun = dataset.get_evaluation_info(self.key).timestamp
        return KeptSums(dataset, self.key, begun.isoformat(timespec="milliseconds"))

    def object_counts(
        self, by: Literal["class", "bucket"] = "class", **options: Any
    ) -> pd.DataFrame:
        """Returns how many :meth:`objects` are of each outcome, by class or by size.

        ``mean_iou`` and ``mean_boundary_iou`` are those of the pairs.

        Args:
            by: ``"class"`` or ``"bucket"``
            **options: those of :meth:`objects`

        Raises:
            CocoMaskError: if an argument does not fit
        """
        from .objects import counts_by

        if by not in ("class", "bucket"):
            raise CocoMaskError(f"by must be 'class' or 'bucket', not {by!r}")
        return counts_by(self.objects(**options), by)

    def plot_classes(self) -> go.Figure:
        """Plots the IoU of each class, one bar a class."""
        from ..figures.plots import class_figure

        return class_figure(self.per_class(), "iou", "IoU")

    def plot_errors(self) -> go.Figure:
        """Plots how the samples' area errors are distributed."""
        from ..figures.histogram import field_histogram
        from ..figures.plots import histogram_figure

        path = AREA_ERROR.fields(self.key)[1]
        histogram = field_histogram(self.samples, path)
        return histogram_figure(histogram, "Area error (%)", "samples")

    @property
    def _num_images(self) -> int:
        """How many samples were compared; the dataset may have others by now."""
        stored: int | None = self.results.config.cocomask.get("num_images")
        # Earlier versions have not stored it.
        return num_samples(self.samples) if stored is None else stored


def _mean(values: list[float]) -> float | None:
    return ratio(sum(values), len(values))
