"""Messages of the SDK in the words of the forms."""

from __future__ import annotations

import re

# What the forms call the options that messages of the SDK name.
_OPTION_LABELS = {
    "eval_key": "Evaluation key",
    "new_eval_key": "New key",
    "mask_field": "Mask field",
    "label_field": "Label field",
    "box_field": "Box field",
    "output_dir": "Folder",
    "num_tasks": "Tasks",
    "num_workers": "Processes",
    "dataset": "Dataset",
    "dry_run": "A dry run",
    "key": "Key",
    "fix_key": "Key",
}
# Not where a message quotes what was given, or an argument in code.
_OPTION = re.compile(
    rf"\b({'|'.join(n for n in _OPTION_LABELS if '_' in n)})\b(?![=_'])"
)


def option_labels(sentence: str) -> str:
    """Returns a message of the SDK with its options called what the forms call them."""
    first, space, rest = sentence.partition(" ")
    rest = _OPTION.sub(lambda found: _OPTION_LABELS[found[1]].lower(), rest)
    return f"{_OPTION_LABELS.get(first, first)}{space}{rest}"
