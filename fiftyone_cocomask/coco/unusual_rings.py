"""Rings as some tools write them -> the flat lists of numbers that COCO has.

``[x, y, x, y, x, y]`` is one flat ring; ``[[x, y], [x, y], [x, y]]`` is one of points,
and so is each ring of ``[[[x, y], [x, y], [x, y]]]``. Points may be objects
``{"x": x, "y": y}``, and rings may be nested too deep.
"""

from __future__ import annotations

from typing import Any

from .issues import IssueCode

# How deep rings are looked for.
_MAX_DEPTH = 6
# Each is held against each.
_MAX_COMPARED = 500

Findings = dict[IssueCode, str]


class AmbiguousRingsError(ValueError):
    """Rings of which nothing tells whether they are parts or holes."""


def as_rings(segmentation: list[Any], findings: Findings) -> list[Any]:
    """Returns a segmentation as a list of rings, as far as its parts are some.

    Args:
        segmentation: the JSON's value
        findings: takes a message for each way in which it is unusual

    Raises:
        AmbiguousRingsError: if there is more than one way to read it
    """
    if not any(isinstance(item, (list, dict)) for item in segmentation):
        findings[IssueCode.SEGMENTATION_FLAT] = (
            "its segmentation is a single ring, not a list of rings"
        )
        return [segmentation]
    ring = _flattened(segmentation, findings) if len(segmentation) > 2 else None
    if ring is not None:
        return [ring]
    rings: list[Any] = []
    for item in segmentation:
        rings += _rings_of(item, findings)
    return rings


def ring_of_arrays(segmentation: dict[str, Any]) -> list[Any] | None:
    """Returns the ring of an object that has all x and all y, as VIA writes them."""
    for x_name, y_name in (("x", "y"), ("all_points_x", "all_points_y")):
        x, y = segmentation.get(x_name), segmentation.get(y_name)
        if isinstance(x, list) and isinstance(y, list) and len(x) == len(y) > 0:
            return [number for point in zip(x, y, strict=True) for number in point]
    return None


def _rings_of(item: Any, findings: Findings, depth: int = 0) -> list[Any]:
    """Returns the rings in an entry of a segmentation: itself, or those in it."""
    ring = _flattened(item, findings)
    if ring is not None:
        return [ring]
    if not _is_list_of_lists(item) or depth == _MAX_DEPTH:
        return [item]
    inside: Findings = {}
    rings = [ring for part in item for ring in _rings_of(part, inside, depth + 1)]
    if not all(_looks_whole(ring) for ring in rings):
        return [item]
    if len(item) > 1:
        _check_apart(rings)
    findings.update(inside)
    findings[IssueCode.SEGMENTATION_NESTED] = (
        "its rings are nested one list too deep; the extra list was dropped"
    )
    return rings


def _looks_whole(ring: Any) -> bool:
    return isinstance(ring, list) and len(ring) >= 6 and not _is_list_of_lists(ring)


def _flattened(ring: Any, findings: Findings) -> list[Any] | None:
    """Returns a ring as a flat list; None if it is not a ring."""
    if not isinstance(ring, list):
        return None
    if not any(isinstance(item, (list, dict)) for item in ring):
        return ring
    if all(_is_pair(point) for point in ring):
        findings[IssueCode.SEGMENTATION_PAIRS] = (
            "its rings are lists of points, not flat lists of numbers"
        )
        return [number for point in ring for number in point]
    if all(isinstance(point, dict) and {"x", "y"} <= point.keys() for point in ring):
        findings[IssueCode.SEGMENTATION_POINT_OBJECTS] = (
            "its rings are lists of objects with 'x' and 'y', not of numbers"
        )
        return [point[name] for point in ring for name in ("x", "y")]
    return None


def _is_list_of_lists(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, list) for item in value)
    )


def _is_pair(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and not isinstance(point[0], (list, dict))
        and not isinstance(point[1], (list, dict))
    )


def _check_apart(rings: list[Any]) -> None:
    """Checks that none of some rings can be a hole of another one.

    In COCO all rings are parts; one list deeper, as GeoJSON has it, the second is a
    hole of the first.

    Raises:
        AmbiguousRingsError: if one lies within the bounds of another
    """
    if len(rings) > _MAX_COMPARED:
        raise AmbiguousRingsError(
            f"its {len(rings):,} rings are nested one list too deep: nothing says "
            "which of them are holes"
        )
    bounds = [_bounds(ring) for ring in rings]
    for place, inner in enumerate(bounds):
        for other, outer in enumerate(bounds):
            if place == other or inner is None or outer is None:
                continue
            if (
                outer[0] <= inner[0]
                and outer[1] <= inner[1]
                and inner[2] <= outer[2]
                and inner[3] <= outer[3]
            ):
                raise AmbiguousRingsError(
                    f"its ring {place + 1} lies within its ring {other + 1}, nested "
                    "one list too deep: nothing says whether it is a hole"
                )


def _bounds(ring: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(ring, list) or len(ring) < 2:
        return None
    if not all(type(number) in (int, float) for number in ring):
        return None
    return min(ring[::2]), min(ring[1::2]), max(ring[::2]), max(ring[1::2])
