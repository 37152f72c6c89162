"""The command line: ``python -m fiftyone_cocomask`` or ``fiftyone-cocomask``."""

from .main import main, run

__all__ = ["main", "run"]
