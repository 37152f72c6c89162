"""Recipes that need large packages: with a FiftyOne of their own."""

from __future__ import annotations

from tests.integration.conftest import pytest_configure  # noqa: F401
