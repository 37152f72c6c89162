"""``python -m fiftyone_cocomask``."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
