"""The whole job, once: export -> dataset -> masks -> evaluations -> fixes -> export."""

from __future__ import annotations

import socket
from itertools import count as count_from
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CocoMaskError
from ..plugin_folder import install_plugin
from ..words import count
from .own_fiftyone import use_own_fiftyone
from .tour import compare_rasterizers, find_and_fix, write_back

if TYPE_CHECKING:
    import fiftyone as fo

    from ..datasets.evaluations import AreaResults, CoverageResults

WORKSPACE = "mask evaluation"
# Where a dataset's info says which export it was made of.
_EXPORT = "demo_export"


def run_demo(
    folder: str | Path,
    *,
    export: str | Path | None = None,
    port: int = 5151,
    open_app: bool = True,
) -> None:
    """Runs the whole job on an export and opens the App on the result.

    The database, the masks and the drawn export are in ``folder``; other FiftyOne
    datasets of the person are neither shown nor touched. It can be run again.

    Args:
        folder: the folder of all files of the demo; made if need be
        export: an export to use; by default one is drawn
        port: the port of the App
        open_app: whether to open the App and wait until it is closed

    Raises:
        CocoMaskError: if there is nothing at ``export``, or no readable COCO export
            with images, or the App's port is in use
    """
    folder = Path(folder).resolve()
    if export is not None:
        export = Path(export).expanduser().resolve()
        if not export.exists():
            raise CocoMaskError(f"There is no export at {export}")
    if open_app:
        _check_port_free(port)
    use_own_fiftyone(folder)
    install_plugin(folder / "plugins")
    is_drawn = export is None
    if export is None:
        from . import write_demo_export

        export = write_demo_export(folder / "export")
        print(f"Drew a demo export in {export}")
    name = _name_of("demo" if is_drawn else export.stem, export)
    dataset = _run_job(export, name)
    dataset.info[_EXPORT] = str(export)
    dataset.save()
    find_and_fix(dataset, is_drawn=is_drawn)
    compare_rasterizers(dataset)
    write_back(dataset, export, folder / name)
    save_workspace(dataset)
    print(f"\nThe database, masks and plugin link are in {folder}")
    if open_app:
        _open_app(dataset, port)


def _name_of(name: str, export: Path) -> str:
    """Returns the name of an export's dataset, which no other export's has.

    Many are called alike: the JSON of each of Roboflow's is.
    """
    import fiftyone as fo

    for number in count_from(1):
        found = f"cocomask-{name}" + (f"-{number}" if number > 1 else "")
        if not fo.dataset_exists(found):
            break
        if fo.load_dataset(found).info.get(_EXPORT, str(export)) == str(export):
            break
    return found


def _check_port_free(port: int) -> None:
    """Checks that the App can have a port: FiftyOne would wait for it for a minute.

    Raises:
        CocoMaskError: if it cannot
    """
    with socket.socket() as server:
        # Otherwise the port of an App that has just been closed would count as taken.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("localhost", port))
        except OSError as error:
            raise CocoMaskError(
                f"Port {port} cannot be used for the App ({error.strerror}); give "
                f"another with --port, such as --port {port % 65535 + 1}"
            ) from error


def _run_job(export: Path, name: str) -> fo.Dataset:
    from ..datasets.evaluations import evaluate_mask_area, evaluate_mask_coverage
    from ..datasets.importing.importing import import_roboflow_coco
    from ..datasets.masks.compute import compute_masks

    print(f"Importing {export}")
    dataset, report = import_roboflow_coco(export, name)
    if not report.usable_images:
        print(f"\n{report.summary()}\n")
        raise CocoMaskError(f"There is no image in {export} that can be used")
    print("Computing masks")
    labels = "segmentations"
    masks = compute_masks(dataset, labels, "mask")
    print("Evaluating mask area and coverage")
    area = evaluate_mask_area(
        dataset, "mask", label_field=labels, eval_key="area", overwrite=True
    )
    coverage = evaluate_mask_coverage(
        dataset, "mask", label_field=labels, eval_key="coverage", overwrite=True
    )
    print(f"\n{report.summary()}\n\n{masks.summary()}\n")
    print(_results_table(area, coverage))
    return dataset


def _results_table(area: AreaResults, coverage: CoverageResults) -> str:
    """Returns the figures of each split and class, and the totals below them."""
    total, means = area.summary(), coverage.summary()
    shown = [
        f"{means[name]:.1%} (mean over {what})"
        for name, what in (
            ("mean_coverage_over_images", "images"),
            ("mean_coverage_over_pixels", "pixels"),
        )
        if means[name] is not None
    ]
    return (
        f"{_class_table(area, coverage)}\n\n"
        f"{count(total['images'], 'image')}, {count(total['objects'], 'object')}, "
        f"{total['foreground_px']:,} px of foreground; coverage "
        f"{', '.join(shown) or 'of no image'}"
    )


def _class_table(area: AreaResults, coverage: CoverageResults) -> str:
    key = ["split", "class"]
    objects = area.per_class(by_split=True)
    shares = coverage.per_class(by_split=True)
    if objects.empty or shares.empty:
        # As of an export of boxes alone, or of images without objects.
        return "No class has a pixel"
    table = objects.merge(shares[[*key, "coverage_over_pixels"]], on=key)
    table = table.rename(
        columns={
            "mean_area_px_over_objects": "mean area px",
            "coverage_over_pixels": "coverage",
        }
    )
    columns = [*key, "images", "objects", "small", "medium", "large", "hidden"]
    return table[[*columns, "mean area px", "coverage"]].to_string(
        index=False,
        formatters={"mean area px": "{:,.0f}".format, "coverage": "{:.1%}".format},
    )


def save_workspace(dataset: fo.Dataset) -> None:
    """Saves how the demo is best looked at: the grid, and the panel to the right."""
    import fiftyone as fo

    spaces = fo.Space(
        children=[
            _space_of(fo.Panel(type="Samples", pinned=True)),
            _space_of(fo.Panel(type="mask_evaluation")),
        ],
        orientation="horizontal",
    )
    dataset.save_workspace(
        WORKSPACE,
        spaces,
        description="The samples, and mask area and coverage beside them",
        overwrite=True,
    )


def _open_app(dataset: fo.Dataset, port: int) -> None:
    """Opens the App in the saved workspace, until it is closed."""
    import fiftyone as fo

    session = fo.launch_app(
        dataset, spaces=dataset.load_workspace(WORKSPACE), port=port
    )
    print("Ctrl-C ends it")
    session.wait(-1)


def _space_of(panel: fo.Panel) -> fo.Space:
    import fiftyone as fo

    # A space shows nothing until one of its panels is the active one.
    return fo.Space(children=[panel], active_child=panel.component_id)
