"""Outlines measured image by image, and scored by class: what a ranking writes."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator

import cv2
import fiftyone as fo
import numpy as np

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...geometry.decoding import read_image
from ...geometry.edges import EdgeImage, OutlineFit
from ...geometry.outlines import object_rings
from ...limits import MAX_NAMED
from ..documents import Document, Update, root_dataset, update_documents
from ..label_lists import LabelList
from ..measuring.measure import drawing_options
from ..measuring.reading import SampleReader, SampleRecord
from ..owned_fields import EvaluationFields, FieldSpec
from ..robust_scale import RobustScale

# By class, that of the logarithms of how outlines lie on edges.
Scales = dict[str | None, RobustScale]

# Larger images are not decoded: with its gradients, one of this size takes 2 GB.
_MAX_PIXELS = 2**27

_LABEL_SPECS = (
    FieldSpec(
        "edge",
        fo.FloatField,
        "The mean absolute gradient along the outline's normal, on the outline divided "
        "by that 4 to 8 px beside it",
    ),
    FieldSpec(
        "offset",
        fo.FloatField,
        "How far, in px up to 8, the outline has to be moved to lie best on edges",
    ),
    FieldSpec(
        "contrast",
        fo.FloatField,
        "The difference of the mean brightness, 0..255, of rings of 6 px inside and "
        "outside of the outline",
    ),
    FieldSpec(
        "score",
        fo.FloatField,
        "The modified z-score of log(edge) in the label's class: the lower, the worse "
        "the outline lies",
    ),
)
_SAMPLE_SPECS = (
    FieldSpec("worst", fo.FloatField, "The lowest score of the sample's labels"),
)


def ranking_fields(eval_key: str, labels: LabelList) -> EvaluationFields:
    """Returns the fields of a ranking of some labels."""
    return EvaluationFields(
        kind="outline",
        eval_key=eval_key,
        sample_specs=_SAMPLE_SPECS,
        label_specs=_LABEL_SPECS,
        label_path=labels.path,
        has_classes=False,
    )


class OutlineScores:
    """Measures the outlines of samples, and then scores them by class.

    Args:
        samples: the dataset or view
        labels: where the labels are
        fields: the fields to write, see :func:`ranking_fields`

    Attributes:
        skipped: the samples that could not be looked at; at most 1,000
        num_skipped: how many there are
    """

    def __init__(
        self, samples: SampleCollection, labels: LabelList, fields: EvaluationFields
    ) -> None:
        self._samples = samples
        self._dataset = root_dataset(samples)
        self._labels = labels
        self._fields = fields
        self._options = drawing_options(self._dataset, "", labels.field)
        self._names = [path.rpartition(".")[2] for path in fields.label_paths]
        self._logs: dict[str | None, array[float]] = defaultdict(lambda: array("d"))
        self.skipped: list[dict[str, str]] = []
        self.num_skipped = 0

    def measure(self) -> Iterator[int]:
        """Writes how each outline fits; yields the number of samples each time."""
        self._samples.compute_metadata(progress=False)
        for records in SampleReader(self._samples, None, self._labels).batches():
            updates: list[Update] = []
            for record in records:
                try:
                    values = self._measured(record)
                except CocoMaskError as error:
                    self._skip(record, str(error))
                    # Nor has it what an earlier ranking has found.
                    values = self._nothing(record)
                guard = self._labels.guard(record.label_ids)
                updates.append((record.sample_id, values, guard))
            update_documents(self._dataset, updates)
            yield len(records)

    def scales(self) -> Scales:
        """Returns the scale of each class of which outlines were measured."""
        return {name: RobustScale.of(np.array(x)) for name, x in self._logs.items()}

    def score(self, scales: Scales) -> None:
        """Writes the scores, and the worst one of each sample."""
        edge, score = self._names[0], self._names[3]
        reader = SampleReader(self._samples, None, self._labels, (), [edge])
        for records in reader.batches():
            updates: list[Update] = []
            for record in records:
                rows = zip(
                    record.attributes["label"], record.attributes[edge], strict=True
                )
                scores = [_score(scales.get(label), value) for label, value in rows]
                values: Document = {
                    self._labels.attribute(index, score): value
                    for index, value in enumerate(scores)
                }
                known = [value for value in scores if value is not None]
                worst = min(known) if known else None
                values[self._fields.sample_paths[0]] = worst
                guard = self._labels.guard(record.label_ids)
                updates.append((record.sample_id, values, guard))
            update_documents(self._dataset, updates)

    def _nothing(self, record: SampleRecord) -> Document:
        return {
            self._labels.attribute(index, name): None
            for index in range(len(record.label_ids))
            for name in self._names
        }

    def _measured(self, record: SampleRecord) -> Document:
        image = _read_gray(record)
        height, width = image.shape
        values = self._nothing(record)
        edges = EdgeImage(image)
        for item in self._options.objects(record.label(), width, height):
            fit = edges.fit(object_rings(item.geometry))
            if fit is not None:
                self._logs[item.label].append(np.log(fit.edge))
                values |= self._values(item.index, fit)
        return values

    def _values(self, index: int, fit: OutlineFit) -> Document:
        figures = (fit.edge, fit.offset, fit.contrast)
        return {
            self._labels.attribute(index, name): value
            for name, value in zip(self._names, figures, strict=False)
        }

    def _skip(self, record: SampleRecord, reason: str) -> None:
        self.num_skipped += 1
        if len(self.skipped) < MAX_NAMED:
            self.skipped.append(
                {
                    "sample_id": str(record.sample_id),
                    "filepath": record.filepath,
                    "reason": reason,
                }
            )


def _score(scale: RobustScale | None, edge: float | None) -> float | None:
    if edge is None:
        return None
    # A class that the ranking has not seen has no scale.
    return float(scale.scores(np.log(edge))) if scale is not None else 0.0


def _read_gray(record: SampleRecord) -> np.ndarray:
    """Returns the image of a sample in gray, as it is shown.

    Raises:
        CocoMaskError: if it cannot be read, or is too large
    """
    if record.size is None:
        raise CocoMaskError("the size of its image cannot be read")
    if record.size[0] * record.size[1] > _MAX_PIXELS:
        raise CocoMaskError(f"its image has more than {_MAX_PIXELS:,} pixels")
    image = read_image(record.filepath, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise CocoMaskError("its image cannot be read")
    return image
