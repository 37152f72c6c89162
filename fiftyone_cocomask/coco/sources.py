"""What Roboflow knows beside COCO: sources of augmented copies, tags, the version."""

from __future__ import annotations

import re
from typing import Any

_AUGMENTED = re.compile(r"(?P<stem>.+)\.rf\.[0-9A-Za-z_-]+(?:\.\w+)?$")
_README_LIMIT = 20_000


def source_name(file_name: str, extra: Any) -> str:
    """Returns the name of the image before Roboflow's augmentation.

    ``extra.name`` where it is there, else the part before ``.rf.``, into which Roboflow
    folds the source's extension: ``a_png`` of ``a_png.rf.<token>.jpg``. A file that is
    no copy is its own source.
    """
    name = extra.get("name") if isinstance(extra, dict) else None
    if isinstance(name, str) and name.strip():
        return name
    match = _AUGMENTED.match(re.split(r"[/\\]", file_name)[-1])
    return match["stem"] if match else file_name


def source_key(file_name: str, extra: Any) -> str | None:
    """Returns what the copies of one source have in common; None for no copy.

    The part before ``.rf.``, which every copy has whether or not it has ``extra.name``.
    """
    match = _AUGMENTED.match(re.split(r"[/\\]", file_name)[-1])
    if match:
        return match["stem"]
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
    text = "\n".join(readmes[name][:_README_LIMIT] for name in sorted(readmes))
    found = {
        "project": r"^(.+?) - v\d+\b.*\n=+",
        "version": r"^.+ - v(\d+)\b.*\n=+",
        "exported": r"exported via roboflow\.\w+ on (.+?)\s*$",
        "license": r"^License:\s*(.+?)\s*$",
        "url": r"^(https?://(?:universe|app)\.roboflow\.com/\S+)\s*$",
    }
    facts = {}
    for fact, pattern in found.items():
        match = re.search(pattern, text, re.MULTILINE | re.IGNORECASE)
        if match:
            facts[fact] = match[1].strip()
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


def _is_object(entries: list[Any]) -> bool:
    return bool(entries) and isinstance(entries[0], dict)
