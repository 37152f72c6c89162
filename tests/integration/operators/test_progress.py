"""What the App says of the progress of a job."""

from __future__ import annotations

import pytest

from fiftyone_cocomask.operators.progress import Progress


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (0, 21, 0.0, "Drawing masks: 0 of 21 images"),
        (3, 21, 1.0, "Drawing masks: 3 of 21 images"),
        (0, 21, 60.0, "Drawing masks: 0 of 21 images"),
        (
            1000,
            21_000,
            4.0,
            "Drawing masks: 1,000 of 21,000 images, 250 a second, 80 s left",
        ),
        (20, 200, 40.0, "Drawing masks: 20 of 200 images, 2 s each, 6 min left"),
        (
            900,
            9_000_000,
            9.0,
            "Drawing masks: 900 of 9,000,000 images, 100 a second, 25 h left",
        ),
        (500, None, 5.0, "Drawing masks: 500 images, 100 a second"),
    ],
)
def test_progress_says_the_rate_and_the_time_left_once_they_are_known(
    done: int, total: int | None, seconds: float, text: str
) -> None:
    assert Progress(done, total, seconds).label("Drawing masks", "images") == text
