"""The plugin's folder, as FiftyOne wants it, and its place among FiftyOne's plugins.

A checkout is such a folder itself. A wheel carries one inside the package, whose
entry is a single line that imports the package; pyproject.toml says of what it is made.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .errors import CocoMaskError

NAME = "@cocomask/cocomask"

_PACKAGE = Path(__file__).resolve().parent
_IN_WHEEL = _PACKAGE / "_plugin"
# Marks a copy as one that may be deleted.
_MARK = ".made-by-fiftyone-cocomask"
_COPIED = ("fiftyone.yml", "requirements.txt", "assets", "skills")


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """What :func:`install_plugin` did.

    Attributes:
        path: where the plugin is among FiftyOne's plugins
        source: the folder that it is linked to, or copied from
        is_link: whether it is a link
        why_copied: why the system refused a link, if it did
    """

    path: Path
    source: Path
    is_link: bool
    why_copied: str | None = None

    @property
    def how(self) -> str:
        """How it is installed, in words before the source."""
        return "a link to" if self.is_link else "a copy of"


def plugin_folder() -> Path:
    """Returns the folder with the plugin's manifest.

    Raises:
        CocoMaskError: if the package came without it
    """
    for folder in (_IN_WHEEL, _PACKAGE.parent):
        if (folder / "fiftyone.yml").is_file():
            return folder
    raise CocoMaskError(
        f"The package at {_PACKAGE} came without the plugin's fiftyone.yml; install it "
        "again with pip"
    )


def install_path(plugins_dir: str | Path) -> Path:
    """Returns where :func:`install_plugin` puts the plugin."""
    return Path(plugins_dir) / "cocomask"


def install_plugin(plugins_dir: str | Path, *, copy: bool = False) -> InstalledPlugin:
    """Puts the plugin into a folder of plugins: a link, or else a small copy.

    Args:
        plugins_dir: the folder of plugins, ``fo.config.plugins_dir``; made if need be
        copy: whether to copy the manifest and what belongs to it where a link would do

    Returns:
        an :class:`InstalledPlugin`

    Raises:
        CocoMaskError: if something that this function did not make is in the way
    """
    source = plugin_folder()
    path = install_path(plugins_dir)
    if copy:
        _check_package_is_installed()
    if os.path.lexists(path):
        _remove(path)
    else:
        Path(plugins_dir).mkdir(parents=True, exist_ok=True)
    refused = None
    if not copy:
        try:
            path.symlink_to(source, target_is_directory=True)
            return InstalledPlugin(path, source, is_link=True)
        except OSError as error:
            # Windows lets only developers and administrators make links.
            refused = error.strerror or str(error)
            _check_package_is_installed()
    _copy(source, path)
    return InstalledPlugin(path, source, is_link=False, why_copied=refused)


def uninstall_plugin(plugins_dir: str | Path) -> Path:
    """Undoes :func:`install_plugin`.

    Returns:
        what was removed

    Raises:
        CocoMaskError: if there is nothing to remove, or what is there was not made by
            :func:`install_plugin`
    """
    path = install_path(plugins_dir)
    if not os.path.lexists(path):
        raise CocoMaskError(f"The plugin is not installed: there is no {path}")
    _remove(path)
    return path


def _check_package_is_installed() -> None:
    """Raises if the entry of a copy would find no package."""
    try:
        distribution("fiftyone-cocomask")
    except PackageNotFoundError:
        raise CocoMaskError(
            "A copy of the plugin needs the package: install it with pip first"
        ) from None


def _copy(source: Path, path: Path) -> None:
    path.mkdir()
    # First, so that what an interruption leaves can be removed.
    (path / _MARK).touch()
    for name in _COPIED:
        original = source / name
        if original.is_dir():
            shutil.copytree(original, path / name)
        else:
            shutil.copy2(original, path / name)
    entry = path / "fiftyone_cocomask" / "__init__.py"
    entry.parent.mkdir()
    in_wheel = source / entry.relative_to(path)
    from_wheel = source == _IN_WHEEL
    shutil.copy2(in_wheel if from_wheel else _PACKAGE / "plugin_entry.py", entry)


def _remove(path: Path) -> None:
    """Removes what :func:`install_plugin` made, and raises if it did not."""
    if path.is_symlink():
        target = path.parent / os.readlink(path)
        if not _is_plugin(target):
            raise CocoMaskError(
                f"{path} is a link to {target}, which is not this plugin; remove it if "
                "it should go"
            )
        path.unlink()
    elif (path / _MARK).is_file():
        shutil.rmtree(path)
    else:
        raise CocoMaskError(
            f"{path} is there already, and was not made by this command; remove it "
            f"with `fiftyone plugins delete {NAME}` if it should go"
        )


def _is_plugin(target: Path) -> bool:
    """Whether a link's target is a plugin folder of this package.

    A link into another environment may dangle; then only its name identifies it.
    """
    if target.exists():
        manifest = target / "fiftyone.yml"
        return manifest.is_file() and NAME in manifest.read_text("utf-8", "replace")
    return target.parts[-2:] == _IN_WHEEL.parts[-2:]
