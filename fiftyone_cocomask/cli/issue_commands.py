"""Commands on mask issues: ``issues`` and ``fix``."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import CocoMaskError
from ..table_rows import records
from ..words import count, readable
from .named_dataset import add_dataset, samples_of
from .options import add_label_field, add_output_options, on_interrupt
from .outcome import Outcome, bar, say
from .tables import plain_table


def add_to(commands: Any) -> None:
    """Adds the commands to a parser's subparsers."""
    _add_issues(commands)
    _add_rank(commands)
    _add_fix(commands)


def _add_issues(commands: Any) -> None:
    parser = commands.add_parser(
        "issues",
        help="tag labels and masks that look wrong",
        description="Look for labels and masks that look wrong, tag them, and save a "
        "view of each kind.",
    )
    add_dataset(parser)
    _add_search(parser)
    parser.add_argument(
        "--mask-field",
        metavar="FIELD",
        help="the masks of the objects (mask, if there is such a field)",
    )
    add_output_options(parser, "if there is an issue")
    on_interrupt(parser, "No tags were set yet, or not all; run the command again")
    parser.set_defaults(run=_issues)


def _add_rank(commands: Any) -> None:
    parser = commands.add_parser(
        "rank",
        help="rank labels by how well their outlines lie on edges",
        description="Rank labels by how well their outlines lie on edges of their "
        "images. It is a ranking to look through, not a verdict.",
    )
    add_dataset(parser)
    add_label_field(parser)
    parser.add_argument(
        "--eval-key",
        default="outline",
        metavar="KEY",
        help="the name of the ranking (outline)",
    )
    parser.add_argument(
        "--worst", type=int, default=10, metavar="N", help="how many to list (10)"
    )
    add_output_options(parser, "if an image could not be checked")
    on_interrupt(parser, "The ranking has no scores yet; run the command again")
    parser.set_defaults(run=_rank)


def _add_fix(commands: Any) -> None:
    parser = commands.add_parser(
        "fix",
        help="repair mask issues, or undo repairs",
        description="Repair what 'issues' found and what has one safe repair, or undo "
        "repairs.",
    )
    add_dataset(parser)
    _add_search(parser)
    parser.add_argument(
        "--issues", nargs="+", metavar="ISSUE", help="the issues to repair (all)"
    )
    parser.add_argument(
        "--prefer-classes",
        nargs="+",
        default=(),
        metavar="CLASS",
        help="of two labels in two classes, the first of these is kept",
    )
    parser.add_argument(
        "--fix-key",
        default="mask_fixes",
        metavar="KEY",
        help="the name of the repairs (mask_fixes)",
    )
    parser.add_argument(
        "--redo",
        action="store_true",
        help="draw masks and measure figures again, of the changed samples alone",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--dry-run", action="store_true", help="say what would be done, write nothing"
    )
    what.add_argument(
        "--undo",
        action="store_true",
        help="undo the repairs of a key instead, in the whole dataset",
    )
    add_output_options(parser, "if something was left as it is")
    on_interrupt(parser, "Repairs made so far are kept; run the command again")
    parser.set_defaults(run=_fix)


def _add_search(parser: argparse.ArgumentParser) -> None:
    add_label_field(parser)
    parser.add_argument(
        "--key",
        default="mask_issues",
        metavar="KEY",
        help="what the tags and views begin with (mask_issues)",
    )


def _issues(options: argparse.Namespace) -> Outcome:
    from ..datasets.issues import find_mask_issues
    from ..datasets.label_fields import is_mask_field

    samples = samples_of(options)
    mask_field = options.mask_field
    if mask_field is None and is_mask_field(samples, "mask"):
        mask_field = "mask"
    say(f"Looking for mask issues in {options.dataset}")
    report = find_mask_issues(
        samples, options.label_field, mask_field, key=options.key, progress=bar()
    )
    failed = options.strict and any(report.counts.values())
    nothing = "" if report.images else "No image could be checked"
    return Outcome(report.summary(), report.to_dict(), failed, nothing)


def _rank(options: argparse.Namespace) -> Outcome:
    from ..datasets.outlines.rank import rank_mask_outlines

    samples = samples_of(options)
    say(f"Measuring the outlines of {options.dataset}")
    ranking = rank_mask_outlines(
        samples, options.label_field, eval_key=options.eval_key, progress=bar()
    )
    summary, worst = ranking.summary(), ranking.worst(options.worst)
    text = f"{count(summary['labels'], 'label')} ranked; the worst first:\n"
    text += plain_table(worst.drop(columns=["sample_id"]), readable)
    data = {"summary": summary, "worst": records(worst)}
    failed = options.strict and bool(ranking.skipped)
    nothing = "" if summary["labels"] else "No label has an outline to rank"
    return Outcome(text, data, failed, nothing)


def _fix(options: argparse.Namespace) -> Outcome:
    from ..datasets.fixing.fix import fix_mask_issues, undo_mask_fixes

    if options.undo and options.view is not None:
        raise CocoMaskError(
            "--undo undoes all repairs under a key, in the whole dataset; leave --view "
            "out, or fix what is in the view under a --fix-key of its own next time"
        )
    samples = samples_of(options)
    if options.undo:
        say(f"Undoing repairs of {options.dataset}")
        report = undo_mask_fixes(
            samples, options.fix_key, redo=options.redo, progress=bar()
        )
    else:
        say(f"Repairing mask issues of {options.dataset}")
        report = fix_mask_issues(
            samples,
            options.issues,
            label_field=options.label_field,
            key=options.key,
            fix_key=options.fix_key,
            prefer_classes=options.prefer_classes,
            redo=options.redo,
            dry_run=options.dry_run,
            progress=bar(),
        )
    failed = options.strict and report.num_skipped > 0
    return Outcome(report.summary(), report.to_dict(), failed)
