"""Panels of the App."""

from __future__ import annotations

from typing import Any

from .mask_evaluation import MaskEvaluationPanel
from .mask_inspector import MaskInspectorPanel

PANELS = (MaskEvaluationPanel, MaskInspectorPanel)


def register(plugin: Any) -> None:
    """Registers the panels.

    Args:
        plugin: the ``fiftyone.plugins.context.PluginContext``
    """
    for panel in PANELS:
        plugin.register(panel)
