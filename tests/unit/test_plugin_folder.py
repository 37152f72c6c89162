"""The plugin's way into FiftyOne's folder of plugins, and out of it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiftyone_cocomask.errors import CocoMaskError
from fiftyone_cocomask.plugin_folder import (
    install_path,
    install_plugin,
    plugin_folder,
    uninstall_plugin,
)
from tests.conftest import REPOSITORY


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "plugins"


def test_a_checkout_is_the_plugin_s_folder() -> None:
    assert plugin_folder() == REPOSITORY


def test_install_links_the_folder(plugins: Path) -> None:
    installed = install_plugin(plugins)
    assert installed.is_link
    assert installed.path.parent == plugins
    assert installed.path.resolve() == REPOSITORY
    assert uninstall_plugin(plugins) == installed.path
    assert list(plugins.iterdir()) == []
    assert (REPOSITORY / "fiftyone.yml").is_file()


def test_a_copy_has_what_fiftyone_reads(plugins: Path) -> None:
    installed = install_plugin(plugins, copy=True)
    assert not installed.path.is_symlink()
    for name in ("fiftyone.yml", "requirements.txt", "assets/mask.svg"):
        copied, original = installed.path / name, REPOSITORY / name
        assert copied.read_bytes() == original.read_bytes()
    assert (installed.path / "fiftyone_cocomask" / "__init__.py").is_file()
    assert any((installed.path / "skills").glob("*/SKILL.md"))
    uninstall_plugin(plugins)
    assert list(plugins.iterdir()) == []


@pytest.mark.parametrize("first", [False, True], ids=["link", "copy"])
@pytest.mark.parametrize("second", [False, True], ids=["link", "copy"])
def test_installing_again_replaces_what_was_installed(
    plugins: Path, first: bool, second: bool
) -> None:
    install_plugin(plugins, copy=first)
    installed = install_plugin(plugins, copy=second)
    assert installed.is_link is not second
    assert list(plugins.iterdir()) == [installed.path]


def test_what_others_made_stays(plugins: Path) -> None:
    path = install_path(plugins)
    path.mkdir(parents=True)
    note = path / "note.txt"
    note.write_text("mine")
    for change in (install_plugin, uninstall_plugin):
        with pytest.raises(CocoMaskError, match="not made by this command"):
            change(plugins)
    assert note.read_text() == "mine"


def test_a_link_of_others_stays(plugins: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    plugins.mkdir(parents=True)
    install_path(plugins).symlink_to(other, target_is_directory=True)
    for change in (install_plugin, uninstall_plugin):
        with pytest.raises(CocoMaskError, match="not this plugin"):
            change(plugins)
    assert install_path(plugins).resolve() == other


def test_a_link_into_an_environment_that_is_gone_is_replaced(
    plugins: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone" / "fiftyone_cocomask" / "_plugin"
    plugins.mkdir(parents=True)
    install_path(plugins).symlink_to(gone, target_is_directory=True)
    assert install_plugin(plugins).path.resolve() == REPOSITORY


def test_nothing_to_uninstall_is_said(plugins: Path) -> None:
    with pytest.raises(CocoMaskError, match="not installed"):
        uninstall_plugin(plugins)
