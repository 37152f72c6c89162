"""Both rasterizers against an exact reference: area and IoU by object size.

    python -m benchmarks.rasterizers [--blobs 4000]

The reference knows neither pycocotools nor OpenCV: each pixel is sampled at 16 x 16
points, and belongs to the object if at least half of them lie inside the polygon.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import Any

import numpy as np

from fiftyone_cocomask.geometry.objects import Canvas, MaskObject

from .measuring import print_table

SAMPLES = 16
SIDE = 320
BUCKETS = (("below 32 x 32", 32**2), ("below 96 x 96", 96**2), ("larger", np.inf))


def reference_mask(ring: np.ndarray) -> np.ndarray:
    """Returns the pixels of which a ring encloses at least half of the sample points.

    A point is inside if a ray to its left crosses the ring an odd number of times.
    """
    x0, y0 = np.floor(ring.min(axis=0)).astype(int)
    x1, y1 = np.ceil(ring.max(axis=0)).astype(int)
    columns = (np.arange((x1 - x0) * SAMPLES) + 0.5) / SAMPLES + x0
    rows = (np.arange((y1 - y0) * SAMPLES) + 0.5) / SAMPLES + y0
    start, end = ring, np.roll(ring, -1, axis=0)
    inside = np.zeros((rows.size, columns.size), bool)
    for row, y in enumerate(rows):
        crosses = (start[:, 1] <= y) != (end[:, 1] <= y)
        (sx, sy), (ex, ey) = start[crosses].T, end[crosses].T
        crossings = np.sort(sx + (y - sy) * (ex - sx) / (ey - sy))
        inside[row] = np.searchsorted(crossings, columns) % 2 == 1
    blocks = inside.reshape(y1 - y0, SAMPLES, x1 - x0, SAMPLES)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y0:y1, x0:x1] = blocks.mean(axis=(1, 3)) >= 0.5
    return mask


def smooth_blob(random: np.random.Generator) -> np.ndarray:
    """Returns a ring of 24 points of a random size, within the image."""
    radius = np.exp(random.uniform(np.log(4), np.log(SIDE / 2 - 2)))
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wave = sum(
        random.uniform(-0.12, 0.12) * np.cos(k * angles + random.uniform(0, 6.3))
        for k in (2, 3, 4)
    )
    radii = radius * np.clip(1 + wave, 0.5, 1.0)
    room = SIDE / 2 - radius
    center = SIDE / 2 + random.uniform(-room, room, 2)
    return (center[:, None] + radii * np.stack([np.cos(angles), np.sin(angles)])).T


def ring_area(ring: np.ndarray) -> float:
    """Returns the area that a ring encloses, by the shoelace formula."""
    x, y = (ring - ring[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blobs", type=int, default=4000)
    options = parser.parse_args()
    random = np.random.default_rng(7)
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(options.blobs):
        ring = smooth_blob(random)
        area = ring_area(ring)
        bucket = next(name for name, limit in BUCKETS if area < limit)
        reference = reference_mask(ring)
        for rasterizer in ("coco", "opencv"):
            canvas = Canvas(SIDE, SIDE, rasterizer)
            patch = canvas.patch(MaskObject(rings=(ring,)))
            mask = np.zeros((SIDE, SIDE), bool)
            mask[patch.window] = patch.mask
            shared = np.count_nonzero(mask & reference)
            joint = np.count_nonzero(mask | reference)
            found[bucket, rasterizer].append(
                (int(np.count_nonzero(mask)), area, float(shared / joint))
            )
    rows: list[dict[str, Any]] = []
    for (bucket, rasterizer), values in sorted(found.items()):
        pixels, areas, ious = np.array(values).T
        together = pixels.sum() / areas.sum() - 1
        rows.append(
            {
                "object area": bucket,
                "rasterizer": rasterizer,
                "objects": len(values),
                "area, mean error": f"{100 * (pixels / areas - 1).mean():+.2f}%",
                "area, all together": f"{100 * together:+.2f}%",
                "IoU, mean": f"{ious.mean():.3f}",
                "IoU, lowest 1%": f"{np.quantile(ious, 0.01):.3f}",
            }
        )
    print_table(list(rows[0]), [[str(cell) for cell in row.values()] for row in rows])


if __name__ == "__main__":
    main()
