"""Messages of the SDK in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Container

# Options whose names differ from those of the SDK's arguments.
_OTHER_NAMES = {
    "eval_key": ("area_key", "coverage_key"),
    **dict.fromkeys(("label_or_mask_field", "label_field", "mask_field"), ("field",)),
    "num_workers": ("workers",),
    "output_path": ("output",),
}
# Arguments that commands take by position: they have no option.
_PLACES = ("path", "source", "old", "new")
# Not in quotation marks or in a path: there it is somebody's name.
_ARGUMENT = re.compile(
    r"(?<![\w'\"./\\-])(?P<set>set )?(?P<name>[a-z]+(?:_[a-z]+)*)"
    r"(?P<equals>=(?:True|'(?P<value>\w+)')?)?(?!\w|['\"/\\-]|\.\w)"
)


def in_options(message: str, options: Container[str]) -> str:
    """Returns a message with options in the place of Python's arguments.

    ``overwrite=True`` becomes ``--overwrite``, ``mode='semantic'`` becomes
    ``--mode semantic``, and ``label_field`` becomes ``--label-field``.

    Args:
        message: what the SDK says
        options: the options of the command, with ``_`` for ``-``
    """

    def in_place_of(match: re.Match[str]) -> str:
        name = match["name"]
        names = [n for n in (name, *_OTHER_NAMES.get(name, ())) if n in options]
        # A single word is just a word, unless it is the subject of the sentence.
        is_subject = match.start() == 0 and message[match.end() :].startswith(" must ")
        is_named = "_" in name or match["set"] or match["equals"]
        if not names or not (is_named or (is_subject and name not in _PLACES)):
            return match[0]
        shown = " or ".join(f"--{each.replace('_', '-')}" for each in names)
        value = f" {match['value']}" if match["value"] else ""
        return f"{match['set'] or ''}{shown}{value}"

    return _ARGUMENT.sub(in_place_of, message)
