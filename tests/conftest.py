"""What all tests share: where the repository is, and the real exports if present."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]
EXPORTS = REPOSITORY.parent / "shared" / "exports"
CASES = REPOSITORY.parent / "shared" / "cases"

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="processes are forked, or sent signals"
)

# A busy machine makes no test fail.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture(scope="session")
def demo_export(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Path:
    """The demo's export, to be read: 21 images, 3 splits, an RLE, a broken ring.

    It takes seconds to draw: pytest's cache keeps it while its code is the same.
    """
    # Not above: it loads OpenCV, and not every test needs that.
    from fiftyone_cocomask.demo import write_demo_export

    digest = hashlib.sha256()
    for room in ("coco", "demo", "geometry"):
        for path in sorted((REPOSITORY / "fiftyone_cocomask" / room).glob("*.py")):
            digest.update(path.read_bytes())
    folder = tmp_path_factory.mktemp("demo")
    cache = getattr(pytestconfig, "cache", None)
    if cache is None:
        # As with ``-p no:cacheprovider``.
        return write_demo_export(folder / "butterflies")
    kept = cache.mkdir("demo_exports") / digest.hexdigest()[:16]
    # One of the processes that run tests draws it.
    with FileLock(kept.with_suffix(".lock")):
        if not kept.exists():
            drawn = write_demo_export(folder / "drawn")
            with tempfile.TemporaryDirectory(dir=kept.parent) as beside:
                shutil.copytree(drawn, Path(beside) / "copy").rename(kept)
    return shutil.copytree(kept, folder / "butterflies")


@pytest.fixture(scope="session")
def exports() -> Path:
    """The folder of real Roboflow exports; tests that need it skip without it."""
    if not EXPORTS.is_dir():
        pytest.skip(f"no real exports at {EXPORTS}")
    return EXPORTS


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of small inputs from real work; tests that need it skip without it."""
    if not CASES.is_dir():
        pytest.skip(f"no cases at {CASES}")
    return CASES
