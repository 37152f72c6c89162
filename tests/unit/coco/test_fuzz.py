"""Whatever an export holds: no crash, no exception but ExportError, all accounted for.

``COCOMASK_FUZZ_CASES=10000`` runs more cases than the test command does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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
