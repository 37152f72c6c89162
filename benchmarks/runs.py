"""The rounds of a measurement: each stage once in each, in a process of its own."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import fiftyone as fo

from .app import answers
from .baselines import baselines
from .figures import Figure, Figures
from .measuring import in_new_process, own_fiftyone, peak_megabytes, timed
from .stages import STAGES, Case, Stage

# What a stage is run on before it is measured.
FEW_IMAGES = 10
# What the App shows figures of.
_OF_APP = {"area of masks and objects", "coverage and overlap", "search for issues"}


def measure(
    folder: Path,
    images: int,
    stages: list[Stage],
    figures: Figures,
    options: argparse.Namespace,
) -> None:
    """Measures the rounds that are not measured yet."""
    cases = (Case(folder, FEW_IMAGES), Case(folder, images))
    stages = [stage for stage in stages if images <= (stage.most or images)]
    rounds = [
        number
        for number in range(options.runs)
        if not all(figures.has(images, stage.name, number) for stage in stages)
    ]
    if not rounds:
        return
    # Keeps the database running from one stage to the next.
    fo.list_datasets()
    for case in cases:
        in_new_process(_prepare, case)
    for number in rounds:
        for case in cases:
            case.begin()
        for stage in stages:
            _run(
                cases, stage, number, figures, with_baseline=images <= options.baseline
            )
        names = {stage.name for stage in stages}
        if names >= _OF_APP:
            for name, (first, again) in in_new_process(_of_app, cases).items():
                figures.add_answer(images, name, number, first, again)
        if "masks" in names:
            for name, kilobytes in cases[1].sizes().items():
                figures.add_size(images, name, kilobytes)
    for case in cases:
        case.begin()


def _run(
    cases: tuple[Case, Case],
    stage: Stage,
    number: int,
    figures: Figures,
    *,
    with_baseline: bool,
) -> None:
    """Measures a stage, and what it is compared with."""
    images = cases[1].images
    baseline = baselines().get(stage.name) if with_baseline else None
    if baseline is not None:
        for case in cases:
            baseline.copy(case)
    figure = in_new_process(_of_stage, cases, stage.name)
    figures.add(images, stage.name, number, figure)
    _say(images, number, stage.name, figure)
    if baseline is not None:
        figure = in_new_process(_of_baseline, cases, stage.name)
        name = f"{stage.name} / {baseline.name}"
        figures.add(images, name, number, figure)
        _say(images, number, name, figure)
    for case in cases:
        stage.end(case)


def _prepare(case: Case) -> None:
    own_fiftyone(case.folder)
    case.prepare()


def _of_stage(cases: tuple[Case, Case], name: str) -> Figure:
    own_fiftyone(cases[0].folder)
    stage = STAGES[name]
    taken = 0.0
    for case in cases:
        stage.begin(case)
        taken, _ = timed(stage.run, case)
    return Figure(1000 * taken / cases[1].images, peak_megabytes())


def _of_baseline(cases: tuple[Case, Case], name: str) -> Figure:
    own_fiftyone(cases[0].folder)
    baseline = baselines()[name]
    figure = Figure(0, 0)
    for case in cases:
        samples = baseline.opened(case)
        baseline.begin(case, samples)
        taken, found = timed(baseline.run, case, samples)
        images = min(baseline.images or case.images, case.images)
        figure = Figure(1000 * taken / images, peak_megabytes())
        baseline.check(case, samples, found)
    return figure


def _of_app(cases: tuple[Case, Case]) -> dict[str, list[float]]:
    own_fiftyone(cases[0].folder)
    for case in cases:
        found = answers(case)
    return found


def _say(images: int, number: int, name: str, figure: Figure) -> None:
    print(
        f"{time.strftime('%H:%M:%S')} {images:,} images, round {number + 1}: {name} "
        f"{figure.milliseconds:.2f} ms an image, {figure.megabytes:.0f} MB",
        file=sys.stderr,
        flush=True,
    )
