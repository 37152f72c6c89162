"""The options that commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..choices import Choice, default, meanings, values


def add_choice(parser: Any, option: str, choices: Sequence[Choice], what: str) -> None:
    """Adds an option of one of a table's values, of which the first is the default.

    Its help says what each of them means.

    Args:
        parser: the command's parser, or a group of its options
        option: the option, such as ``--mode``
        choices: the table
        what: what the option decides, for its help
    """
    usual = default(choices)
    parser.add_argument(
        option,
        choices=values(choices),
        default=usual,
        help=f"{what} ({usual}). {meanings(choices)}",
    )


def add_field(
    parser: argparse.ArgumentParser, option: str, usual: str, what: str
) -> None:
    """Adds an option that names a field.

    Args:
        parser: the command's parser
        option: the option, such as ``--mask-field``
        usual: the field by default
        what: what it holds, for the option's help
    """
    parser.add_argument(
        option, default=usual, metavar="FIELD", help=f"{what} ({usual})"
    )


def add_label_field(parser: argparse.ArgumentParser, what: str = "the objects") -> None:
    """Adds the field of the objects, see :func:`add_field`."""
    add_field(parser, "--label-field", "segmentations", what)


def add_box_field(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds the field of the boxes, see :func:`add_field`."""
    add_field(parser, "--box-field", "detections", what)


def add_mask_field(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds the field of the masks, see :func:`add_field`."""
    add_field(parser, "--mask-field", "mask", what)


def add_output_options(parser: argparse.ArgumentParser, strict: str) -> None:
    """Adds ``--json`` and ``--strict``.

    Args:
        parser: the command's parser
        strict: what ``--strict`` makes a failure, for its help
    """
    parser.add_argument(
        "--json", action="store_true", help="print JSON instead of a table"
    )
    parser.add_argument(
        "--strict", action="store_true", help=f"exit with 1 also {strict}"
    )


def on_interrupt(parser: argparse.ArgumentParser, sentence: str) -> None:
    """Sets what a command says on Ctrl-C: what is kept, and how to go on.

    Args:
        parser: the command's parser
        sentence: what to say; ``{name}`` stands for the option of that name
    """
    parser.set_defaults(on_interrupt=sentence)
