"""The entry of a plugin folder that the package is not in: the one installed is it.

Wheels and copies have this file where a checkout has the package.
"""

from __future__ import annotations

from fiftyone_cocomask import register

__all__ = ["register"]
