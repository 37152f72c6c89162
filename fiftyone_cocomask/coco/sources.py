"""What Roboflow knows beside COCO: sources of augmented copies, tags, the version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_AUGMENTED = re.compile(r"(?P<stem>.+)\.rf\.[0-9A-Za-z_-]+(?:\.\w+)?$")
_MAX_NAME = 1000
_README_LIMIT = 20_000
# The lines that say something are short; the time for others would be their square.
_MAX_LINE = 300
_TITLE = re.compile(r"(?P<project>.+?) - v(?P<version>\d+)\b", re.IGNORECASE)
_FACTS = {
    "exported": re.compile(r".*exported via roboflow\.\w+ on (.+)", re.IGNORECASE),
    "license": re.compile(r"License:\s*(.+)", re.IGNORECASE),
    "url": re.compile(
        r"(https?://(?:universe|app)\.roboflow\.com/\S+)$", re.IGNORECASE
    ),
}


def source_name(file_name: str, extra: Any) -> str:
    """Returns the name of the image before Roboflow's augmentation.

    ``extra.name`` where it is there, else the part before ``.rf.``, into which Roboflow
    folds the source's extension: ``a_png`` of ``a_png.rf.<token>.jpg``. A file that is
    no copy is its own source.
    """
    name = extra.get("name") if isinstance(extra, dict) else None
    if isinstance(name, str) and name.strip():
        return name
    return _stem_of_copy(file_name) or file_name


def _stem_of_copy(file_name: str) -> str | None:
    """Returns the part of a copy's name before ``.rf.``; None if it is not a copy."""
    last = re.split(r"[/\\]", file_name)[-1]
    match = _AUGMENTED.match(last) if len(last) <= _MAX_NAME else None
    return str(match["stem"]) if match else None


def source_key(file_name: str, extra: Any) -> str | None:
    """Returns what the copies of one source have in common; None for no copy.

    The part before ``.rf.``, which every copy has whether or not it has ``extra.name``.
    """
    stem = _stem_of_copy(file_name)
    if stem is not None:
        return stem
    name = extra.get("name") if isinstance(extra, dict) else None
    if isinstance(name, str) and name.strip():
        return re.sub(r"[^0-9A-Za-z-]", "_", name)
    return None


def user_tags(extra: Any) -> list[str]:
    """Returns the tags that an image was given in Roboflow, each once."""
    tags = extra.get("user_tags") if isinstance(extra, dict) else None
    if isinstance(tags, str):
        tags = [tags]
    if not isinstance(tags, list):
        return []
    return list(dict.fromkeys(t for t in tags if isinstance(t, str) and t.strip()))


def roboflow_facts(
    info: dict[str, Any], licenses: list[Any], readmes: dict[str, str]
) -> dict[str, str]:
    """Returns project, version, licence, export date and address, as far as known.

    Args:
        info: the JSON's ``info``
        licenses: the JSON's ``licenses``
        readmes: the texts of Roboflow's READMEs by file name
    """
    facts: dict[str, str] = {}
    for readme in sorted(readmes):
        for fact, text in _facts_of_readme(readmes[readme]):
            facts.setdefault(fact, text)
    license_name = licenses[0].get("name") if _is_object(licenses[:1]) else None
    defaults = {
        "version": info.get("version"),
        "exported": info.get("date_created"),
        "license": license_name,
        "url": info.get("url"),
    }
    for fact, value in defaults.items():
        if isinstance(value, (str, int)) and str(value):
            facts.setdefault(fact, str(value))
    return facts


def _facts_of_readme(text: str) -> Iterator[tuple[str, str]]:
    """Yields the facts in one of Roboflow's READMEs, each as it stands in its line."""
    lines = text[:_README_LIMIT].splitlines()
    for line, next_line in zip(lines, [*lines[1:], ""], strict=True):
        if len(line) > _MAX_LINE:
            continue
        title = _TITLE.match(line)
        if title and next_line.startswith("="):
            yield "project", title["project"].strip()
            yield "version", title["version"]
        for fact, pattern in _FACTS.items():
            match = pattern.match(line.rstrip())
            if match:
                yield fact, match[1].strip()


def _is_object(entries: list[Any]) -> bool:
    return bool(entries) and isinstance(entries[0], dict)
