"""Commands around the job: ``demo``, ``install`` and ``uninstall``."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from ..errors import CocoMaskError
from .options import on_interrupt
from .outcome import Outcome, say


def add_to(commands: Any) -> None:
    """Adds the commands to a parser's subparsers."""
    demo = commands.add_parser("demo", help="run the whole job and open the App")
    demo.add_argument("--export", help="an export of yours instead of a drawn one")
    demo.add_argument(
        "--folder", default=".demo", help="where the demo keeps its files (.demo)"
    )
    demo.add_argument("--port", type=_port, default=5151, help="the App's port (5151)")
    demo.add_argument("--no-app", action="store_true", help="stop before the App")
    on_interrupt(
        demo, "The demo's files are kept in {folder}; the same command opens it again"
    )
    demo.set_defaults(run=_demo)

    install = commands.add_parser(
        "install",
        help="put the plugin into FiftyOne's folder of plugins",
        description="Link the plugin into FiftyOne's folder of plugins, so that the "
        "App has its operators and panels. Where the system allows no link, or with "
        "--copy, its manifest, icons and skills are copied instead; install again "
        "after an upgrade then.",
    )
    install.add_argument("--copy", action="store_true", help="copy instead of a link")
    on_interrupt(install, "Run the same command again to complete it")
    install.set_defaults(run=_install)

    uninstall = commands.add_parser(
        "uninstall",
        help="undo install",
        description="Remove the link or the copy that install made, and nothing else. "
        "Datasets and evaluations stay.",
    )
    on_interrupt(uninstall, "Run the same command again to complete it")
    uninstall.set_defaults(run=_uninstall)


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**16:
        raise argparse.ArgumentTypeError(f"{number} is not between 1 and 65535")
    return number


def _demo(options: argparse.Namespace) -> Outcome:
    from ..demo.run import run_demo

    # What it tells while it runs is its result.
    with redirect_stdout(sys.__stdout__):
        run_demo(
            options.folder,
            export=options.export,
            port=options.port,
            open_app=not options.no_app,
        )
    return Outcome("", {})


def _install(options: argparse.Namespace) -> Outcome:
    from ..plugin_folder import install_plugin

    plugins_dir = _plugins_dir()
    _check_not_installed_otherwise()
    installed = install_plugin(plugins_dir, copy=options.copy)
    if installed.why_copied:
        say(f"A link was refused ({installed.why_copied}), so files were copied")
    text = f"Installed in {installed.path}, {installed.how} {installed.source}"
    return Outcome(f"{text}\nRestart the App, and press ` for the operators", {})


def _uninstall(options: argparse.Namespace) -> Outcome:
    from ..plugin_folder import uninstall_plugin

    path = uninstall_plugin(_plugins_dir())
    return Outcome(f"Removed {path}; datasets and evaluations are as they were", {})


def _plugins_dir() -> str:
    import fiftyone as fo

    return fo.config.plugins_dir


def _check_not_installed_otherwise() -> None:
    """Raises if FiftyOne has the plugin from elsewhere: it would load only one."""
    import fiftyone.plugins as fop

    from ..plugin_folder import NAME, install_path

    own = install_path(_plugins_dir())
    for plugin in fop.list_plugins(enabled="all", shadowed="all"):
        if plugin.name == NAME and Path(plugin.directory) != own:
            raise CocoMaskError(
                f"FiftyOne has {NAME} already, in {plugin.directory}; remove it with "
                f"`fiftyone plugins delete {NAME}` first"
            )
