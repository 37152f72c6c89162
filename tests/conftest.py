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
