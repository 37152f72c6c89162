"""The plugin as FiftyOne loads it, for tests with a FiftyOne of their own."""

from __future__ import annotations

from pathlib import Path

from .conftest import REPOSITORY

PLUGIN = "@cocomask/cocomask"


def link_plugin(plugins_dir: str | Path) -> None:
    """Puts the repository into a folder of plugins, as a person would."""
    link = Path(plugins_dir) / "cocomask"
    if not link.is_symlink():
        link.symlink_to(REPOSITORY, target_is_directory=True)


def uri(name: str) -> str:
    """Returns the URI of an operator or panel of the plugin."""
    return f"{PLUGIN}/{name}"
