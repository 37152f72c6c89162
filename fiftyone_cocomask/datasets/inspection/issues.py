"""The import's issues of one sample, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...coco.counted_issues import COUNTED_CODES
from ...coco.issues import IssueCode, Severity

_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class SampleIssue:
    """One issue of a sample, or of an annotation of it.

    Attributes:
        code: the issue's code
        severity: ``"error"``, ``"warning"`` or ``"info"``
        annotation_id: the annotation's id in the JSON, None if it is about the image
        message: one sentence for a person
        action: what was done: ``"kept"``, ``"repaired"``, ``"box_only"`` or
            ``"dropped"``; None if only the code is known
    """

    code: str
    severity: str
    annotation_id: int | str | None
    message: str
    action: str | None


def sample_issues(
    codes: Sequence[str], report: Mapping[str, Any], split: str | None, file_name: Any
) -> list[SampleIssue]:
    """Returns the issues of a sample, errors first.

    The report of the last import says what happened to which annotation. It keeps only
    so many issues: a code that it has no word on comes with its general meaning.

    Args:
        codes: the sample's ``import_issues``
        report: the report in the dataset's ``info``, empty if there is none
        split: the sample's split
        file_name: its file name in the JSON
    """
    found = [
        _from_report(issue)
        for issue in report.get("issues") or []
        if issue.get("split") == split
        and issue.get("file_name") == file_name
        and file_name is not None
        and issue["code"] not in COUNTED_CODES
    ]
    told = {issue.code for issue in found}
    found += [_from_code(code) for code in codes if code not in told]
    return sorted(found, key=lambda issue: _RANK.get(issue.severity, len(_RANK)))


def _from_report(issue: Mapping[str, Any]) -> SampleIssue:
    return SampleIssue(
        code=issue["code"],
        severity=issue["severity"],
        annotation_id=issue.get("annotation_id"),
        message=_sentence(issue["message"]),
        action=issue.get("action"),
    )


def _from_code(code: str) -> SampleIssue:
    try:
        known = IssueCode(code)
    except ValueError:
        severity, text = Severity.WARNING, code.replace("_", " ")
    else:
        severity, text = known.severity, known.explanation
    return SampleIssue(code, severity.value, None, _sentence(text), None)


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return text[:1].upper() + text[1:]
