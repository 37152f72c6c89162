"""Limits that several modules keep to."""

from __future__ import annotations

# A decoded mask takes a byte a pixel; COCO's and Roboflow's images are far below. What
# claims more is broken or hostile, however small its file is.
MAX_PIXELS = 2**30


def size_problem(width: int, height: int) -> str | None:
    """Returns why an image of some size cannot have a mask, if it cannot."""
    if width * height <= MAX_PIXELS:
        return None
    return f"its image of {width:,} x {height:,} pixels has more than {MAX_PIXELS:,}"


# Both rasterizers walk along a ring, pycocotools in memory: a longer one is not an
# object of an image but a broken number, and would take gigabytes.
MAX_RING_LENGTH = 4e6

# A report names at most so many samples, labels or changes of a kind, and counts all.
MAX_NAMED = 1000

# COCO's size buckets (pycocotools' `Params.areaRng`), in pixels of true mask area.
SMALL_BELOW = 32**2
MEDIUM_BELOW = 96**2


def size_bucket(area_px: int) -> str:
    """Returns COCO's size bucket of an area: ``small``, ``medium`` or ``large``."""
    if area_px < SMALL_BELOW:
        return "small"
    return "medium" if area_px < MEDIUM_BELOW else "large"
