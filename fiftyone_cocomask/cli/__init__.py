"""The command line: ``python -m fiftyone_cocomask`` or ``fiftyone-cocomask``."""

from .main import main

__all__ = ["main"]
