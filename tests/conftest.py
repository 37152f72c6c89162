"""What all tests share: where the repository is, and the real exports if present."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
EXPORTS = REPOSITORY.parent / "shared" / "exports"


@pytest.fixture(scope="session")
def exports() -> Path:
    """The folder of real Roboflow exports; tests that need it skip without it."""
    if not EXPORTS.is_dir():
        pytest.skip(f"no real exports at {EXPORTS}")
    return EXPORTS
