"""The panel's charts: bars and ticks where the numbers are, and words that fit."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from fiftyone_cocomask.datasets.evaluations import Histogram
from fiftyone_cocomask.datasets.evaluations.stated_area_bins import (
    AnnotatedBins,
    bin_of,
)
from fiftyone_cocomask.datasets.figures.histogram import Scale
from fiftyone_cocomask.panels import charts
from fiftyone_cocomask.panels.evaluation.downloads import (
    MAX_BYTES_IN_MESSAGE,
    download_url,
)
from fiftyone_cocomask.panels.evaluation.sections import area_map
from fiftyone_cocomask.panels.evaluation.sections.histogram_chart import (
    bar_labels,
    bar_range,
    histogram_layout,
    histogram_traces,
)


def log_histogram(*edges: int) -> Histogram:
    counts = tuple(range(len(edges) - 1))
    return Histogram("path", edges, counts, 0, "log", is_integer=True)


def test_bars_are_at_the_logarithms_of_their_edges() -> None:
    histogram = log_histogram(10, 100, 1000)
    (trace,) = histogram_traces([histogram], ["a"], [["", ""]], "images", None)
    assert trace["x"] == pytest.approx([1.5, 2.5])
    assert trace["y"] == [0, 1]


def test_two_histograms_share_a_bin_side_by_side() -> None:
    pair = [log_histogram(10, 100, 1000)] * 2
    labels = [["", ""]] * 2
    first, second = histogram_traces(pair, ["a", "b"], labels, "images", None)
    ends = [
        (x - width / 2, x + width / 2)
        for trace in (first, second)
        for x, width in zip(trace["x"], trace["width"], strict=True)
    ]
    assert all(1 <= low < high <= 2 for low, high in (ends[0], ends[2]))
    assert ends[0][1] <= ends[2][0] + 1e-9


def test_zeros_have_a_place_left_of_all_others() -> None:
    histogram = log_histogram(0, 10, 100)
    (trace,) = histogram_traces([histogram], ["a"], [["", ""]], "images", None)
    assert trace["x"][0] + trace["width"][0] / 2 < 1
    layout = histogram_layout([histogram], "", "images", is_share=False)
    assert layout["xaxis"]["ticktext"][-1] == "0"


@pytest.mark.parametrize(
    ("edges", "shown"),
    [
        ((10, 100), []),
        ((10, 5000), ["medium ≥ 32²"]),
        ((10, 100_000), ["medium ≥ 32²", "large ≥ 96²"]),
        ((2000, 100_000), ["large ≥ 96²"]),
    ],
)
def test_cocos_limits_are_marked_where_the_axis_has_them(
    edges: tuple[int, int], shown: list[str]
) -> None:
    layout = histogram_layout([log_histogram(*edges)], "", "objects", is_share=False)
    assert [a["text"] for a in layout.get("annotations", [])] == shown
    limits = {"medium ≥ 32²": 1024, "large ≥ 96²": 9216}
    places = [shape["x0"] for shape in layout.get("shapes", [])]
    assert places == pytest.approx([math.log10(limits[text]) for text in shown])


def test_a_selected_bar_stands_out() -> None:
    pair = [log_histogram(10, 100, 1000)] * 2
    labels = [["", ""]] * 2
    traces = histogram_traces(pair, ["a", "b"], labels, "images", (1, 0))
    faded, clear = traces[0]["marker"]["opacity"], traces[1]["marker"]["opacity"]
    assert clear[0] == 1
    assert max([*faded, clear[1]]) < 0.5


def test_ticks_of_a_short_axis_are_closer() -> None:
    assert list(charts.log_ticks(0, 4).values()) == ["1", "10", "100", "1k", "10k"]
    assert list(charts.log_ticks(3.5, 4.5).values()) == ["5k", "10k", "20k"]
    assert list(charts.log_ticks(math.log10(21_000), math.log10(49_000)).values()) == [
        "25k",
        "30k",
        "35k",
        "40k",
        "45k",
    ]
    short = charts.log_ticks(5.9, 6.1)
    assert list(short.values()) == ["800k", "900k", "1M", "1.1M", "1.2M"]
    assert list(short) == pytest.approx([math.log10(n * 1e5) for n in range(8, 13)])
    assert list(charts.log_ticks(0, 0).values()) == ["1"]


def test_names_of_cocos_limits_are_one_below_the_other() -> None:
    histogram = log_histogram(10, 100_000)
    layout = histogram_layout([histogram], "", "objects", is_share=False)
    medium, large = layout["annotations"]
    # They are 11 px high.
    assert large["yshift"] <= medium["yshift"] - 12


def share_histogram(scale: Scale, *edges: float) -> Histogram:
    counts = (3,) * (len(edges) - 1)
    return Histogram("path", edges, counts, 0, scale, is_integer=False)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ((0.0, 0.5, 1.0), ".0%"),
        ((0.1, 0.2), ".0%"),
        ((0.02, 0.03, 0.05), ".1%"),
        ((0.25, 0.251), ".2%"),
    ],
)
def test_ticks_of_shares_differ_in_what_they_say(
    edges: tuple[float, ...], expected: str
) -> None:
    histogram = share_histogram("linear", *edges)
    layout = histogram_layout([histogram], "", "images", is_share=True)
    assert layout["xaxis"]["tickformat"] == expected


def test_an_axis_of_zeros_alone_says_zero() -> None:
    histogram = share_histogram("log", 0.0, math.nextafter(0, 1))
    layout = histogram_layout([histogram], "", "images", is_share=True)
    assert layout["xaxis"]["ticktext"] == ["0"]
    (trace,) = histogram_traces([histogram], ["a"], [[""]], "images", None)
    assert layout["xaxis"]["tickvals"] == pytest.approx(trace["x"])


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_single_value_has_a_bar_that_can_be_seen(scale: Scale) -> None:
    histogram = share_histogram(scale, 0.25, math.nextafter(0.25, 1))
    (trace,) = histogram_traces([histogram], ["a"], [[""]], "images", None)
    place = 0.25 if scale == "linear" else math.log10(0.25)
    assert trace["x"] == pytest.approx([place])
    assert trace["width"][0] > 0.005
    assert bar_labels(histogram, is_share=True) == ["25%"]


def test_ranges_of_shares_are_in_percent() -> None:
    linear = Histogram("path", (0.0, 0.05, 0.1), (1, 1), 0, "linear", False)
    assert bar_labels(linear, is_share=True) == [
        "0% – 5%",
        "5% – 10%",
    ]
    log = Histogram("path", (0.0, 0.001, 0.1), (1, 1), 0, "log", False)
    assert bar_labels(log, is_share=True) == ["0%", "0.1% – 10%"]
    assert bar_range(log, 1, "overlap", is_share=True) == "overlap 0.1% – 10%"


def test_a_map_of_areas_has_a_cell_per_pair_of_bins() -> None:
    bins = AnnotatedBins(stated=(8, 10), mask=(8, 9), counts=(1, 100))
    trace = area_map.area_map_trace(bins)
    assert len(trace["x"]) == 4
    assert len(trace["y"]) == 3
    assert trace["z"] == [[0, None, None], [None, None, 2]]
    assert trace["text"][1][2] == "100 objects<br>stated 18 – 23 px<br>mask 14 – 17 px"
    assert trace["text"][0][0].startswith("1 object<br>")


def test_the_middle_of_a_cell_is_in_its_bin() -> None:
    for index in (-3, 0, 7, 40):
        middle = (AnnotatedBins.edge(index) + AnnotatedBins.edge(index + 1)) / 2
        assert bin_of(middle) == index


def test_a_selected_cell_is_framed() -> None:
    bins = AnnotatedBins(stated=(8, 10), mask=(8, 9), counts=(1, 100))
    plain = area_map.area_map_layout(bins, None)["shapes"]
    frame = area_map.area_map_layout(bins, (10, 9))["shapes"][len(plain)]
    assert (frame["x0"], frame["y0"]) == (10 / 8, 9 / 8)


def test_large_files_are_left_for_the_server_to_stream(tmp_path: Path) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large & ä.csv"
    small.write_text("a,b")
    assert download_url(small) == "data:text/csv;charset=utf-8;base64,YSxi"
    large.write_bytes(b"x" * (MAX_BYTES_IN_MESSAGE + 1))
    url = download_url(large)
    assert url.startswith("/media?filepath=")
    assert "&" not in url
    assert large.exists()
