"""The section of the labels that a person is to look at next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators.types as types

from ....fiftyone_types import Dataset, ExecutionContext
from ... import elements
from ..shown import Found, Shown
from .issues import issue_name
from .ranking import short_name
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.reviewing import Queue

# From this version of FiftyOne on, the App can be told to edit a label.
_ANNOTATES_SINCE = (1, 22)
# In milliseconds. The App selects a label only in a sample that it shows already.
_OPENS_IN = 1500
# In pixels, of one crop among few.
_CROP_WIDTH = 140
_ANNOTATE = "@voxel51/operators/annotate"


class NextLabels(Section):
    """A list to work through, by issue or by rank: open a label, correct it, go on."""

    name = "next"

    def read(self, shown: Shown) -> Found:
        """Returns the lists that there are, and the first labels of one."""
        from ....datasets.reviewing import (
            STRIP_COLUMNS,
            labels_to_review,
            queues,
            strip,
        )

        known = queues(shown.grid)
        if not known:
            return {"choices": {}, "labels": []}
        by = shown.choices.queue if shown.choices.queue in known else next(iter(known))
        queue = known[by][0]
        labels = labels_to_review(shown.grid, queue)
        return {
            "choices": {name: _text(*known[name], known) for name in known},
            "by": by,
            "queue": {"key": queue.key, "issue": queue.issue},
            "labels": [label.to_dict() for label in labels],
            "picture": strip(shown.dataset, labels),
            # Of fewer, each is no larger. In pixels: the App applies a share twice.
            "width": "100%"
            if len(labels) >= STRIP_COLUMNS
            else f"min(100%, {_CROP_WIDTH * len(labels)}px)",
        }

    def add(self, page: Page, found: Found) -> None:
        """Adds the choice of a list, the button that goes on, and the list."""
        if not found["choices"]:
            return
        elements.heading(page.content, "next", "Next to look at")
        row = page.content.grid(
            "next_choice", orientation="2d", gap=1, align_y="center"
        )
        elements.dropdown(
            row,
            "queue",
            found["choices"],
            found["by"],
            page.panel.choose_queue,
            "What the labels are listed by",
        )
        if page.opening:
            timer = types.TimerView(
                timeout=_OPENS_IN, on_timeout=page.panel.edit_opened
            )
            page.content.view(f"opening_{page.opening}", timer)
        labels = found["labels"]
        ids = [label["id"] for label in labels]
        if page.opened is not None:
            elements.button(
                row,
                "done",
                "Done, next",
                page.panel.label_done,
                variant="contained",
                title="Tags the label 'checked', so that it is not listed again; "
                "brings its sample's mask and figures up to date; opens the next one",
            )
        if not labels:
            page.content.md("All of them are done.", name="no_next")
            return
        if found["picture"]:
            page.content.view(
                "next_picture",
                types.ImageView(alt="Labels to look at", width=found["width"]),
                default=found["picture"],
            )
        elements.table(
            page.content,
            self.element("rows"),
            [_row(label) for label in labels],
            page.panel.open_label,
            text_columns=2,
            selected=ids.index(page.opened) if page.opened in ids else None,
        )


def edit(ctx: ExecutionContext, label: dict[str, Any]) -> None:
    """Makes the App edit a label whose sample is open, if it can.

    A sample that has an issue itself is open, and that is all.
    """
    field = label["label_field"]
    if field is not None and can_annotate(ctx.dataset, field):
        what = {
            "id": label["sample_id"],
            "field_path": field,
            "label_id": label["label_id"],
        }
        ctx.trigger(_ANNOTATE, what)


def can_annotate(dataset: Dataset, label_field: str) -> bool:
    """Whether the App can edit the labels of a field: it has a schema of them."""
    import fiftyone as fo

    version = tuple(int(part) for part in fo.__version__.split(".")[:2])
    active = getattr(dataset, "active_label_schemas", None) or []
    return version >= _ANNOTATES_SINCE and label_field in active


def queue_of(found: Found) -> Queue:
    """Returns the list that is shown."""
    from ....datasets.reviewing import Queue

    return Queue(**found["queue"])


def _text(queue: Queue, number: int | None, known: Any) -> str:
    keys = {other.key for other, _ in known.values() if other.issue}
    if queue.issue is None:
        return f"worst outlines of {queue.key}"
    of_search = f" of {queue.key}" if len(keys) > 1 else ""
    return f"{issue_name(queue.issue)}: {number:,}{of_search}"


def _row(label: dict[str, Any]) -> dict[str, str]:
    row = {"Image to look at": short_name(label["filepath"])}
    # Samples have no class, and the copies of a leak have the same name.
    if label["label_field"] is None:
        row["Split"] = label["split"]
    else:
        row["Class"] = label["label"] or "–"
    if label["score"] is not None:
        row["Score"] = f"{label['score']:.1f}"
    return row
