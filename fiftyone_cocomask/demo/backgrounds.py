"""Painted backgrounds: meadow, flowers, leaf, sky, bark, lavender."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Random = np.random.Generator


def noise(random: Random, size: int, cells: int, stretch: int = 1) -> np.ndarray:
    """Returns smooth noise of several scales, 0..1, of shape (size, size)."""
    total = np.zeros((size, size), np.float32)
    weight = 1.0
    for octave in range(4):
        side = max(2, cells * 2**octave)
        coarse = random.random((max(2, side // stretch), side), np.float32)
        total += weight * cv2.resize(
            coarse, (size, size), interpolation=cv2.INTER_CUBIC
        )
        weight /= 2
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def _blend(
    share: np.ndarray, low: tuple[int, ...], high: tuple[int, ...]
) -> np.ndarray:
    share = share[..., None]
    return ((1 - share) * np.array(low) + share * np.array(high)).astype(np.uint8)


def _blades(
    picture: np.ndarray, random: Random, count: int, colors: list[tuple[int, ...]]
) -> None:
    size = picture.shape[0]
    for _ in range(count):
        x, y = random.uniform(0, size), random.uniform(0, size * 1.1)
        length, lean = random.uniform(60, 200), random.uniform(-60, 60)
        t = np.linspace(0, 1, 8)
        curve = np.stack([x + lean * t**2, y - length * t], axis=1)
        color = colors[random.integers(len(colors))]
        thickness = int(random.integers(1, 5))
        points = [curve.astype(np.int32)]
        cv2.polylines(picture, points, False, color, thickness, cv2.LINE_AA)


def _flower(
    picture: np.ndarray, random: Random, x: float, y: float, radius: float,
    petal: tuple[int, ...],
) -> None:  # fmt: skip
    count = int(random.integers(5, 9))
    start = random.uniform(0, 6.3)
    for number in range(count):
        angle = start + 2 * np.pi * number / count
        center = (
            int(x + radius * 0.6 * np.cos(angle)),
            int(y + radius * 0.6 * np.sin(angle)),
        )
        axes = (int(radius * 0.5), int(radius * 0.26))
        shade = tuple(int(c * random.uniform(0.85, 1.0)) for c in petal)
        cv2.ellipse(
            picture, center, axes, np.rad2deg(angle), 0, 360, shade, -1, cv2.LINE_AA
        )
    cv2.circle(
        picture, (int(x), int(y)), int(radius * 0.28), (236, 186, 60), -1, cv2.LINE_AA
    )


def meadow(random: Random, size: int) -> np.ndarray:
    """Returns grass, blurred behind and sharp in front."""
    picture = _blend(noise(random, size, 4), (52, 96, 38), (150, 190, 84))
    _blades(picture, random, 900, [(70, 120, 44), (120, 168, 70), (160, 196, 96)])
    picture = cv2.GaussianBlur(picture, (0, 0), 7)
    _blades(picture, random, 260, [(64, 118, 40), (128, 178, 74), (176, 206, 110)])
    return cv2.GaussianBlur(picture, (0, 0), 1.2)


def flowers(random: Random, size: int) -> np.ndarray:
    """Returns a flower bed."""
    picture = _blend(noise(random, size, 5), (40, 84, 46), (104, 150, 78))
    petals = [(232, 92, 128), (246, 238, 240), (190, 110, 206), (250, 170, 80)]
    for blur, count, scale in ((9, 130, 46), (2.0, 70, 56)):
        for _ in range(count):
            x, y = random.uniform(0, size, 2)
            petal = petals[random.integers(len(petals))]
            _flower(picture, random, x, y, scale * random.uniform(0.7, 1.3), petal)
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    return picture


def leaf(random: Random, size: int) -> np.ndarray:
    """Returns a large leaf with its veins."""
    picture = _blend(noise(random, size, 3), (40, 104, 52), (108, 170, 86))
    middle = size * 0.46
    for side in (-1, 1):
        for start in np.linspace(-0.2, 1.1, 15) * size:
            t = np.linspace(0, 1, 20)
            curve = np.stack(
                [middle + side * size * 0.7 * t, start + size * 0.34 * t**1.4], axis=1
            )
            points = [curve.astype(np.int32)]
            cv2.polylines(picture, points, False, (150, 196, 122), 4, cv2.LINE_AA)
    cv2.line(
        picture, (int(middle), 0), (int(middle), size), (176, 214, 146), 10, cv2.LINE_AA
    )
    grain = noise(random, size, 60)[..., None]
    picture = np.clip(picture * (0.9 + 0.2 * grain), 0, 255).astype(np.uint8)
    return cv2.GaussianBlur(picture, (0, 0), 1.5)


def sky(random: Random, size: int) -> np.ndarray:
    """Returns clouds in a blue sky."""
    height = np.linspace(0, 1, size, dtype=np.float32)[:, None] * np.ones((1, size))
    picture = _blend(height, (92, 156, 222), (196, 222, 242))
    clouds = np.clip(noise(random, size, 3, stretch=2) * 2 - 0.9, 0, 1)[..., None]
    return (picture * (1 - clouds) + 250 * clouds).astype(np.uint8)


def bark(random: Random, size: int) -> np.ndarray:
    """Returns the bark of a tree, with moss."""
    rough = noise(random, size, 40, stretch=8)
    picture = _blend(rough, (58, 44, 36), (158, 132, 108))
    moss = np.clip(noise(random, size, 4) * 3 - 1.9, 0, 1)[..., None]
    green = np.array((110, 132, 64))
    return (picture * (1 - 0.7 * moss) + green * 0.7 * moss).astype(np.uint8)


def lavender(random: Random, size: int) -> np.ndarray:
    """Returns rows of lavender."""
    picture = _blend(noise(random, size, 4), (70, 92, 66), (140, 160, 112))
    for blur, count in ((8, 60), (1.6, 46)):
        for _ in range(count):
            x, y = random.uniform(0, size, 2)
            cv2.line(
                picture, (int(x), int(y)), (int(x), int(y) + 200), (84, 120, 70), 3
            )
            for step in range(12):
                shade = random.uniform(0.8, 1.1)
                color = tuple(int(min(255, c * shade)) for c in (136, 104, 196))
                center = (int(x + random.uniform(-9, 9)), int(y - step * 9))
                cv2.ellipse(picture, center, (9, 6), 0, 0, 360, color, -1, cv2.LINE_AA)
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    return picture


BACKGROUNDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "meadow": meadow,
    "flowers": flowers,
    "leaf": leaf,
    "sky": sky,
    "bark": bark,
    "lavender": lavender,
}
