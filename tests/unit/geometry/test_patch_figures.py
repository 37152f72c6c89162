"""Parts, holes and solidity of an object's pixels, by hand and against SciPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import ConvexHull

from fiftyone_cocomask.geometry.patch_figures import patch_figures
from fiftyone_cocomask.geometry.patches import Patch


def test_a_ring_with_a_spot_beside_it() -> None:
    mask = np.zeros((7, 10), bool)
    mask[1:6, 1:6] = True
    mask[3, 3] = False
    mask[0, 9] = True
    figures = patch_figures(Patch(5, 5, mask))
    assert figures is not None
    assert (figures.area, figures.width, figures.height) == (25, 9, 6)
    assert (figures.parts, figures.holes) == (2, 1)


def test_rectangles_are_solid_and_nothing_has_no_figures() -> None:
    figures = patch_figures(Patch(0, 0, np.ones((3, 8), bool)))
    assert figures is not None
    assert figures.solidity == 1
    assert patch_figures(Patch(0, 0, np.zeros((3, 8), bool))) is None


@settings(max_examples=60)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    share=st.floats(0.1, 0.95),
    seed=st.integers(0, 2**32 - 1),
)
def test_figures_equal_those_of_scipy(
    height: int, width: int, share: float, seed: int
) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    figures = patch_figures(Patch(0, 0, mask))
    if not mask.any():
        assert figures is None
        return
    assert figures is not None
    _, parts = ndimage.label(mask, np.ones((3, 3)))
    _, background = ndimage.label(np.pad(~mask, 1, constant_values=True))
    assert (figures.parts, figures.holes) == (parts, background - 1)
    pixels = np.argwhere(mask)
    corners = [pixels + shift for shift in ((0, 0), (0, 1), (1, 0), (1, 1))]
    hull = ConvexHull(np.concatenate(corners)).volume
    assert abs(figures.solidity - mask.sum() / hull) < 1e-9
