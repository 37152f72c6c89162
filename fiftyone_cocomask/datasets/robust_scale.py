"""How far values are from the others of their kind, whatever outliers there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RobustScale:
    """The median of values, and their median absolute deviation (MAD) from it.

    Attributes:
        median: the median
        mad: the MAD; 0 where more than half of the values are equal
    """

    median: float
    mad: float

    @classmethod
    def of(cls, values: np.ndarray) -> RobustScale:
        """Returns the scale of some values, at least one."""
        median = float(np.median(values))
        return cls(median, float(np.median(np.abs(values - median))))

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Returns the modified z-scores of values; 0 where there is no scale.

        ``0.6745 * (x - median) / MAD``: Iglewicz and Hoaglin, "How to detect and
        handle outliers", 1993.
        """
        if not self.mad:
            return np.zeros(np.shape(values))
        scores: np.ndarray = 0.6745 * (values - self.median) / self.mad
        return scores
