"""What a run of masks was asked for: how they are drawn, and where they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...choices import Mode, Rasterizer
from ..documents import Document
from ..labels import LabelObject, mask_objects

FOREGROUND = 255


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """What decides the pixels of a mask.

    Attributes:
        mode: what its values mean
        rasterizer: whose pixels are drawn
        overlap: who is on top: a name, or a tuple of classes, later on top
        classes: the classes to draw, None for all
        include_crowd: whether crowd annotations are drawn
        class_values: for ``"semantic"``, the value of each class
        lines: whether polylines that are not filled are lines, and not areas
        boxes: whether a Detection without a mask is drawn as its box
        box_field: the field of boxes of which those are drawn whose annotations have
            no polygon; None if the objects are Detections themselves, or none is drawn
    """

    mode: Mode = "binary"
    rasterizer: Rasterizer = "coco"
    overlap: str | tuple[str, ...] = "largest_first"
    classes: tuple[str, ...] | None = None
    include_crowd: bool = True
    class_values: dict[str, int] = field(default_factory=dict)
    lines: bool = False
    boxes: bool = False
    box_field: str | None = None

    @classmethod
    def asked(cls, **given: Any) -> MaskOptions:
        """Returns the options that arguments of ``compute_masks`` ask for."""
        # Lists that were read from the database are mongoengine's.
        lists = ("overlap", "classes")
        tuples = {
            name: tuple(given[name])
            for name in lists
            if not isinstance(given.get(name), (str, type(None)))
        }
        return cls(**{**given, **tuples})

    def objects(
        self, label: Document | None, width: int, height: int
    ) -> list[LabelObject]:
        """Returns the objects of a sample, also those that are not drawn."""
        return mask_objects(label, width, height, lines=self.lines, boxes=self.boxes)

    def selects(self, item: LabelObject) -> bool:
        """Whether an object is drawn."""
        if item.iscrowd and not self.include_crowd:
            return False
        if self.mode == "semantic" and item.label not in self.class_values:
            return False
        return self.classes is None or item.label in self.classes

    def values(self, items: list[LabelObject]) -> list[int]:
        """Returns the mask value of each object."""
        if self.mode == "binary":
            return [FOREGROUND] * len(items)
        if self.mode == "semantic":
            return [self.class_values[str(item.label)] for item in items]
        return list(range(1, len(items) + 1))

    @classmethod
    def from_dict(
        cls, content: Mapping[str, Any], class_values: Mapping[str, int]
    ) -> MaskOptions:
        """Returns the options that :meth:`to_dict` gave, also in earlier versions."""
        return cls.asked(
            mode=content["mode"],
            rasterizer=content["rasterizer"],
            overlap=content["overlap"],
            classes=content["classes"],
            include_crowd=content["include_crowd"],
            class_values=dict(class_values),
            lines=content.get("lines", False),
            boxes=content.get("boxes", False),
            box_field=content.get("box_field"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the options as MongoDB and JSON hold them."""
        # Masks that were drawn before there was a box_field stay as they are.
        box_field = {"box_field": self.box_field} if self.box_field else {}
        return {
            **box_field,
            "mode": self.mode,
            "rasterizer": self.rasterizer,
            "overlap": (
                self.overlap if isinstance(self.overlap, str) else list(self.overlap)
            ),
            "classes": None if self.classes is None else list(self.classes),
            "include_crowd": self.include_crowd,
            "lines": self.lines,
            "boxes": self.boxes,
        }


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """All that the masks of a run have in common, also where several processes draw.

    Attributes:
        label_field: the field of the objects
        mask_field: the field of the masks
        options: what decides the pixels
        output_dir: the folder of the files, None for masks in the database
        overwrite: whether to draw every mask again, and to replace foreign ones
        is_own_folder: whether ``output_dir`` is the dataset's own
    """

    label_field: str
    mask_field: str
    options: MaskOptions
    output_dir: str | None
    overwrite: bool
    is_own_folder: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Returns the plan as MongoDB and JSON hold it."""
        # Classes have any name: keys of MongoDB have not.
        values = [list(item) for item in self.options.class_values.items()]
        return {**asdict(self), "options": self.options.to_dict(), "values": values}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> MaskPlan:
        """Returns the plan that :meth:`to_dict` gave."""
        fields = dict(content)
        values = dict(fields.pop("values"))
        options = MaskOptions.from_dict(fields.pop("options"), values)
        return cls(**fields, options=options)
