"""Whatever an export holds: no crash, no exception but ExportError, all accounted for.

``COCOMASK_FUZZ_CASES=10000`` runs more cases than the test command does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .fuzzing import MEMORY, SECONDS, budget

REPOSITORY = Path(__file__).resolve().parents[3]
CASES = int(os.environ.get("COCOMASK_FUZZ_CASES", "500"))


def test_mutated_exports_are_read_or_refused() -> None:
    command = [sys.executable, "-m", "tests.unit.coco.fuzzing", "--cases", str(CASES)]
    result = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr[-5000:] + result.stdout
    outcomes = json.loads(result.stdout)
    assert sum(outcomes.values()) == CASES
    # The mutations reach all three ways that reading can end.
    assert min(outcomes.get(kind, 0) for kind in ("clean", "dropped", "refused")) > (
        CASES // 50
    )


def test_a_case_that_takes_more_than_its_bytes_allow_fails() -> None:
    def work() -> None:
        ends = time.process_time() + SECONDS + 0.1
        while time.process_time() < ends:
            pass

    with budget(10**6):
        work()
    with pytest.raises(AssertionError, match="s for 100 bytes"), budget(100):
        work()
    with budget(MEMORY):
        assert bytearray(MEMORY + 2**25).count(0)
    with pytest.raises(AssertionError, match="for 100 bytes"), budget(100):
        assert bytearray(2 * MEMORY + 2**26).count(0)
