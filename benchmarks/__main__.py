"""Everything beside FiftyOne's own way, as datasets grow.

python -m benchmarks [--images 1000 10000 100000] [--runs 5] [--folder FOLDER]

Each stage, from the import to the report, is run once in each of ``--runs`` rounds, in
a process of its own, whose peak memory it is; before that it is run there on 10 images,
so that loading Python's modules is not counted. Up to ``--baseline`` images it is
followed by FiftyOne's nearest function, or by a plain loop, which has to find the same.
Prints Markdown: medians, with the least and the most.

With ``--folder``, all is kept there: a call that was stopped is given again, and goes
on with the round that it was in; more runs can be added. ``--runs 0`` only prints what
there is. ``--stages "search*"`` measures some stages, and those that they need.
"""

from __future__ import annotations

import argparse
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from .figures import Figures, Row, print_figures
from .measuring import machine, own_fiftyone

if TYPE_CHECKING:
    from .stages import Stage


def main() -> None:
    options = _options()
    folder = own_fiftyone(options.folder and options.folder.resolve())
    # Only now: it imports FiftyOne, which reads its settings then.
    from .baselines import baselines
    from .runs import measure
    from .stages import STAGES, put_away_below

    figures = Figures(options.folder and options.folder / "figures.json")
    compared = baselines()
    chosen = _with_needed(STAGES, options.stages)
    for images in options.images if options.runs else ():
        measure(folder, images, chosen, figures, options)
    shutil.rmtree(put_away_below(folder), ignore_errors=True)
    rows = []
    for name, stage in STAGES.items():
        other = compared.get(name)
        instead, of = (other.name, other.images) if other else (None, None)
        rows.append(Row(name, stage.one, instead, of))
    print(f"{machine()}; 10 polygons an image\n")
    print_figures(figures, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[1000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--baseline", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--stages", nargs="+", default=["*"])
    return parser.parse_args()


def _with_needed(stages: dict[str, Stage], patterns: list[str]) -> list[Stage]:
    """Returns the stages of some names, with those that they need, in order."""
    chosen = {
        name for name in stages if any(fnmatch(name, pattern) for pattern in patterns)
    }
    for name in reversed(stages):
        if name in chosen:
            chosen.update(stages[name].needs)
    return [stage for name, stage in stages.items() if name in chosen]


if __name__ == "__main__":
    main()
