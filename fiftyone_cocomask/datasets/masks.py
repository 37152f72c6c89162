"""Masks of a dataset's objects, in a ``Segmentation`` field."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

import fiftyone as fo
import fiftyone.core.storage as fos
import fiftyone.core.utils as fou

from ..errors import CocoMaskError
from .documents import (
    clear_database_errors,
    stream_encoded_documents,
    update_documents,
)
from .field_display import show_fields
from .labels import object_list_path
from .mask_drawing import FOREGROUND, MaskOptions, MaskResult, Mode, Rasterizer
from .mask_files import MaskPaths, default_mask_dir
from .mask_maker import MaskMaker
from .memory import frozen_heap
from .processes import map_in_processes
from .workers import process_count

Overlap = Literal["largest_first", "smallest_first", "annotation_order"]
Storage = Literal["disk", "database"]

# The key under which a mask field's `info` says how its masks were made.
INFO_KEY = "cocomask"
# Samples per batch: small, so that several processes have equal shares.
CHUNK = 50
# A report names at most this many samples of each kind.
MAX_NAMED = 1000


@dataclass(slots=True)
class MaskReport:
    """What :func:`compute_masks` did.

    Attributes:
        images: the number of images that have a current mask now
        unchanged: how many of them had it before; the figures below leave them out
        objects: the number of objects drawn
        hidden: the objects with no visible pixel, as ``{"sample_id", "filepath",
            "label_id"}``; at most 1,000 are named
        num_hidden: how many there are
        overlap_px: the number of pixels under two or more objects
        without_geometry: the number of labels that have no polygon, RLE or mask
        skipped: the samples that got no mask, as ``{"sample_id", "filepath",
            "reason"}``; at most 1,000 are named
        num_skipped: how many there are
        output_dir: the folder of the mask files, or None
        seconds: how long it took
    """

    images: int = 0
    unchanged: int = 0
    objects: int = 0
    hidden: list[dict[str, str]] = field(default_factory=list)
    num_hidden: int = 0
    overlap_px: int = 0
    without_geometry: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)
    num_skipped: int = 0
    output_dir: str | None = None
    seconds: float = 0.0

    def add(self, result: MaskResult) -> None:
        """Counts one sample."""
        names = {"sample_id": str(result.sample_id), "filepath": result.filepath}
        if result.skipped is not None:
            self.num_skipped += 1
            if len(self.skipped) < MAX_NAMED:
                self.skipped.append({**names, "reason": result.skipped})
            return
        self.images += 1
        self.unchanged += result.segmentation is None
        self.objects += result.objects
        self.overlap_px += result.overlap_px
        self.without_geometry += result.without_geometry
        self.num_hidden += len(result.hidden)
        for label_id in result.hidden[: MAX_NAMED - len(self.hidden)]:
            self.hidden.append({**names, "label_id": str(label_id)})

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return asdict(self)

    def summary(self) -> str:
        """Returns the report in a few lines for a person."""
        lines = [
            f"{self.images:,} masks of {self.objects:,} objects"
            + (f", {self.unchanged:,} unchanged" if self.unchanged else "")
            + f", in {self.seconds:.1f} s",
            f"{self.overlap_px:,} px lie under two or more objects; "
            f"{self.num_hidden:,} objects have no visible pixel",
        ]
        if self.without_geometry:
            lines.append(f"{self.without_geometry:,} labels have no geometry to draw")
        if self.num_skipped:
            first = self.skipped[0]
            lines.append(
                f"{self.num_skipped:,} samples got no mask; the first is "
                f"{first['filepath']}: {first['reason']}"
            )
        if self.output_dir:
            lines.append(f"Mask files are in {self.output_dir}")
        return "\n".join(lines)


@clear_database_errors()
def compute_masks(
    samples: fo.Dataset | fo.DatasetView,
    label_field: str = "segmentations",
    mask_field: str = "mask",
    *,
    mode: Mode = "binary",
    rasterizer: Rasterizer = "coco",
    overlap: Overlap | Sequence[str] = "largest_first",
    classes: Sequence[str] | None = None,
    include_crowd: bool = True,
    output_dir: str | Path | None = None,
    storage: Storage = "disk",
    overwrite: bool = False,
    num_workers: int | None = None,
    progress: Any = None,
) -> MaskReport:
    """Draws the objects of each sample into one mask per sample.

    A sample whose labels, size and options are those of its mask keeps it: run again
    after an edit, only the edited samples are drawn. An image without objects gets an
    all-zero mask.

    Example::

        import fiftyone_cocomask as fcm

        report = fcm.compute_masks(dataset, "segmentations", "mask")
        print(report.summary())

    Args:
        samples: the dataset or view; only its samples change
        label_field: a field of Polylines, or of Detections with masks
        mask_field: the ``Segmentation`` field to write
        mode: ``"binary"`` masks are 0 and 255; ``"semantic"`` masks hold the value of
            each class, which the field's mask targets name; ``"instance"`` masks
            number the objects of an image 1..n in their order
        rasterizer: ``"coco"`` draws the pixels of pycocotools; ``"opencv"`` truncates
            coordinates to integers and draws each ring with ``cv2.fillPoly``
        overlap: which object owns a pixel under several: ``"largest_first"`` draws
            the largest first, so that small objects stay visible;
            ``"smallest_first"``; ``"annotation_order"``, later on top; or a list of
            classes, later on top
        classes: the classes to draw, all by default
        include_crowd: whether to draw crowd annotations
        output_dir: the folder of the mask files; by default a folder of the dataset
            below ``fo.config.default_dataset_dir``
        storage: ``"disk"`` writes lossless PNG files, of 1 bit a pixel for binary
            masks and 8 or 16 for others; ``"database"`` stores arrays
        overwrite: whether to draw every mask again, and to replace masks and files
            that were not made by this function for this field
        num_workers: the number of processes that draw; None is FiftyOne's default,
            else this one
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`MaskReport`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
        MaskFileError: if a mask file cannot be written; masks written before are
            complete and in the database
    """
    started = time.perf_counter()
    dataset = samples._dataset
    _check_choices(mode=mode, rasterizer=rasterizer, storage=storage)
    check_mask_field(dataset, mask_field, label_field)
    processes = process_count(num_workers)
    list_path = object_list_path(samples, label_field)
    options = MaskOptions(
        mode=mode,
        rasterizer=rasterizer,
        overlap=_checked_overlap(overlap),
        classes=None if classes is None else tuple(classes),
        include_crowd=include_crowd,
        class_values=(
            _class_values(dataset, list_path, mask_field, classes)
            if mode == "semantic"
            else {}
        ),
    )
    paths = None
    if storage == "disk":
        folder = fos.normalize_path(
            str(output_dir or default_mask_dir(dataset, mask_field))
        )
        paths = MaskPaths(dataset, Path(folder))
    samples.compute_metadata(progress=False)
    report = MaskReport(output_dir=str(paths.output_dir) if paths else None)
    maker = MaskMaker(label_field, mask_field, paths, overwrite, options)
    with fou.ProgressBar(total=len(samples), progress=progress) as bar, frozen_heap():
        for results in _masked_batches(samples, maker, processes):
            for result in results:
                report.add(result)
            bar.update(len(results))
    report.seconds = time.perf_counter() - started
    return report


def mask_options(samples: Any, mask_field: str) -> dict[str, Any] | None:
    """Returns how :func:`compute_masks` made a field's masks, or None if it did not.

    Returns:
        a dict with ``label_field`` and the fields of :class:`MaskOptions`
    """
    field_ = samples.get_field(mask_field)
    return (field_.info or {}).get(INFO_KEY) if field_ is not None else None


def _masked_batches(
    samples: Any,
    maker: MaskMaker,
    processes: int,
) -> Iterator[list[MaskResult]]:
    """Makes the masks and writes them to the database, batch by batch.

    A mask is in the database only once its file is whole. If a file cannot be written,
    those before it are still recorded.
    """
    encoded = stream_encoded_documents(samples, maker.paths_to_read(samples), CHUNK)
    made_batches = map_in_processes(maker.make_batch, encoded, processes)
    first = next(made_batches, None)
    # Now, since FiftyOne takes a while for it and other processes draw meanwhile.
    _declare_mask_field(
        samples._dataset, maker.mask_field, maker.label_field, maker.options
    )
    for made in chain([] if first is None else [first], made_batches):
        update_documents(
            samples._dataset,
            [
                (result.sample_id, {maker.mask_field: result.segmentation})
                for result in made.results
                if result.segmentation is not None
            ],
        )
        if made.error is not None:
            raise made.error
        yield made.results


def _check_choices(mode: str, rasterizer: str, storage: str) -> None:
    for name, value, choices in (
        ("mode", mode, get_args(Mode)),
        ("rasterizer", rasterizer, get_args(Rasterizer)),
        ("storage", storage, get_args(Storage)),
    ):
        if value not in choices:
            allowed = ", ".join(repr(choice) for choice in choices)
            raise CocoMaskError(f"{name} must be one of {allowed}, not {value!r}")


def _checked_overlap(overlap: str | Sequence[str]) -> str | tuple[str, ...]:
    if not isinstance(overlap, str):
        return tuple(overlap)
    if overlap not in get_args(Overlap):
        allowed = ", ".join(repr(choice) for choice in get_args(Overlap))
        raise CocoMaskError(
            f"overlap must be one of {allowed} or a list of classes, not {overlap!r}"
        )
    return overlap


def check_mask_field(dataset: fo.Dataset, mask_field: str, label_field: str) -> None:
    """Checks that a dataset can have masks in a field.

    Raises:
        CocoMaskError: if it cannot
    """
    if dataset.media_type not in ("image", "group", None):
        raise CocoMaskError(
            f"Dataset '{dataset.name}' holds {dataset.media_type} samples; masks are "
            "computed for images"
        )
    if not isinstance(mask_field, str) or not mask_field.isidentifier():
        raise CocoMaskError(f"mask_field must be a field name, not {mask_field!r}")
    if mask_field == label_field:
        raise CocoMaskError(f"mask_field and label_field are both {label_field!r}")
    present = dataset.get_field(mask_field)
    if present is not None:
        label_type = getattr(present, "document_type", None)
        if label_type is not fo.Segmentation:
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has a field '{mask_field}' that is no "
                "Segmentation; give another mask_field"
            )


def _class_values(
    dataset: fo.Dataset,
    list_path: str,
    mask_field: str,
    classes: Sequence[str] | None,
) -> dict[str, int]:
    """Returns the mask value of each class.

    The field's own mask targets come first, then the dataset's default ones, so that
    a class has one value in all masks; a class in neither gets the next free value.

    Raises:
        CocoMaskError: if there are more classes than a 16-bit mask has values
    """
    targets = dataset.mask_targets.get(mask_field) or dataset.default_mask_targets
    values = {
        name: int(value)
        for value, name in sorted((targets or {}).items())
        if isinstance(value, int) and 1 <= value <= 65535
    }
    labels = dataset.distinct(f"{list_path}.label")
    free = (value for value in range(1, 65536) if value not in set(values.values()))
    for name in labels:
        if name not in values:
            value = next(free, None)
            if value is None:
                raise CocoMaskError(
                    f"'{list_path}' has more than 65,535 classes; a 16-bit mask has "
                    "no value for each: give classes="
                )
            values[name] = value
    wanted = set(labels if classes is None else classes)
    return {name: value for name, value in values.items() if name in wanted}


def _declare_mask_field(
    dataset: fo.Dataset, mask_field: str, label_field: str, options: MaskOptions
) -> None:
    description = f"{options.mode.capitalize()} masks of '{label_field}'"
    made = {INFO_KEY: {"label_field": label_field, **options.to_dict()}}
    field_ = dataset.get_field(mask_field)
    if field_ is None:
        dataset.add_sample_field(
            mask_field,
            fo.EmbeddedDocumentField,
            embedded_doc_type=fo.Segmentation,
            description=description,
            info=made,
        )
    else:
        field_.description = description
        field_.info = {**(field_.info or {}), **made}
        field_.save()
    targets = _mask_targets(options)
    if targets != dataset.mask_targets.get(mask_field):
        if targets is None:
            del dataset.mask_targets[mask_field]
        else:
            dataset.mask_targets[mask_field] = targets
        dataset.save()
    show_fields(dataset, [mask_field])


def _mask_targets(options: MaskOptions) -> dict[int, str] | None:
    if options.mode == "semantic":
        return {value: name for name, value in options.class_values.items()}
    if options.mode == "binary":
        one_class = options.classes is not None and len(options.classes) == 1
        name = options.classes[0] if one_class and options.classes else "foreground"
        return {FOREGROUND: name}
    return None
