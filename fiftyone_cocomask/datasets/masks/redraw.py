"""Masks drawn once more, as they were drawn before."""

from __future__ import annotations

from typing import Any

from ...fiftyone_types import SampleCollection
from ..documents import root_dataset
from .compute import compute_as_asked
from .field import mask_options
from .options import MaskOptions
from .report import MaskReport


def redraw_masks(
    samples: SampleCollection, mask_field: str, *, progress: Any = None
) -> MaskReport | None:
    """Draws the masks of a field that are out of date, with the options they have.

    Args:
        samples: the dataset or view
        mask_field: the field of the masks
        progress: as for :func:`compute_masks`

    Returns:
        a :class:`MaskReport`, None if the masks were not drawn by this plugin

    Raises:
        CocoMaskError: if they cannot be drawn; nothing has been written then
    """
    made = mask_options(root_dataset(samples), mask_field)
    if made is None:
        return None
    return compute_as_asked(
        samples,
        made["label_field"],
        mask_field,
        MaskOptions.from_dict(made, {}),
        output_dir=made.get("output_dir"),
        storage=made.get("storage", "disk"),
        boxes="draw" if made.get("boxes") else "skip",
        is_again=True,
        progress=progress,
    )
