"""The command line: ``python -m fiftyone_cocomask``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .errors import CocoMaskError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: the words behind the program's name, ``sys.argv``'s by default

    Returns:
        the exit code: 0, 1 after an error that the user can put right, 130 after
        Ctrl-C
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except CocoMaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fiftyone-cocomask",
        description="Roboflow COCO exports to exact masks and mask evaluations.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    check = commands.add_parser("check", help="say what is in an export; reads only")
    check.add_argument("path", help="an export's folder, its .zip, or a COCO JSON")
    check.add_argument("--image-dir", help="where the images of a COCO JSON are")
    check.set_defaults(run=_check)

    demo = commands.add_parser("demo", help="run the whole job and open the App")
    demo.add_argument("--export", help="an export of yours instead of a drawn one")
    demo.add_argument(
        "--folder", default=".demo", help="where the demo keeps its files"
    )
    demo.add_argument("--port", type=int, default=5151, help="the port of the App")
    demo.add_argument("--no-app", action="store_true", help="stop before the App")
    demo.set_defaults(run=_demo)
    return parser


def _check(options: argparse.Namespace) -> None:
    from .coco.check import check_export

    print(check_export(options.path, image_dir=options.image_dir).summary())


def _demo(options: argparse.Namespace) -> None:
    from .demo.run import run_demo

    run_demo(
        options.folder,
        export=options.export,
        port=options.port,
        open_app=not options.no_app,
    )
