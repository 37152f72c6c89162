"""The dataset, or its saved view, that a command is given by name."""

from __future__ import annotations

import argparse
import os
from difflib import get_close_matches
from typing import Any

from ..errors import CocoMaskError
from .outcome import say


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


def datasets_or_paths(*names: str) -> list[Any]:
    """Returns the dataset of each name, or an export's path.

    A folder's name alone means the dataset, if there is one: an import names it after
    the export's folder, which may still be there. What has a separator, and a file, is
    a path, for which no database is needed.

    Raises:
        CocoMaskError: if a name is of neither
    """
    paths = {name for name in names if _is_path(name)}
    folders = {name for name in names if name not in paths and os.path.lexists(name)}
    for name in sorted(folders):
        say(f"Looking for a dataset {name!r}; the folder is .{os.sep}{name}")
    if folders:
        paths |= folders.difference(_datasets())
    return [name if name in paths else _dataset(name) for name in names]


def _dataset(name: str) -> Any:
    import fiftyone as fo

    if is_dataset(name):
        return fo.load_dataset(name)
    raise CocoMaskError(
        f"No export or dataset {name!r}{_instead(name, fo.list_datasets())}"
    )


def _is_path(name: str) -> bool:
    """Whether a name can only be that of a file or folder."""
    is_name = name == os.path.basename(name) and name not in (os.curdir, os.pardir)
    return not is_name or os.path.expanduser(name) != name or os.path.isfile(name)


def _datasets() -> list[str]:
    """Returns the names of all datasets; none where there is no database."""
    try:
        import fiftyone as fo

        return list(fo.list_datasets())
    except Exception:
        # Without its database, FiftyOne raises errors of any kind, even while it loads.
        say("FiftyOne's database does not answer: the folder is taken")
        return []


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
