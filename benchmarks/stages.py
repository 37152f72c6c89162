"""What is measured: each thing that is done with an export or a dataset, in order.

A stage finds what those before it have made. What only it needs, it takes away again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import fiftyone as fo

import fiftyone_cocomask as fcm

from .exports import write_edited_export, write_export

LABELS = "segmentations"
LOOP_STEPS = 25_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """An export of so many images, and the datasets that are made of it.

    Attributes:
        folder: the folder of the benchmark
        images: the number of images
    """

    folder: Path
    images: int

    @property
    def export(self) -> Path:
        return self._below("export")

    @property
    def edited(self) -> Path:
        """A later version of the export, in which every object was edited."""
        return self._below("edited")

    @property
    def back(self) -> Path:
        """The dataset, written back as an export."""
        return self._below("back")

    @property
    def name(self) -> str:
        """The name of the dataset that stages work on."""
        return f"images-{self.images}"

    @property
    def two_versions(self) -> str:
        """The name of the dataset with both versions and their instance masks."""
        return f"versions-{self.images}"

    @property
    def copied(self) -> str:
        """The name of a copy of one of them, for what a stage is compared with."""
        return f"{self.name}-copy"

    def dataset(self) -> Any:
        # Another process may have changed its fields.
        return fo.load_dataset(self.name, reload=True)

    def versions(self) -> Any:
        """Returns the dataset with both versions of the export."""
        return fo.load_dataset(self.two_versions, reload=True)

    def prepare(self) -> None:
        """Writes the exports, and the dataset with both versions, unless it has."""
        done = self._below("prepared")
        if done.exists():
            return
        for folder in (self.export, self.edited):
            shutil.rmtree(folder, ignore_errors=True)
        write_export(self.export, self.images)
        write_edited_export(self.edited, self.images)
        if fo.dataset_exists(self.two_versions):
            fo.delete_dataset(self.two_versions)
        fcm.import_roboflow_coco(self.export, self.two_versions, num_workers=2)
        dataset, report = fcm.import_roboflow_coco(
            self.edited,
            self.two_versions,
            image_dir=self.export,
            label_field="edited",
            box_field="edited_boxes",
            num_workers=2,
        )
        assert report.accounted == report.annotations == 10 * self.images
        for field in (LABELS, "edited"):
            folder = self._below(f"instances-{field}")
            shutil.rmtree(folder, ignore_errors=True)
            fcm.compute_masks(
                dataset,
                field,
                f"{field}_mask",
                mode="instance",
                output_dir=folder,
                num_workers=2,
            )
        done.touch()

    def begin(self) -> None:
        """Deletes what stages have made of it."""
        for name in [*fo.list_datasets(f"{self.name}-*"), self.name]:
            if fo.dataset_exists(name):
                fo.delete_dataset(name)
        if fo.dataset_exists(self.two_versions):
            _delete_comparison(self)
        for folder in (self.back, self._below("masks")):
            self.put_away(folder)

    def put_away(self, folder: Path) -> None:
        """Takes a folder out of the way, to be deleted once all is measured.

        A file system makes new files more slowly for minutes after it deleted many:
        ext4 looks for a number that no file had lately.
        """
        if folder.exists():
            away = put_away_below(self.folder)
            away.mkdir(exist_ok=True)
            folder.rename(away / token_hex(8))

    def sizes(self) -> dict[str, float]:
        """Returns the kilobytes of documents and masks, for an image."""
        dataset = self.dataset()
        largest = {"$group": {"_id": None, "size": {"$max": {"$bsonSize": "$$ROOT"}}}}
        (found,) = dataset._sample_collection.aggregate([largest])
        masks = sum(path.stat().st_size for path in self.masks("mask").rglob("*.png"))
        json_bytes = (self.export / "_annotations.coco.json").stat().st_size
        return {
            "JSON, an image": json_bytes / 1000 / self.images,
            "documents, an image": dataset.stats()["samples_bytes"]
            / 1000
            / self.images,
            "masks, an image": masks / 1000 / self.images,
            "the largest document": found["size"] / 1000,
        }

    def masks(self, name: str) -> Path:
        """Returns the folder of masks of a name."""
        return self._below("masks") / name

    def _below(self, name: str) -> Path:
        return self.folder / f"{name}-{self.images}"


def put_away_below(folder: Path) -> Path:
    """Returns where in the folder of a benchmark that is which may be deleted."""
    return folder / "put-away"


def nothing(case: Case) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Stage:
    """Something that is measured.

    Attributes:
        name: its name in the tables
        run: does it
        begin: makes what it needs, which is not measured
        end: takes away what no stage after it needs
        one: the stage that does the same in one process
        most: datasets of more images leave it out
        needs: the stages whose results it needs
    """

    name: str
    run: Callable[[Case], object]
    begin: Callable[[Case], object] = nothing
    end: Callable[[Case], object] = nothing
    one: str | None = None
    most: int | None = None
    needs: tuple[str, ...] = ("import",)


def _import(case: Case, name: str, num_workers: int) -> None:
    _, report = fcm.import_roboflow_coco(case.export, name, num_workers=num_workers)
    assert report.accounted == report.annotations == 10 * case.images


def _import_whole(case: Case) -> None:
    _import(case, case.name, 1)


def _import_in_two(case: Case) -> None:
    _import(case, f"{case.name}-two", 2)


def _delete_second(case: Case) -> None:
    fo.delete_dataset(f"{case.name}-two")


def _masks(case: Case, field: str = "mask", **options: Any) -> None:
    folder = case.masks(field)
    fcm.compute_masks(case.dataset(), mask_field=field, output_dir=folder, **options)


def _other_masks(name: str, one: str, most: int | None, **options: Any) -> Stage:
    """Returns the stage of masks that no other stage needs."""

    def delete(case: Case) -> None:
        case.dataset().delete_sample_field("other_mask")
        case.put_away(case.masks("other_mask"))

    return Stage(
        name,
        lambda case: _masks(case, "other_mask", **options),
        end=delete,
        one=one if options["num_workers"] > 1 else None,
        most=most,
    )


def _masks_once(case: Case) -> None:
    _masks(case, num_workers=1)


def _masks_again(case: Case) -> None:
    report = fcm.compute_masks(case.dataset(), output_dir=case.masks("mask"))
    assert report.unchanged == case.images


def _area(case: Case) -> None:
    fcm.evaluate_mask_area(case.dataset(), label_field=LABELS)


def _coverage(case: Case) -> None:
    fcm.evaluate_mask_coverage(case.dataset(), label_field=LABELS)


def _forget_counts(case: Case) -> None:
    """Makes our masks like anybody's, of which nothing is known."""
    case.dataset()._sample_collection.update_many({}, {"$unset": {"mask.drawn": ""}})


def _area_of_any(case: Case) -> None:
    fcm.evaluate_mask_area(case.dataset(), eval_key="of_any")


def _tables(case: Case) -> None:
    for key in ("mask_area", "mask_coverage"):
        results = fcm.load_mask_evaluation(case.dataset(), key)
        results.summary()
        results.per_class()
        results.overview_histogram()


def _search(case: Case) -> None:
    report = fcm.find_mask_issues(case.dataset())
    assert report.labels == 10 * case.images


def _rank(case: Case) -> None:
    ranking = fcm.rank_mask_outlines(case.dataset())
    assert not ranking.skipped


def _fix(case: Case) -> None:
    assert fcm.fix_mask_issues(case.dataset()).fixed


def _undo(case: Case) -> None:
    fcm.undo_mask_fixes(case.dataset())


def _report(case: Case) -> None:
    fcm.write_report(case.dataset(), case.folder / "report.html")


def _export(case: Case) -> None:
    report = fcm.export_roboflow_coco(
        case.dataset(), case.back, images="none", overwrite=True
    )
    assert report.annotations == report.unchanged == 10 * case.images


def _compare_same(case: Case) -> None:
    assert fcm.compare_exports(case.export, case.back).is_same


def _compare_edited(case: Case) -> None:
    found = fcm.compare_exports(case.export, case.edited)
    assert found.annotations["edited"] == 10 * case.images


def _compare_masks(case: Case) -> None:
    fcm.compare_masks(
        case.versions(),
        "edited_mask",
        f"{LABELS}_mask",
        eval_key="versions",
    )


def _match_objects(case: Case) -> None:
    dataset = case.versions()
    overview = fcm.load_mask_evaluation(dataset, "versions").objects_overview()
    assert sum(row["found"] for row in overview["classes"]) > 9 * case.images


def _delete_comparison(case: Case) -> None:
    dataset = case.versions()
    if dataset.has_evaluation("versions"):
        fcm.delete_mask_evaluation(dataset, "versions")


def _loop(steps: int = LOOP_STEPS) -> None:
    for _ in range(steps):
        pass


def _loop_twice(case: Case) -> None:
    _loop()
    _loop()


def _loop_in_two(case: Case) -> None:
    from multiprocessing import get_context

    with get_context("fork").Pool(2) as pool:
        pool.map(_loop, [LOOP_STEPS] * 2, chunksize=1)


_MASKS = ("import", "masks")
_AREA = (*_MASKS, "area of masks and objects")
_EVALUATED = (*_AREA, "coverage and overlap")
_SEARCHED = (*_MASKS, "search for issues")
_EXPORTED = ("import", "export to COCO, without images")

_ALL = (
    Stage("a loop that shares nothing", _loop_twice, most=1000, needs=()),
    Stage(
        "a loop that shares nothing, two processes",
        _loop_in_two,
        one="a loop that shares nothing",
        most=1000,
        needs=(),
    ),
    Stage("import", _import_whole, needs=()),
    Stage(
        "import, two processes",
        _import_in_two,
        end=_delete_second,
        one="import",
        needs=(),
    ),
    Stage("masks", _masks_once),
    _other_masks("masks, two processes", "masks", None, num_workers=2),
    _other_masks("masks, `opencv`", "", 10_000, num_workers=1, rasterizer="opencv"),
    _other_masks(
        "masks, `opencv`, two processes",
        "masks, `opencv`",
        10_000,
        num_workers=2,
        rasterizer="opencv",
    ),
    Stage("masks again, nothing changed", _masks_again, needs=_MASKS),
    Stage("area of masks and objects", _area, needs=_MASKS),
    Stage("area again, nothing changed", _area, needs=_AREA),
    Stage("coverage and overlap", _coverage, needs=_MASKS),
    Stage("tables of both", _tables, needs=_EVALUATED),
    Stage("search for issues", _search, needs=_MASKS),
    Stage("ranking of outlines", _rank),
    Stage("repairs", _fix, needs=_SEARCHED),
    Stage("undoing of repairs", _undo, needs=(*_SEARCHED, "repairs")),
    Stage("report", _report, needs=_EVALUATED),
    Stage("export to COCO, without images", _export),
    Stage("comparison of exports, nothing edited", _compare_same, needs=_EXPORTED),
    Stage("comparison of exports, every object edited", _compare_edited, needs=()),
    Stage("comparison of masks", _compare_masks, needs=()),
    Stage(
        "matching of their objects",
        _match_objects,
        end=_delete_comparison,
        needs=("comparison of masks",),
    ),
    Stage(
        "area of masks from elsewhere",
        _area_of_any,
        begin=_forget_counts,
        most=10_000,
        needs=_MASKS,
    ),
)
STAGES = {stage.name: stage for stage in _ALL}
