"""Runs and saved views as FiftyOne stores them, in an order that no kill can spoil.

FiftyOne's own calls delete a run before they write the one that takes its place, and
its document before the dataset's reference to it: killed in between, the dataset names
a run, or a view, that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from io import BufferedReader, RawIOBase
from typing import Any, Literal

import fiftyone as fo
import fiftyone.constants as foc
import fiftyone.core.dataset as fod
from bson import json_util
from fiftyone.core.odm.runs import RunDocument
from gridfs.errors import NoFile
from mongoengine.errors import DoesNotExist

from ...fiftyone_types import SampleCollection
from ..database_errors import DatasetChangedError

# The fields of a dataset's document that hold runs, and its caches of their results.
RunField = Literal["runs", "evaluations"]
_CACHES = {
    "runs": "_run_cache",
    "evaluations": "_evaluation_cache",
    "brain_methods": "_brain_cache",
}
_RUN_FIELDS = tuple(_CACHES)


def reload_runs(dataset: fo.Dataset) -> None:
    """Reads the runs of a dataset anew, which others may have done again.

    FiftyOne keeps what it loaded, and the results of runs even after they are gone.
    """
    for name in _RUN_FIELDS:
        getattr(dataset, _CACHES[name]).clear()
        for document in getattr(dataset._doc, name).values():
            if isinstance(document, RunDocument):
                with suppress(DoesNotExist):
                    document.reload()


def runs_state(dataset: fo.Dataset) -> list[tuple[str, str, bool]]:
    """Returns what changes when a run is begun or deleted, or gets its results."""
    return [
        # In milliseconds, as other processes know it.
        (key, run.timestamp.isoformat(timespec="milliseconds"), bool(run.results))
        for name in ("runs", "evaluations")
        for key, run in getattr(dataset._doc, name).items()
        if isinstance(run, RunDocument)
    ]


def run_results(
    dataset: fo.Dataset, key: str, *, field: RunField = "runs", cache: bool = True
) -> Any:
    """Returns the results of a run, None if it has none.

    Args:
        dataset: the dataset
        key: the key of the run
        field: where it is
        cache: whether those that this process has loaded before will do

    Raises:
        DatasetChangedError: if the run was deleted meanwhile
    """
    name = "load_run_results" if field == "runs" else "load_evaluation_results"
    try:
        return getattr(dataset, name)(key, cache=cache)
    except (AttributeError, NoFile):
        # Those that this process knows of are gone: somebody else has made others.
        dataset.reload()
    if key not in getattr(dataset, f"list_{field}")():
        raise DatasetChangedError(
            f"'{key}' of dataset '{dataset.name}' has been deleted in the meantime"
        )
    return getattr(dataset, name)(key, cache=cache)


def begin_run(samples: SampleCollection, key: str, config: Any) -> None:
    """Registers a custom run without results; one of the key becomes it in one write.

    Args:
        samples: the dataset or view that the run is of
        key: its key
        config: what ``samples.init_run`` returned
    """
    dataset = samples._root_dataset
    if key not in dataset.list_runs():
        samples.register_run(key, config)
        return
    stages = None
    if samples is not dataset:
        stages = [json_util.dumps(s) for s in samples._serialize(include_uuids=False)]
    document = dataset._doc.runs[key]
    results = document.results
    document.config = config.serialize()
    document.version = foc.VERSION
    document.timestamp = datetime.now(timezone.utc).replace(tzinfo=None)
    document.view_stages = stages
    document.results = None
    document.results_meta = {}
    document.save()
    dataset._run_cache.pop(key, None)
    if results:
        results.delete()


def describe_run(dataset: fo.Dataset, key: str, config: Any) -> None:
    """Gives a custom run another config, and leaves it its results.

    Args:
        dataset: the dataset
        key: the key of the run
        config: what ``dataset.init_run`` returned
    """
    document = dataset._doc.runs[key]
    document.config = config.serialize()
    document.save()


def replace_results(
    dataset: fo.Dataset, key: str, results: Any, **lists: Iterable[Any]
) -> None:
    """Gives a custom run other results; a kill leaves it the old ones or the new.

    Args:
        dataset: the dataset
        key: the key of the run
        results: what ``dataset.init_run_results`` returned
        lists: further lists of the results, by name, that are too long to be held
    """
    document = dataset._doc.runs[key]
    file = document.results
    old_id = file.grid_id
    # As FiftyOne writes them, but beside the old ones.
    file.grid_id, file.gridout = None, None
    content = BufferedReader(_Pieces(_json(results.serialize(), lists)))
    file.put(content, content_type="application/json")
    # A document that was read again does not notice it by itself.
    document.results = file
    document.results_meta = dict(results.get_meta() or {})
    document.save()
    if lists:
        dataset._run_cache.pop(key, None)
    else:
        dataset._run_cache[key] = results
    if old_id is not None:
        file.fs.delete(old_id)


def _json(
    content: dict[str, Any], lists: Mapping[str, Iterable[Any]]
) -> Iterator[bytes]:
    """Yields the JSON of a document, to which some lists are added, in pieces."""
    yield json_util.dumps(content).encode()[:-1]
    for name, values in lists.items():
        yield f', "{name}": ['.encode()
        for number, value in enumerate(values):
            yield (", " if number else "").encode() + json_util.dumps(value).encode()
        yield b"]"
    yield b"}"


class _Pieces(RawIOBase):
    """A file whose content comes in pieces, none of them empty."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        number = min(len(buffer), len(self._left))
        buffer[:number] = self._left[:number]
        self._left = self._left[number:]
        return number


def rename_run(dataset: fo.Dataset, field: RunField, key: str, new_key: str) -> None:
    """Gives a run another key; done again after a kill, it completes.

    Args:
        dataset: the dataset
        field: where its runs are
        key: the key of the run
        new_key: its new key, which no other run has
    """
    runs = getattr(dataset._doc, field)
    document = runs[key]
    document.key = new_key
    document.save()
    # Not `pop`, which mongoengine does not notice.
    del runs[key]
    runs[new_key] = document
    dataset.save()
    cache = getattr(dataset, _CACHES[field])
    results = cache.pop(key, None)
    if results is not None:
        results._key = new_key
        cache[new_key] = results


def delete_run(dataset: fo.Dataset, field: RunField, key: str) -> None:
    """Deletes a run, or what a killed deletion has left of it.

    Args:
        dataset: the dataset
        field: where its runs are
        key: the key of the run
    """
    runs = getattr(dataset._doc, field)
    if key in runs:
        del runs[key]
        dataset.save()
    results = getattr(dataset, _CACHES[field]).pop(key, None)
    if results is not None:
        results._key = None
    referenced = {
        document.id
        for name in _RUN_FIELDS
        for document in getattr(dataset._doc, name).values()
    }
    for document in RunDocument.objects(dataset_id=dataset._doc.id, key=key):
        if document.id not in referenced:
            if document.results:
                document.results.delete()
            document.delete()


def save_patches_view(
    dataset: fo.Dataset, name: str, view: SampleCollection, field: str, description: str
) -> None:
    """Saves a view of the patches of a view's labels, made once somebody opens it.

    Args:
        dataset: the dataset
        name: the name of the saved view
        view: a view of samples
        field: the field of the labels, a list of them
        description: what the App says of it
    """
    dataset.save_view(name, view, description=description)
    stage = fo.ToPatches(field)._serialize(include_uuid=False)
    for document in dataset._doc.get_saved_views():
        if document.name == name:
            document.view_stages = [*document.view_stages, json_util.dumps(stage)]
            document.save()


def delete_saved_view(dataset: fo.Dataset, name: str) -> None:
    """Deletes a saved view; one that is not there is not an error."""
    dataset._doc.reload("saved_views")
    for document in dataset._doc.get_saved_views():
        if document.name == name:
            if any(map(_has_patches, document.view_stages)):
                fod._handle_delete_generated_saved_view(dataset, document)
            dataset._doc.saved_views.remove(document)
            dataset.save()
            document.delete()
            return


def _has_patches(stage: str) -> bool:
    """Whether a stage of a saved view has made its patches.

    FiftyOne makes those that are not there yet only to delete them.
    """
    arguments = json_util.loads(stage).get("kwargs") or []
    return any(name == "_state" and value for name, value in arguments)
