"""What all tests share: a FiftyOne of their own, and the real exports if present."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
EXPORTS = REPOSITORY.parent / "shared" / "exports"


def _use_own_fiftyone() -> Path:
    """Points FiftyOne at fresh folders, before any test imports it."""
    folder = Path(tempfile.mkdtemp(prefix="cocomask-tests-"))
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        del os.environ[name]
    for name in ("database", "plugins", "default_dataset"):
        (folder / name).mkdir()
        os.environ[f"FIFTYONE_{name.upper()}_DIR"] = str(folder / name)
    os.environ["FIFTYONE_CONFIG_PATH"] = str(folder / "config.json")
    os.environ["FIFTYONE_DO_NOT_TRACK"] = "true"
    os.environ["FIFTYONE_DATABASE_VALIDATION"] = "false"
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    return folder


_FOLDER = _use_own_fiftyone()


def pytest_unconfigure() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def exports() -> Path:
    """The folder of real Roboflow exports; tests that need it skip without it."""
    if not EXPORTS.is_dir():
        pytest.skip(f"no real exports at {EXPORTS}")
    return EXPORTS
