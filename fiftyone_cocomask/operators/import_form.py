"""The part of the import's form that asks what becomes of the export."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ..choices import IF_EXISTS
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from ..words import count
from .choosing import ask_for_dry_run, ask_for_processes, choose, choose_several, radio
from .export_form import export_path
from .export_preview import ExportPreview
from .folding import hide_unless, section
from .forms import reject, stop
from .from_app import is_from_app
from .markdown import bold, code
from .merge_form import ask_what_wins, describe_merge, preview_merge, tell_import
from .split_job import ask_for_num_tasks

NO_TASKS = (
    "num_tasks must be 1 with dry_run: tasks keep what they have read in the database, "
    "and nothing is to be written"
)


def ask_how(
    ctx: ExecutionContext, inputs: types.Object, preview: ExportPreview
) -> None:
    """Asks what becomes of an export, and says what will be written."""
    params = ctx.params
    choose_several(
        ctx,
        inputs,
        "splits",
        list(preview.splits),
        params.get("splits"),
        label="Splits",
        description="The splits to import; all if none is chosen",
    )
    hide_unless(ctx, inputs, ["splits"], len(preview.splits) > 1)
    name = chosen_dataset(ctx)
    _ask_for_dataset(ctx, inputs, name)
    with section(ctx, inputs, "more", "More options"):
        _ask_for_fields(inputs, params)
    wants_more = bool(params.get("more"))
    if _reject_wrong_names(params, inputs, name):
        return
    is_merge = (params.get("if_exists") or "merge") == "merge"
    present = fo.load_dataset(name) if name and fo.dataset_exists(name) else None
    merge = None
    if present is not None and is_merge:
        merge = preview_merge(ctx, inputs, preview, present)
        if merge is None:
            return
    ask_what_wins(ctx, inputs, merge, wants_more)
    if merge is not None and present is not None:
        describe_merge(ctx, inputs, preview, present, merge)
    elif name is not None:
        _say_what_will_happen(ctx, inputs, preview, name)


def _reject_wrong_names(
    params: dict[str, Any], inputs: types.Object, name: str | None
) -> bool:
    """Marks the field of a name that cannot be, and returns whether there is one."""
    from ..datasets.importing.importing import check_names, present_dataset

    label_field = params.get("label_field") or "segmentations"
    box_field = params.get("box_field") or "detections"
    try:
        check_names(name, label_field, box_field)
    except CocoMaskError as error:
        wrong = str(error).partition(" ")[0]
        if wrong == "label_field" and label_field == box_field:
            wrong = "box_field"
        field = inputs.properties.get(wrong) or inputs.properties["dataset"]
        reject(field, str(error))
        return True
    if params.get("task") is not None:
        # The dataset is there since the first of the tasks.
        return False
    fields = (label_field, box_field)
    try:
        present_dataset(name, params.get("if_exists") or "merge", fields)
    except CocoMaskError as error:
        reject(inputs.properties["dataset"], str(error))
        return True
    return False


def _ask_for_dataset(
    ctx: ExecutionContext, inputs: types.Object, name: str | None
) -> None:
    options = types.AutocompleteView()
    for present in fo.list_datasets():
        options.add_choice(present, label=present)
    inputs.str(
        "dataset",
        label="Dataset",
        description="A new name, or an existing dataset; else named after the export",
        required=False,
        view=options,
    )
    if name is not None and fo.dataset_exists(name):
        given = ctx.params.get("if_exists")
        choose(
            inputs,
            "if_exists",
            IF_EXISTS if given == "error" else IF_EXISTS[:-1],
            given,
            label="This dataset exists",
            default="merge",
            view=radio,
        )


def _ask_for_fields(inputs: types.Object, params: dict[str, Any]) -> None:
    for name, default, what in (
        ("label_field", "segmentations", "polygons and RLE"),
        ("box_field", "detections", "boxes"),
    ):
        label = name.replace("_", " ").capitalize()
        inputs.str(
            name, default=default, label=label, description=f"The field for {what}"
        )
    ask_for_dry_run(inputs, "Write nothing")
    ask_for_processes(inputs, "read the images and make samples from them")
    ask_for_num_tasks(inputs)
    num_tasks = params.get("num_tasks")
    if params.get("dry_run") and isinstance(num_tasks, int) and num_tasks > 1:
        reject(inputs.properties["num_tasks"], NO_TASKS)
    inputs.list(
        "tags",
        types.String(),
        required=False,
        label="Tags",
        description="Added to each sample, beside its split and Roboflow's own tags",
        view=types.AutocompleteView(allow_duplicates=False),
    )


def chosen_dataset(ctx: ExecutionContext) -> str | None:
    """Returns the name of the dataset; None if a caller from Python gave none.

    The form promises a name before the import, so there it is the export's own: the
    SDK's default may end in random letters.
    """
    params = ctx.params
    if params.get("dataset"):
        name: str = params["dataset"]
        return name
    # An import that was delegated is named as its form has said.
    if not is_from_app(ctx):
        return None
    from ..datasets.importing.importing import name_after

    return name_after(export_path(params) or "")


def _say_what_will_happen(
    ctx: ExecutionContext, inputs: types.Object, preview: ExportPreview, name: str
) -> None:
    from ..datasets.documents import num_samples

    params = ctx.params
    splits = params.get("splits") or list(preview.splits)
    number = sum(preview.splits[s]["images"] for s in splits if s in preview.splits)
    images = count(number, "image")
    label_field = params.get("label_field") or "segmentations"
    box_field = params.get("box_field") or "detections"
    fields = f"Segmentations go to {code(label_field)}, boxes to {code(box_field)}."
    if not preview.has_usable_images:
        stop(
            inputs,
            f"None of the {images} of this export can be used, so there is nothing to "
            "import. The problems above say why.",
        )
        return
    if not fo.dataset_exists(name):
        what = f"the dataset {bold(name)} with {images}"
        stay = f"{fields} The images stay where they are."
        tell_import(ctx, inputs, "create", what, stay)
        return
    dataset = fo.load_dataset(name)
    samples = count(num_samples(dataset), "sample")
    tell_import(
        ctx,
        inputs,
        "replace",
        f"the {samples} of {bold(name)} with {images}",
        "Their labels go with them, edited ones too; this cannot be undone. Image "
        f"files are not deleted. {fields}",
    )
