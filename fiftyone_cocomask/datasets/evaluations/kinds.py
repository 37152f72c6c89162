"""The kinds of evaluations, by the names that their runs store."""

from __future__ import annotations

from .area import AREA
from .coverage import COVERAGE
from .plan import EvaluationKind

KINDS: dict[str, EvaluationKind] = {kind.name: kind for kind in (AREA, COVERAGE)}
