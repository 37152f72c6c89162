"""The labels of samples as objects to draw, read again where a figure needs pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from bson import ObjectId

from ...fiftyone_types import SampleCollection
from ...geometry.draw import draw_objects
from ...limits import size_problem
from ..label_lists import LabelList
from ..labels import LabelObject
from ..masks.options import MaskOptions
from ..measuring.measure import NO_LABEL, drawn_objects
from ..measuring.reading import SampleReader, SampleRecord


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """The objects of a sample that are in its mask.

    Attributes:
        sample_id: its id
        objects: the objects
        boxes: the boxes that are drawn beside them, which are no objects
        size: the image's (width, height), in pixels
    """

    sample_id: ObjectId
    objects: list[LabelObject]
    boxes: list[LabelObject]
    size: tuple[int, int]

    @property
    def items(self) -> list[LabelObject]:
        """All that its mask shows: the objects, and the boxes beside them."""
        return [*self.objects, *self.boxes]

    def of_labels(self, ids: set[ObjectId] | None) -> DrawnSample:
        """Returns it with some of its objects alone; None for all."""
        if ids is None:
            return self
        return replace(self, objects=[x for x in self.objects if x.label_id in ids])

    def visible(self, options: MaskOptions) -> dict[str, np.ndarray]:
        """Returns the pixels of each class that others leave visible.

        Args:
            options: how the masks are drawn
        """
        return self.drawn(options)[0]

    def drawn(self, options: MaskOptions) -> tuple[dict[str, np.ndarray], bool]:
        """Returns :meth:`visible`, and whether any two objects or boxes overlap."""
        width, height = self.size
        items = self.items
        names = [class_of(item) for item in items]
        values = {name: value for value, name in enumerate(dict.fromkeys(names), 1)}
        drawing = draw_objects(
            [item.geometry for item in items],
            height,
            width,
            rasterizer=options.rasterizer,
            values=[values[name] for name in names],
            overlap=options.overlap,
            labels=[item.label for item in items],
        )
        visible = {name: drawing.mask == value for name, value in values.items()}
        return visible, drawing.overlap_px > 0


def drawn_samples(
    samples: SampleCollection, mask_field: str, labels: LabelList, options: MaskOptions
) -> Iterator[DrawnSample]:
    """Yields the samples whose images have a size that can be drawn.

    Labels that cannot be drawn are left out.

    Args:
        samples: the dataset or view
        mask_field: the field of the masks
        labels: where the labels are
        options: how the masks are drawn
    """
    for records in SampleReader(samples, mask_field, labels).batches():
        for record in records:
            sample = drawn_sample(record, options)
            if sample is not None:
                yield sample


def drawn_sample(record: SampleRecord, options: MaskOptions) -> DrawnSample | None:
    """Returns the objects of a sample; None if its image has no size to draw them in.

    Args:
        record: the sample, as it was read
        options: how the masks are drawn
    """
    if record.size is None or size_problem(*record.size) is not None:
        return None
    items = drawn_objects(record, options)
    return DrawnSample(
        record.sample_id,
        [item for item in items if item.index >= 0],
        [item for item in items if item.index < 0],
        record.size,
    )


def class_of(item: LabelObject) -> str:
    """Returns the class of an object, as tables call it."""
    return NO_LABEL if item.label is None else item.label
