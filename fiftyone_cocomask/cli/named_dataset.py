"""The dataset, or its saved view, that a command is given by name."""

from __future__ import annotations

import argparse
import os
from difflib import get_close_matches
from typing import Any

from ..errors import CocoMaskError


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Adds the dataset, and the option that names one of its views."""
    parser.add_argument("dataset", help="the name of a dataset")
    parser.add_argument("--view", metavar="NAME", help="a saved view of the dataset")


def samples_of(options: argparse.Namespace) -> Any:
    """Returns the dataset, or its saved view, that the options name."""
    import fiftyone as fo

    name = options.dataset
    if not is_dataset(name):
        raise CocoMaskError(f"No dataset {name!r}{_instead(name, fo.list_datasets())}")
    dataset = fo.load_dataset(name)
    if options.view is None:
        return dataset
    if not dataset.has_saved_view(options.view):
        views = _instead(options.view, dataset.list_saved_views())
        raise CocoMaskError(
            f"Dataset {name!r} has no saved view {options.view!r}{views}"
        )
    from ..datasets.documents import whole_samples

    # A view of patches, as those of mask issues are, stands for their samples.
    return whole_samples(dataset.load_saved_view(options.view))


def dataset_or_path(name: str) -> Any:
    """Returns an export's path, or the dataset of this name if no file has it.

    Raises:
        CocoMaskError: if there is neither
    """
    if os.path.lexists(os.path.expanduser(name)) or os.path.sep in name:
        return name
    import fiftyone as fo

    if is_dataset(name):
        return fo.load_dataset(name)
    raise CocoMaskError(
        f"No export or dataset {name!r}{_instead(name, fo.list_datasets())}"
    )


def is_dataset(name: str) -> bool:
    """Whether there is a dataset of this name.

    Raises:
        DatabaseError: if MongoDB is not there or cannot be reached
    """
    import fiftyone as fo

    from ..datasets.database_errors import explain_database_errors

    with explain_database_errors():
        return bool(fo.dataset_exists(name))


def _instead(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=3)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return (
        f"; there are {', '.join(map(repr, known[:8]))}" if known else "; there is none"
    )
