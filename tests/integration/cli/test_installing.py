"""``install`` and ``uninstall``, as FiftyOne sees them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import fiftyone.plugins as fop
import pytest

from fiftyone_cocomask.cli import main
from tests.plugin import PLUGIN, link_plugin


@pytest.fixture(autouse=True)
def plugins(tmp_path: Path) -> Iterator[Path]:
    """A folder of plugins of its own, empty."""
    before = fo.config.plugins_dir
    fo.config.plugins_dir = str(tmp_path / "plugins")
    yield tmp_path / "plugins"
    fo.config.plugins_dir = before


@pytest.mark.parametrize("words", [["install"], ["install", "--copy"]], ids=str)
def test_fiftyone_finds_what_was_installed(
    words: list[str], capsys: pytest.CaptureFixture[str], plugins: Path
) -> None:
    assert main(words) == 0
    definition = fop.get_plugin(PLUGIN)
    assert definition.has_py
    assert str(definition.directory) in capsys.readouterr().out
    assert [skill.plugin_name for skill in fop.list_skills(plugin=PLUGIN)] == [PLUGIN]
    assert main(["uninstall"]) == 0
    assert PLUGIN not in fop.list_downloaded_plugins()
    assert main(["uninstall"]) == 1
    assert "not installed" in capsys.readouterr().err


def test_a_plugin_that_was_downloaded_is_left_alone(
    capsys: pytest.CaptureFixture[str], plugins: Path
) -> None:
    downloaded = plugins / "@cocomask" / "cocomask"
    downloaded.mkdir(parents=True)
    source = Path(__file__).resolve().parents[3]
    shutil.copy2(source / "fiftyone.yml", downloaded)
    assert main(["install"]) == 1
    assert f"already, in {downloaded}" in capsys.readouterr().err
    assert [path.name for path in plugins.iterdir()] == ["@cocomask"]


def test_installing_twice_is_fine(plugins: Path) -> None:
    assert main(["install"]) == 0
    assert main(["install"]) == 0
    assert fop.list_downloaded_plugins() == [PLUGIN]


def test_a_link_by_hand_counts_as_installed(plugins: Path) -> None:
    plugins.mkdir()
    link_plugin(plugins)
    assert main(["install"]) == 0
    assert fop.list_downloaded_plugins() == [PLUGIN]
