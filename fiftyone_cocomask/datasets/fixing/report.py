"""What repairs did, or undid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...limits import MAX_NAMED
from ...words import count
from ..redoing import Redone
from .changes import Change

if TYPE_CHECKING:
    import pandas as pd


@dataclass(slots=True)
class FixReport:
    """What :func:`fix_mask_issues` or :func:`undo_mask_fixes` did, or would do.

    Attributes:
        fix_key: the key of the repairs
        fixed: how many labels, or samples, were repaired, by issue; of an undo, how
            many repairs were undone
        skipped: the labels and samples that were left as they are, as ``{"sample_id",
            "label_id", "issue", "reason"}``; at most 1,000
        num_skipped: how many there are
        sample_ids: the ids of the samples that have changed
        dry_run: whether nothing was written
        undone: whether repairs were undone
        redone: what was drawn, measured and searched again since, if it was asked for
    """

    fix_key: str
    fixed: dict[str, int] = field(default_factory=dict)
    skipped: list[dict[str, str | None]] = field(default_factory=list)
    num_skipped: int = 0
    sample_ids: list[str] = field(default_factory=list)
    dry_run: bool = False
    undone: bool = False
    redone: Redone | None = None
    _changes: list[Change] = field(default_factory=list)
    _reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, change: Change) -> None:
        """Counts a change."""
        for issue in change.issues:
            self.fixed[issue] = self.fixed.get(issue, 0) + 1
        if not self.sample_ids or self.sample_ids[-1] != change.sample_id:
            self.sample_ids.append(change.sample_id)
        self._changes.append(change)

    def skip(
        self, sample_id: str, label_id: str | None, issue: str, reason: str
    ) -> None:
        """Counts a label, or a sample, that is left as it is."""
        self.num_skipped += 1
        self._reasons[issue, reason] += 1
        if len(self.skipped) < MAX_NAMED:
            self.skipped.append(
                {
                    "sample_id": sample_id,
                    "label_id": label_id,
                    "issue": issue,
                    "reason": reason,
                }
            )

    def changes(self) -> pd.DataFrame:
        """Returns a table with a row for each label, box or sample that is changed."""
        import pandas as pd

        columns = list(Change("", "", [], "").row())
        return pd.DataFrame([change.row() for change in self._changes], columns=columns)

    def pictures(self, most: int = 6) -> str | None:
        """Returns pictures of changed labels, before and after.

        Args:
            most: the largest number of changes to show

        Returns:
            a ``data:`` URL; None if no label changes
        """
        from .preview import change_pictures

        return change_pictures(self._changes, most)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return {
            "fix_key": self.fix_key,
            "fixed": self.fixed,
            "skipped": self.skipped,
            "num_skipped": self.num_skipped,
            "sample_ids": self.sample_ids,
            "dry_run": self.dry_run,
            "undone": self.undone,
            "redone": self.redone.to_dict() if self.redone is not None else None,
            "changes": [change.row() for change in self._changes],
        }

    def summary(self) -> str:
        """Returns the report in a few lines for a person."""
        done = "undone" if self.undone else "repaired"
        if self.dry_run:
            done = f"would be {done}"
        total = sum(self.fixed.values())
        samples = len(set(self.sample_ids))
        lines = [f"{count(total, 'issue')} {done} in {count(samples, 'sample')}"]
        for issue, fixed in sorted(self.fixed.items(), key=lambda item: -item[1]):
            lines.append(f"{fixed:>8,} {issue}")
        for (name, reason), skipped in self._reasons.most_common():
            lines.append(f"{skipped:>8,} {name} left as they are: {reason}")
        if self.redone is not None:
            lines.append(str(self.redone))
        return "\n".join(lines)
