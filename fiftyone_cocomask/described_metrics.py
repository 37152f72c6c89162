"""What FiftyOne is told at its start of the two metrics; loads nothing."""

from __future__ import annotations

from typing import NamedTuple


class Described(NamedTuple):
    """A metric as the App names and explains it.

    Attributes:
        name: the name of its operator, and the key of its value
        label: how the App calls it
        description: the definition of its value
    """

    name: str
    label: str
    description: str


AREA_ERROR = Described(
    "mask_area_error",
    "Mask area error (%)",
    "The sum of the samples' absolute area errors in percent of the sum of their "
    "ground truth masks' areas",
)
COVERAGE_ERROR = Described(
    "mask_coverage_error",
    "Mask coverage error (points)",
    "The mean of the samples' absolute coverage errors, in percentage points",
)
