"""Mutates valid exports and reads them: ``python -m tests.unit.coco.fuzzing --help``.

Each case is made from its number alone, so a failing one can be run again by itself.
The process limits its own memory: what asks for more than that fails. So does a case
that takes more time or memory than a base and some for each byte of its files.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import bson
import numpy as np
from PIL import Image
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.records import Annotation, ImageRecord
from fiftyone_cocomask.errors import ExportError

MEMORY_LIMIT = 3 * 2**30
# What a case may take, and what it may take for each byte more.
SECONDS, SECONDS_PER_BYTE = 1.0, 20e-6
MEMORY, MEMORY_PER_BYTE = 64 * 2**20, 100
WIDTH, HEIGHT = 48, 32

Json = Any
_ODD_VALUES: list[Json] = [
    None, True, False, 0, -1, 1, 2, 7, 2**31, 2**63, -(2**63) - 1, 10**30, 0.5, -0.0,
    1e6, 1e9, 1e308, -1e308, math.nan, math.inf, -math.inf, "", " ", "1", "0.60", "x",
    "NaN", "1e999", "a" * 3000, "\ud800", "\0", "\u00e9\u0301\U0001f98b", "../x.png",
    "/etc/hostname", "C:\\x", "C:\\a.png", "%2e%2e%2fa.png", "file:///etc/hostname",
    "http://x.org/a.png?b#c", "http://[/a.png", "A.PNG", "a", "b.jpeg", "?=a.png", "%",
    "a.png", "b.jpg", ".", [], {}, [[]], [[[]]], [{}], [None],
    [0], ["1", "2"], [1, 2, 3, 4], [[1, 2]], {"size": [32, 48], "counts": [1536]},
    {"size": [10**9, 10**9], "counts": "0" * 50}, {"counts": []}, {"a.b": {"$c": 1}},
    [[0, 0, 1e5, 1e5, 0, 1e5]], [list(range(40))], [[178, 4, "1780.60", 4, 1e3, 5]],
    [[[5, 5, 25, 5, 25, 15, 5, 15]]], [[[[5, 5], [25, 5], [25, 15]]]], [9, 9, 9, 5, 45],
    [{"x": 5, "y": 5}, {"x": 25, "y": 5}, {"x": 25, "y": 15}], [{"x": 1}, {"y": None}],
    [5, 5, 20, 10, 5], [[5, 5, 45, 30, 45, 5, 5, 30]], {"x": [1, 9, 9], "y": [1, 1, 9]},
    {"size": [33, 48], "counts": [1584]}, {"size": [31, 48], "counts": [1488]},
    {"size": [32, 48], "counts": [1584]}, {"size": [32, 48], "counts": [1000.0, 536.0]},
    {"size": [32.0, 48], "counts": "b'P`1'"}, {"size": [32, 48], "counts": "UGAx"},
    {"size": [2**15, 3 * 2**14], "counts": [0, 3 * 2**29]}, "x" * 100_000,
]  # fmt: skip
_KEYS = [
    "id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd",
    "is_crowd", "file_name", "width", "height", "name", "supercategory", "extra",
    "attributes", "size", "counts", "images", "annotations", "categories", "caption",
    "segments_info", "rotation", "tags", "_id", "$set", "a.b", "", "\0", "keypoints",
    "coco_id",
]  # fmt: skip


def valid_export() -> Json:
    """Returns a JSON with everything that a good export has."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    mask[5:20, 10:30] = 1
    rle = mask_utils.encode(mask)
    compressed = {"size": [HEIGHT, WIDTH], "counts": rle["counts"].decode()}
    runs = [10 * HEIGHT + 5, 15, (37 * HEIGHT) + HEIGHT - 20]
    uncompressed = {"size": [HEIGHT, WIDTH], "counts": runs}
    square = [5, 5, 25, 5, 25, 15.5, 5, 15.5]
    shapes: list[tuple[Json, Json]] = [
        ([square], [5, 5, 20, 10.5]),
        ([[*square, 5, 5]], [5, 5, 20, 10.5]),
        ([square, [30, 20, 40, 20, 40, 30]], [5, 5, 35, 25]),
        (compressed, [10, 5, 20, 15]),
        (uncompressed, [10, 5, 1, 15]),
        ([], [5, 5, 20, 10.5]),
        ([[1.25, 2, 3, 2.5, 4, 30, 1, 20]], [1, 2, 3, 28]),
    ]
    annotations = [
        {
            "id": number,
            "image_id": number % 3,
            "category_id": 1 + number % 2,
            "bbox": list(box),
            "area": 210.0,
            "segmentation": segmentation,
            "iscrowd": number % 2,
            **({"attributes": {"occluded": False}} if number == 2 else {}),
        }
        for number, (segmentation, box) in enumerate(shapes * 2)
    ]
    names = ["a.png", "b.jpg", "c_jpg.rf.0123456789abcdef0123456789abcdef.webp"]
    return {
        "info": {"year": "2026", "version": "1"},
        "licenses": [{"id": 1, "name": "CC0"}],
        "categories": [
            {"id": 0, "name": "cat", "supercategory": "none"},
            {"id": 1, "name": "cat", "supercategory": "cat"},
            {"id": 2, "name": "dog", "supercategory": "cat"},
        ],
        "images": [
            {
                "id": number,
                "file_name": name,
                "width": WIDTH,
                "height": HEIGHT,
                "extra": {"name": f"{number}.jpg", "user_tags": ["t"]},
            }
            for number, name in enumerate(names)
        ],
        "annotations": annotations,
    }


def image_bytes() -> dict[str, bytes]:
    """Returns an image for each name of the valid export."""
    files = {}
    for entry in valid_export()["images"]:
        file = BytesIO()
        kind = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
        suffix = entry["file_name"].rpartition(".")[2]
        Image.new("RGB", (WIDTH, HEIGHT), (9, 90, 200)).save(file, kind[suffix])
        files[entry["file_name"]] = file.getvalue()
    return files


# Mutations of values.


def places(value: Json, found: list[tuple[Any, Any]] | None = None) -> list[Any]:
    """Returns every place in a JSON, as its container and its key or index."""
    found = [] if found is None else found
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        found.append((value, key))
        places(item, found)
    return found


def replace(parts: Json, rng: random.Random) -> None:
    container, key = rng.choice(places(parts))
    container[key] = copy.deepcopy(rng.choice(_ODD_VALUES))


def remove(parts: Json, rng: random.Random) -> None:
    container, key = rng.choice(places(parts))
    del container[key]


def repeat(parts: Json, rng: random.Random) -> None:
    lists = [c[k] for c, k in places(parts) if isinstance(c[k], list) and c[k]]
    if lists:
        chosen = rng.choice(lists)
        item = copy.deepcopy(rng.choice(chosen))
        chosen.insert(rng.randrange(len(chosen) + 1), item)


def swap(parts: Json, rng: random.Random) -> None:
    (first, i), (second, j) = rng.sample(places(parts), 2)
    first[i], second[j] = copy.deepcopy(second[j]), copy.deepcopy(first[i])


def add_key(parts: Json, rng: random.Random) -> None:
    objects = [c[k] for c, k in places(parts) if isinstance(c[k], dict)]
    if objects:
        value = copy.deepcopy(rng.choice(_ODD_VALUES))
        rng.choice([parts, *objects])[rng.choice(_KEYS)] = value


def change_number(parts: Json, rng: random.Random) -> None:
    numbers = [
        (container, key)
        for container, key in places(parts)
        if isinstance(container[key], (int, float))
    ]
    container, key = rng.choice(numbers)
    number = container[key]
    changes: list[Callable[[], Json]] = [
        lambda: number * 10,
        lambda: -number,
        lambda: number + 0.5,
        lambda: number * 1e10,
        lambda: str(number),
        lambda: float(f"{abs(number):g}{rng.randrange(100)}"),
        lambda: rng.uniform(-100, 200),
        lambda: rng.randrange(-5, 60),
    ]
    container[key] = rng.choice(changes)()


def shorten(parts: Json, rng: random.Random) -> None:
    lists = [c[k] for c, k in places(parts) if isinstance(c[k], list) and c[k]]
    if lists:
        chosen = rng.choice(lists)
        del chosen[rng.randrange(len(chosen)) :]


def change_text(parts: Json, rng: random.Random) -> None:
    texts = [(c, k) for c, k in places(parts) if isinstance(c[k], str) and c[k]]
    if texts:
        container, key = rng.choice(texts)
        text = container[key]
        place = rng.randrange(len(text))
        sign = rng.choice(["", text[place] * 2, chr(rng.randrange(32, 127)), "\\"])
        container[key] = text[:place] + sign + text[place + 1 :]


def grow(parts: Json, rng: random.Random) -> None:
    """Makes a list, an object or a text long, with items of its own."""
    container, key = rng.choice(places(parts))
    value = container[key]
    size = rng.choice([2000, 20_000, 200_000])
    if isinstance(value, str):
        container[key] = value * (size // max(len(value), 1))
    elif isinstance(value, (list, dict)) and value:
        item = rng.choice(list(value.values()) if isinstance(value, dict) else value)
        items = [copy.deepcopy(item) for _ in range(size // len(json.dumps(item)))]
        if isinstance(value, list):
            value.extend(items)
        else:
            value.update({f"key {number}": item for number, item in enumerate(items)})


_VALUE_MUTATIONS = [
    replace, replace, replace, remove, repeat, swap, add_key, change_number,
    change_number, change_text, shorten, grow,
]  # fmt: skip


# Mutations of bytes.


def mutated_bytes(data: bytes, rng: random.Random) -> bytes:
    """Returns bytes with a few flipped, cut out, doubled, inserted, or cut off."""
    content = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(content) + 1)
        end = min(len(content), place + rng.randrange(1, 40))
        kind = rng.randrange(5)
        if kind == 0 and place < len(content):
            content[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del content[place:end]
        elif kind == 2:
            content[place:place] = content[place:end]
        elif kind == 3:
            tokens = [
                b"\xff",
                b"\0",
                b'"',
                b"[",
                b"}",
                b",",
                b"NaN",
                b"\\ud800",
                b"1e999",
            ]
            content[place:place] = rng.choice(tokens)
        else:
            del content[place:]
    return bytes(content)


def json_bytes(rng: random.Random) -> bytes:
    """Returns a mutated JSON, or a valid one."""
    parts = valid_export()
    kind = rng.randrange(8)
    if kind:
        for _ in range(rng.choice([1, 1, 2, 3, 6])):
            if places(parts):
                rng.choice(_VALUE_MUTATIONS)(parts, rng)
    text = json.dumps(
        parts, ensure_ascii=rng.random() < 0.8, indent=rng.choice([None, 1])
    )
    encoding = rng.choice(
        ["utf-8"] * 8 + ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"]
    )
    data = text.encode(encoding, "replace")
    return data if kind not in (1, 2) else mutated_bytes(data, rng)


def write_case(folder: Path, number: int) -> Path:
    """Writes the export of a case and returns its path."""
    rng = random.Random(number)
    files = image_bytes()
    for name in list(files):
        if rng.random() < 0.08:
            files[name] = mutated_bytes(files[name], rng)
        elif rng.random() < 0.03:
            del files[name]
    splits = rng.choice([[""], [""], ["train/", "valid/"]])
    contents = {split + name: data for split in splits for name, data in files.items()}
    for split in splits:
        contents[f"{split}_annotations.coco.json"] = json_bytes(rng)
    if rng.random() < 0.85:
        for name, data in contents.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        return folder
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice([0, zipfile.ZIP_DEFLATED])) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    data = packed.getvalue()
    path = folder / "export.zip"
    path.write_bytes(mutated_bytes(data, rng) if rng.random() < 0.5 else data)
    return path


# What must hold.


def check_case(path: Path) -> str:
    """Reads an export and checks what must hold of any; returns how it went."""
    unpack_to = path.parent / "unpacked" if path.suffix == ".zip" else None
    try:
        with ExportReader(path, unpack_to=unpack_to) as reader:
            records = list(reader.images())
    except ExportError as error:
        check_message(str(error))
        return "refused"
    report = reader.report
    assert report.accounted == report.annotations
    assert report.imported == sum(len(record.annotations) for record in records)
    lost = {i.annotation_id for i in report.issues if i.action.value == "dropped"}
    assert not report.dropped or lost
    bson.encode(report.to_dict())
    bson.encode(reader.info)
    report.summary().encode()
    for record in records:
        check_record(record)
    return "clean" if not report.dropped else "dropped"


def check_message(message: str) -> None:
    """One sentence, on one line."""
    assert message.strip()
    assert "\n" not in message


def check_record(record: ImageRecord) -> None:
    assert record.width > 0
    assert record.height > 0
    assert record.path.is_file()
    bson.encode({"original": record.original, "id": record.coco_id})
    bson.encode({"tags": record.user_tags, "source": record.source_name})
    for annotation in record.annotations:
        check_annotation(annotation, record)


def check_annotation(annotation: Annotation, record: ImageRecord) -> None:
    bson.encode({"o": annotation.original})
    bson.encode({"a": annotation.attributes, "id": annotation.coco_id})
    assert annotation.label.strip()
    assert annotation.iscrowd in (0, 1)
    assert annotation.rings or annotation.rle or annotation.box
    if annotation.box is not None:
        assert all(map(math.isfinite, annotation.box))
    rle = annotation.rle
    if rle is not None:
        assert rle["size"] == [record.height, record.width]
        assert mask_utils.decode(rle).shape == (record.height, record.width)
    for ring in annotation.rings:
        assert ring.dtype == np.float64
        assert ring.ndim == 2
        assert ring.shape[1] == 2
        assert len(ring) >= 3
        # With what is not finite or is huge this crashes or takes all memory.
        flat = [ring.ravel().tolist()]
        mask_utils.frPyObjects(flat, record.height, record.width)


@contextmanager
def budget(size: int) -> Iterator[None]:
    """Checks what is done on an input: that it takes no more than its bytes allow.

    Args:
        size: the number of bytes of the input
    """
    peak, resident, began = _peak(), _resident(), time.process_time()
    yield
    seconds = time.process_time() - began
    allowed = SECONDS + size * SECONDS_PER_BYTE
    assert seconds <= allowed, f"{seconds:.1f} s for {size:,} bytes"
    # What an input has taken is seen where the process never had so much before.
    memory = _peak() - resident if _peak() > peak else 0
    assert memory <= MEMORY + size * MEMORY_PER_BYTE, f"{memory:,} for {size:,} bytes"


def _peak() -> int:
    """Returns the most bytes of memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _resident() -> int:
    """Returns the bytes of memory that this process has now."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def run(first: int, cases: int) -> int:
    """Runs cases and prints what failed; returns how many did."""
    failures = 0
    outcomes: dict[str, int] = {}
    for number in range(first, first + cases):
        with tempfile.TemporaryDirectory() as folder:
            try:
                path = write_case(Path(folder), number)
                files = (f for f in Path(folder).rglob("*") if f.is_file())
                with budget(sum(file.stat().st_size for file in files)):
                    outcome = check_case(path)
            except BaseException:
                failures += 1
                outcome = "failed"
                print(f"case {number} failed:", file=sys.stderr)
                traceback.print_exc()
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(json.dumps(outcomes))
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first case's number")
    parser.add_argument("--cases", type=int, default=500)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    return min(run(options.first, options.cases), 100)


if __name__ == "__main__":
    sys.exit(main())
