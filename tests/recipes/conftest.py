"""Recipes that need large packages: with a FiftyOne of their own."""

from __future__ import annotations

from tests.integration import conftest as own_fiftyone  # noqa: F401
