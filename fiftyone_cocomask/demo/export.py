"""The demo export: seven sources, three augmented copies each, as Roboflow exports."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from ..errors import CocoMaskError
from .curves import clip_ring
from .insects import Insect
from .scenes import SCENES, SOURCE_SIDE, Scene, outline, paint_scene

SIDE = 640
COPIES = 3

# The root category has the name of a class and no annotation, as Roboflow writes it.
CATEGORIES = [
    {"id": 0, "name": "butterfly", "supercategory": "none"},
    {"id": 1, "name": "butterfly", "supercategory": "butterfly"},
    {"id": 2, "name": "moth", "supercategory": "butterfly"},
]
_CATEGORY_IDS = {"butterfly": 1, "moth": 2}

# The scene and the copy of the annotation that is an RLE, of the one whose ring is
# broken, and of the image in which nothing is left to annotate.
RLE_COPY = ("torn-wing", 1)
BROKEN_COPY = ("three-in-the-sky", 2)
NEGATIVE_COPY = ("edge-of-the-field", 2)

_README = """\
Demo Butterflies - v1 drawn by fiftyone-cocomask
================================================

The files are laid out as in an export of Roboflow's. Every picture is drawn by a
program.

The dataset includes {images} images.
Butterflies and moths are annotated in COCO format.

The following augmentation was applied to create 3 versions of each source image:
* Random rotation, horizontal flip and scale
"""
_LICENSE_README = "# Demo Butterflies\n\nLicense: Public Domain\n"


@dataclass(frozen=True)
class Copy:
    """An augmented copy of a scene.

    Attributes:
        scene: the scene
        number: which of its copies this is
        transform: the affine transform from the source's pixels to the copy's, of
            shape (2, 3)
    """

    scene: Scene
    number: int
    transform: np.ndarray

    @property
    def file_name(self) -> str:
        """The file name that Roboflow would give it."""
        token = md5(f"{self.scene.name} {self.number}".encode()).hexdigest()
        return f"{self.scene.name}_jpg.rf.{token}.jpg"

    def is_(self, place: tuple[str, int]) -> bool:
        """Whether it is the copy of a name and a number."""
        return (self.scene.name, self.number) == place


def write_demo_export(folder: str | Path, *, seed: int = 7) -> Path:
    """Draws the demo export: 21 images of butterflies and moths with their outlines.

    It has what real exports have: augmented copies of one source, an unused root
    category with the name of a class, objects that overlap and pass the image's edge,
    an image without objects, an RLE among polygons, and one annotation that is broken.

    Args:
        folder: the folder to write to; an older demo export there is replaced
        seed: decides the backgrounds and how copies are turned and scaled

    Returns:
        the folder

    Raises:
        CocoMaskError: if the folder holds anything else; nothing has been written then
    """
    folder = Path(folder)
    if not _may_replace(folder):
        raise CocoMaskError(
            f"{folder} holds something other than a demo export; give another folder"
        )
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    random = np.random.default_rng(seed)
    by_split: dict[str, list[tuple[Copy, np.ndarray]]] = defaultdict(list)
    for scene in SCENES:
        picture = paint_scene(scene, random)
        for number in range(COPIES):
            copy = Copy(scene, number, _transform(scene, number, random))
            image = cv2.warpAffine(picture, copy.transform, (SIDE, SIDE))
            by_split[scene.split].append((copy, image))
    for split, copies in by_split.items():
        _write_split(new / split, copies)
    images = sum(len(copies) for copies in by_split.values())
    (new / "README.roboflow.txt").write_text(_README.format(images=images))
    (new / "README.dataset.txt").write_text(_LICENSE_README)
    # The new export is whole before the old one goes.
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def _may_replace(folder: Path) -> bool:
    """Whether a folder is absent, empty, or an older demo export."""
    if not folder.exists():
        return True
    if not folder.is_dir():
        return False
    readme = folder / "README.roboflow.txt"
    if readme.is_file():
        return readme.read_text(errors="replace").startswith(_README.splitlines()[0])
    return not any(folder.iterdir())


def _transform(scene: Scene, number: int, random: np.random.Generator) -> np.ndarray:
    """Returns a rotation, flip and scale about the middle of the source."""
    angle = random.uniform(-25, 25)
    scale = SIDE / random.uniform(780, 860)
    if (scene.name, number) == NEGATIVE_COPY:
        scale = SIDE / 420
    turn = cv2.getRotationMatrix2D((SOURCE_SIDE / 2, SOURCE_SIDE / 2), angle, scale)
    turn = turn + np.array([[0.0, 0, 1], [0, 0, 1]]) * (SIDE - SOURCE_SIDE) / 2
    if number == 1:
        turn = np.array([[-1.0], [1.0]]) * turn + np.array(
            [[0, 0, SIDE - 1], [0, 0, 0]]
        )
    return turn


def _placed(ring: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Returns a ring of the source in a copy, in COCO's continuous coordinates.

    `warpAffine` maps the pixels' middles, which lie at halves here.
    """
    return (ring - 0.5) @ transform[:, :2].T + transform[:, 2] + 0.5


def _write_split(folder: Path, copies: list[tuple[Copy, np.ndarray]]) -> None:
    folder.mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (copy, image) in enumerate(copies):
        cv2.imwrite(
            str(folder / copy.file_name),
            cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, 92],
        )
        images.append(
            {
                "id": image_id,
                "license": 1,
                "file_name": copy.file_name,
                "height": SIDE,
                "width": SIDE,
                "date_captured": "2026-01-31T12:00:00+00:00",
                "extra": {"name": f"{copy.scene.name}.jpg"},
            }
        )
        for insect in copy.scene.insects:
            annotation = _annotation(copy, insect)
            if annotation is not None:
                ids = {"id": len(annotations), "image_id": image_id}
                annotations.append({**ids, **annotation})
        if copy.is_(BROKEN_COPY):
            _break(annotations[-1])
    export = {
        "info": {
            "year": "2026",
            "version": "1",
            "description": "Butterflies and moths drawn by a program",
            "contributor": "",
            "url": "",
            "date_created": "2026-01-31T12:00:00+00:00",
        },
        "licenses": [{"id": 1, "url": "", "name": "Public Domain"}],
        "categories": CATEGORIES,
        "images": images,
        "annotations": annotations,
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(export))


def _annotation(copy: Copy, insect: Insect) -> dict[str, Any] | None:
    """Returns an insect's annotation without its ids, or None if nothing is seen."""
    ring = clip_ring(_placed(outline(insect), copy.transform), SIDE, SIDE).round(3)
    if not len(ring):
        return None
    x, y = ring.min(axis=0).tolist()
    width, height = np.ptp(ring, axis=0).tolist()
    segmentation: Any = [ring.ravel().tolist()]
    if copy.is_(RLE_COPY):
        segmentation = _rle_with_hole(copy, insect, ring)
    return {
        "category_id": _CATEGORY_IDS[insect.species.category],
        # Roboflow rounds a box's corner and writes the box's area as the object's.
        "bbox": [round(x), round(y), round(width, 3), round(height, 3)],
        "area": round(width * height, 3),
        "segmentation": segmentation,
        "iscrowd": 0,
    }


def _rle_with_hole(copy: Copy, insect: Insect, ring: np.ndarray) -> dict[str, Any]:
    mask = mask_utils.decode(mask_utils.frPyObjects([ring.ravel()], SIDE, SIDE))[..., 0]
    hole = insect.hole_ring()
    if hole is not None:
        placed = _placed(hole, copy.transform)
        inside = mask_utils.frPyObjects([placed.ravel()], SIDE, SIDE)
        mask &= 1 - mask_utils.decode(inside)[..., 0]
    encoded = mask_utils.encode(np.asfortranarray(mask))
    return {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")}


def _break(annotation: dict[str, Any]) -> None:
    """Joins x and width as text, as a real exporter was seen to do."""
    x, y, width, height = annotation["bbox"]
    right, bottom = f"{x}{width:.2f}", f"{y}{height:.2f}"
    annotation["bbox"] = [x, y, f"{width:.2f}", f"{height:.2f}"]
    annotation["segmentation"] = [[x, y, right, y, right, bottom, x, bottom]]
