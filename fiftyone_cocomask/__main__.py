"""``python -m fiftyone_cocomask``."""

from __future__ import annotations

import sys

from .cli import run

if __name__ == "__main__":  # Processes that are spawned import this module.
    sys.exit(run())
