"""Panels of the App."""

from __future__ import annotations

from typing import Any

from .evaluation.panel import MaskEvaluationPanel
from .inspector.panel import MaskInspectorPanel

PANELS = (MaskEvaluationPanel, MaskInspectorPanel)


def register(plugin: Any) -> None:
    """Registers the panels.

    Args:
        plugin: the ``fiftyone.plugins.context.PluginContext``
    """
    for panel in PANELS:
        plugin.register(panel)
