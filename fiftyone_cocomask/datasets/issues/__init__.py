"""The search for masks and labels that look wrong."""

from .find import clear_mask_issues, find_mask_issues, load_mask_issues
from .following import follow_edits
from .report import MaskIssueReport
from .rules import IssueLimits, MaskIssue
from .searches import list_mask_issues

__all__ = [
    "IssueLimits",
    "MaskIssue",
    "MaskIssueReport",
    "clear_mask_issues",
    "find_mask_issues",
    "follow_edits",
    "list_mask_issues",
    "load_mask_issues",
]
