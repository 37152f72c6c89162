"""A FiftyOne apart from the person's own: database, datasets, plugins and settings."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path


def use_own_fiftyone(folder: Path, *, show_progress_bars: bool = True) -> None:
    """Points FiftyOne at a folder for everything; call it before any dataset is used.

    A folder alone is not enough: FiftyOne joins whichever database server of its kind
    is running, whatever folder that has. It knows them by the name of their service,
    so this one gets a name of its own.

    Args:
        folder: the folder; made if need be. Processes that call this with the same
            one share the database
        show_progress_bars: whether FiftyOne shows progress in the terminal
    """
    use_own_settings(folder, show_progress_bars=show_progress_bars)

    # Imported only now: FiftyOne reads its settings when it is imported.
    from fiftyone.core.service import DatabaseService

    digest = blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
    DatabaseService.service_name = f"db-{digest}"


def use_own_settings(folder: Path, *, show_progress_bars: bool = True) -> None:
    """Points FiftyOne at a folder's settings, without loading it.

    A person's own settings are left out altogether, since any of them may name the
    person's database.

    Args:
        folder: where datasets, plugins and the database go; made if need be
        show_progress_bars: whether FiftyOne shows progress in the terminal
    """
    folder = folder.resolve()
    folders = {
        f"{name}_dir": str(folder / name)
        for name in ("database", "default_dataset", "dataset_zoo", "plugins")
    }
    for path in folders.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    settings = {
        **folders,
        "do_not_track": True,
        "database_validation": False,
        "show_progress_bars": show_progress_bars,
    }
    config_path = folder / "fiftyone.json"
    config_path.write_text(json.dumps(settings, indent=2))
    for variable in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        del os.environ[variable]
    os.environ["FIFTYONE_CONFIG_PATH"] = str(config_path)


def delete_own_fiftyone(folder: Path) -> None:
    """Stops the database of :func:`use_own_fiftyone` and deletes its folder.

    Call it last, with ``atexit`` before FiftyOne is imported: what FiftyOne does at
    exit needs the database.
    """
    # Where FiftyOne has not noted its database there is none, and it would start one.
    if "FIFTYONE_PRIVATE_DATABASE_PORT" in os.environ:
        # Not above: it loads FiftyOne, which may not have been loaded.
        from fiftyone.core.odm import get_db_client
        from pymongo.errors import PyMongoError

        # The server closes the connection instead of an answer.
        with suppress(PyMongoError):
            get_db_client().admin.command("shutdown")
    shutil.rmtree(folder, ignore_errors=True)
