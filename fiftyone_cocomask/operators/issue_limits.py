"""The limits of mask issues, as a form asks for them."""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from .folding import hide_unless
from .forms import reject

# What the form calls each of the `IssueLimits`, and says of it.
_LIMITS = {
    "tiny_px": ("Tiny below, in pixels", "A label of fewer pixels is tiny"),
    "huge_share": (
        "Huge from, as a share of the image",
        "A label of at least this share of its image, 0 to 1, is huge",
    ),
    "near_iou": (
        "Near duplicates in one class from an IoU of",
        "The mask IoU of two labels of one class, 0 to 1",
    ),
    "near_iou_across": (
        "Near duplicates across classes from an IoU of",
        "The mask IoU of two labels of different classes, 0 to 1",
    ),
    "contained_share": (
        "Contained from a share of",
        "The share of a label's pixels that lie in a larger label of its class, 0 to 1",
    ),
    "spike_degrees": (
        "Spikes below, in degrees",
        "The angle between two long sides of an outline",
    ),
    "spike_side": (
        "Spikes have sides beyond a share of",
        "The share of an outline's length, 0 to 1, that both sides of a spike exceed",
    ),
    "stray_share": (
        "Stray parts below a share of",
        "The share of an object's pixels, 0 to 1, that a part has",
    ),
    "coarse_score": (
        "Coarse beyond a score of",
        "How far below 0 the modified z-score of an outline's vertices for its length "
        "lies in its class",
    ),
    "outlier_score": (
        "Outlier beyond a score of",
        "The modified z-score in its class beyond which a label is one",
    ),
    "min_class_size": (
        "Outliers in classes from, in labels",
        "A class of fewer labels has no outliers and no coarse outlines",
    ),
    "copy_tolerance": (
        "Augmented copies differ by more than",
        "The deviation of a copy's coverage from the median of all copies, as a share "
        "of that median",
    ),
    "leak_distance": (
        "The same picture up to, in bits",
        "How many of 256 bits may differ between the perceptual hashes of two images "
        "that count as the same picture",
    ),
}


def ask_for_limits(ctx: ExecutionContext, inputs: types.Object) -> None:
    """Asks for the numbers that decide what counts as an issue."""
    from ..datasets.issues import IssueLimits

    defaults = IssueLimits()
    for name, (label, description) in _LIMITS.items():
        default = getattr(defaults, name)
        least, most = IssueLimits.BOUNDS[name]
        ask = inputs.int if isinstance(default, int) else inputs.float
        ask(
            name,
            label=label,
            description=description,
            default=default,
            min=least,
            max=most,
        )
    inputs.list(
        "exempt_pairs",
        types.String(),
        label="Classes that may overlap",
        description="Pairs such as 'membrane, cell': one may cover the other",
        required=False,
    )
    inputs.obj(
        "limits", label="Limits", description="All of these numbers, by their names"
    )
    hide_unless(ctx, inputs, ["limits"], "limits" in ctx.params)
    for name in ("limits", *_LIMITS, "exempt_pairs"):
        value = ctx.params.get(name)
        if value is None or value == "":
            continue
        try:
            given = limits_of(ctx.params if name == "limits" else {name: value})
            IssueLimits.of_numbers(given)
        except CocoMaskError as error:
            reject(inputs.properties[name], str(error))


def limits_of(params: dict[str, Any]) -> Any:
    """Returns the numbers that were given, each by itself or all by their names."""
    together = params.get("limits") or {}
    if not isinstance(together, dict):
        return together
    limits = {
        **together,
        **{
            n: params[n]
            for n in (*_LIMITS, "exempt_pairs")
            if params.get(n) is not None
        },
    }
    if isinstance(limits.get("exempt_pairs"), list):
        limits["exempt_pairs"] = _pairs(limits["exempt_pairs"])
    return limits


def _pairs(values: Any) -> list[Any]:
    """Returns pairs of classes, each given as a pair or as ``"one, other"``."""
    return [
        [name.strip() for name in pair.split(",")] if isinstance(pair, str) else pair
        for pair in values
    ]
