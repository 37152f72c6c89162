"""Histograms: every value is in one bin, and every bar has its view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import fiftyone as fo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiftyone_cocomask import CocoMaskError
from fiftyone_cocomask.datasets.evaluations import (
    Histogram,
    field_histogram,
    histogram_view,
)

Scale = Literal["linear", "log"]

counts = st.integers(0, 10) | st.integers(0, 2**40)
shares = st.sampled_from([0.0, 1.0, 0.1 + 0.2]) | st.floats(0, 1, width=32)


@pytest.fixture
def with_values(new_dataset: Callable[..., fo.Dataset]) -> Any:
    """Gives a dataset one sample per value."""
    dataset = new_dataset()
    dataset.add_sample_field("count", fo.IntField)
    dataset.add_sample_field("share", fo.FloatField)

    def fill(field: str, values: list[Any]) -> fo.Dataset:
        dataset.clear()
        paths = [f"/{index}.jpg" for index in range(len(values))]
        dataset.add_samples(
            [fo.Sample(p, **{field: v}) for p, v in zip(paths, values, strict=True)]
        )
        return dataset

    return fill


def check(dataset: fo.Dataset, field: str, bins: int, scale: Scale) -> Histogram:
    histogram = field_histogram(dataset, field, bins=bins, scale=scale)
    assert sum(histogram.counts) + histogram.without_number == len(dataset)
    assert list(histogram.edges) == sorted(set(histogram.edges))
    for bar, count in enumerate(histogram.counts):
        assert len(histogram_view(dataset, histogram, bar)) == count
    assert len(histogram.bar_labels()) == len(histogram.counts)
    assert Histogram.from_dict(histogram.to_dict()) == histogram
    return histogram


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    values=st.lists(counts | st.none(), max_size=20)
    | st.lists(shares | st.none(), max_size=20),
    bins=st.integers(1, 7),
    scale=st.sampled_from(["linear", "log"]),
)
def test_bars_add_up_and_their_views_hold_as_many(
    with_values: Any, values: list[Any], bins: int, scale: Scale
) -> None:
    is_share = any(isinstance(value, float) for value in values)
    field = "share" if is_share else "count"
    check(with_values(field, values), field, bins, scale)


def test_bins_are_half_open_and_the_last_is_closed(with_values: Any) -> None:
    dataset = with_values("share", [0.0, 0.25, 0.5, 0.75, 1.0])
    histogram = check(dataset, "share", 4, "linear")
    assert histogram.edges == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert histogram.counts == (1, 1, 1, 2)


def test_bins_of_integers_hold_equally_many_integers(with_values: Any) -> None:
    histogram = check(with_values("count", [0, 4, 5, 9]), "count", 2, "linear")
    assert histogram.counts == (2, 2)
    assert histogram.bar_labels() == ["0 – 4", "5 – 9"]


def test_zeros_have_a_bar_of_their_own_on_a_log_scale(with_values: Any) -> None:
    values = [0, 0, 10, 99, 100, 1000]
    histogram = check(with_values("count", values), "count", 2, "log")
    assert histogram.counts[0] == 2
    assert histogram.bar_labels()[0] == "0"
    # The rest are [10, 101) and [101, 1001): of equal ratio, up to whole pixels.
    assert histogram.counts[1:] == (3, 1)


def test_more_bins_than_integers_leave_each_a_bar(with_values: Any) -> None:
    histogram = check(with_values("count", [1, 2]), "count", 4, "log")
    assert histogram.edges == (1, 2, 3)
    assert histogram.counts == (1, 1)


def test_samples_without_a_number_are_in_no_bar(with_values: Any) -> None:
    histogram = check(with_values("count", [None, 1, None]), "count", 3, "linear")
    assert histogram.without_number == 2
    assert histogram.counts == (1,)


def test_nothing_but_missing_values_gives_no_bars(with_values: Any) -> None:
    histogram = check(with_values("count", [None]), "count", 3, "log")
    assert histogram.counts == histogram.edges == ()
    with pytest.raises(CocoMaskError, match="no bar 0"):
        histogram_view(with_values("count", [None]), histogram, 0)


def test_labels_are_counted_one_by_one(new_dataset: Callable[..., fo.Dataset]) -> None:
    dataset = new_dataset()
    for values in ([1, 2, None], [9], []):
        lines = [fo.Polyline(label="a", px=value) for value in values]
        dataset.add_sample(
            fo.Sample(f"/{values}.jpg", lines=fo.Polylines(polylines=lines))
        )
    dataset.add_sample(fo.Sample("/none.jpg"))
    dataset.add_sample_field("lines.polylines.px", fo.IntField)
    histogram = field_histogram(dataset, "lines.polylines.px", bins=3)
    assert histogram.counts == (2, 0, 1)
    assert histogram.without_number == 1
    for bar, count in enumerate(histogram.counts):
        view = histogram_view(dataset, histogram, bar)
        assert view.count("lines.polylines") == count
    assert len(histogram_view(dataset, histogram, 0)) == 1


@pytest.mark.parametrize("path", ["nothing", "filepath", "tags"])
def test_only_fields_of_numbers_have_a_histogram(
    new_dataset: Callable[..., fo.Dataset], path: str
) -> None:
    with pytest.raises(CocoMaskError, match=path):
        field_histogram(new_dataset(), path)
