"""What all tests share: where the repository is, and the real exports if present."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
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
def demo_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's export, to be read: 21 images, 3 splits, an RLE, a broken ring."""
    # Not above: it loads OpenCV, and not every test needs that.
    from fiftyone_cocomask.demo import write_demo_export

    return write_demo_export(tmp_path_factory.mktemp("demo") / "butterflies")


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
