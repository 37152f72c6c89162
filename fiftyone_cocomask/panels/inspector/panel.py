"""The panel beside a sample in the App's modal that looks at its mask."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types
from fiftyone.operators.categories import Categories

from ...errors import CocoMaskError
from ...fiftyone_types import ExecutionContext
from ...plugin_folder import NAME
from ..of_panels import OfPanels
from ..turns import Turn
from . import page as layout

# The mask field that was chosen last in a panel, and in which dataset. The App may send
# the state before that choice, or put it back: its elements write the whole state as
# they last saw it.
_chosen: OfPanels[tuple[str, str]] = OfPanels()


class MaskInspectorPanel(foo.Panel):
    """Shows image, mask, overlay and cut-out of a sample, and its areas.

    Its state holds ``mask_field``, which a person chose; all else is read anew for the
    sample that the modal shows. Of a patch, its own object comes first.
    """

    @property
    def config(self) -> foo.PanelConfig:
        config = foo.PanelConfig(
            name="mask_inspector",
            label="Mask inspector",
            # By name: FiftyOne shows no icon files of Python panels.
            icon="image_search",
            surfaces="modal",
            category=Categories.CURATE,
            help_markdown=(
                "Image, mask, overlay and cut-out of this sample, its areas by class "
                "and object, and what the import found wrong."
            ),
        )
        # Lists of operators show this one; the App, the other.
        config.description = config.help_markdown
        return config

    def execute(self, ctx: ExecutionContext) -> Any:
        """Draws the panel, unless a later event has come meanwhile.

        Moving on quickly, a person sends events that are handled side by side. The
        sample of the last one is the one to be shown, whichever takes longest.
        """
        method = ctx.params.get("__method__")
        if method in (None, "on_startup"):
            return super().execute(ctx)
        if ctx.current_sample is None:
            # The modal is being closed.
            return None
        turn = Turn(ctx.panel_id)
        getattr(self, method)(ctx)
        content = self.render(ctx)
        if turn.is_last():
            ctx.ops.show_panel_output(content)
        return None

    def on_load(self, ctx: ExecutionContext) -> None:
        """Shows the sample that the modal shows."""
        _chosen.pop(ctx.panel_id, None)

    def on_change_current_sample(self, ctx: ExecutionContext) -> None:
        """Follows the modal."""

    def on_change_group_slice(self, ctx: ExecutionContext) -> None:
        """Follows the modal."""

    def on_change_view(self, ctx: ExecutionContext) -> None:
        """Shows what operators have changed."""

    def reload(self, ctx: ExecutionContext) -> None:
        """Shows the sample as it is now."""

    def choose_mask_field(self, ctx: ExecutionContext) -> None:
        """Shows another mask."""
        field = ctx.panel.state.mask_field = ctx.params["value"]
        _chosen[ctx.panel_id] = (ctx.dataset.name, field)

    def select_object(self, ctx: ExecutionContext) -> None:
        """Selects the object of a row in the image."""
        found, row = _inspect(ctx), ctx.params["row"]
        if found.label_field is not None and 0 <= row < len(found.objects):
            label = {
                "label_id": found.objects[row].label_id,
                "sample_id": ctx.current_sample,
                "field": found.label_field,
            }
            ctx.ops.set_selected_labels([label])

    def compute_masks(self, ctx: ExecutionContext) -> None:
        """Opens the form of the operator."""
        ctx.prompt(f"{NAME}/compute_masks", params=_what_to_draw(ctx))

    def import_export(self, ctx: ExecutionContext) -> None:
        """Opens the form of the operator."""
        ctx.prompt(f"{NAME}/import_roboflow_coco")

    def render(self, ctx: ExecutionContext) -> types.Property:
        """Returns the layout of the sample that the modal shows."""
        try:
            found = _inspect(ctx)
        except CocoMaskError as error:
            return layout.render_problem(self, str(error))
        return layout.render(self, found, _mask_fields(ctx))


def _inspect(ctx: ExecutionContext) -> Any:
    """Inspects the modal's sample.

    Raises:
        CocoMaskError: if it cannot be
    """
    from ...datasets.inspection.inspect import inspect_sample

    sample_id = _sample_id(ctx)
    found = inspect_sample(ctx.dataset, sample_id, _mask_field(ctx))
    if sample_id != str(ctx.current_sample):
        # A patch has the id of its label, and is opened to see that one.
        found.objects.sort(key=lambda item: item.label_id != str(ctx.current_sample))
    return found


def _mask_field(ctx: ExecutionContext) -> str | None:
    """Returns the field that a person chose, None for the first one."""
    dataset, chosen = _chosen.get(ctx.panel_id, (None, None))
    if dataset != ctx.dataset.name:
        chosen = ctx.panel.state.mask_field
    return chosen if chosen in _mask_fields(ctx) else None


def _what_to_draw(ctx: ExecutionContext) -> dict[str, str]:
    """Returns the fields of the mask that is shown, as the form asks for them."""
    try:
        found = _inspect(ctx)
    except CocoMaskError:
        return {}
    fields = {"label_field": found.label_field, "mask_field": found.mask_field}
    return {name: field for name, field in fields.items() if field is not None}


def _mask_fields(ctx: ExecutionContext) -> list[str]:
    from ...datasets.label_fields import mask_fields

    return mask_fields(ctx.dataset)


def _sample_id(ctx: ExecutionContext) -> str:
    """Returns the id of the modal's sample: of a patch, that of the whole."""
    from ...datasets.documents import is_generated

    view = ctx.view
    if view is not None and is_generated(view):
        whole = view.select(ctx.current_sample).values("sample_id")
        return str(whole[0]) if whole else str(ctx.current_sample)
    return str(ctx.current_sample)
