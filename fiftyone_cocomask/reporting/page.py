"""A report as one HTML file: text, tables, charts and pictures, all inside it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from ..geometry.png import write_whole
from ..version import __version__
from .pictures import Picture


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts.

    Attributes:
        columns: the headings
        rows: the rows; numbers are written as texts already
        title: what is seen
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of Plotly.

    Attributes:
        title: what is seen
        figure: ``data`` and ``layout``, as JSON holds them
    """

    title: str
    figure: dict[str, Any]


@dataclass(slots=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading
        texts: sentences, each a paragraph
        tables: its tables
        charts: its charts
        pictures: its pictures
    """

    title: str
    texts: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """A report.

    Attributes:
        title: its title
        source: what it is about
        made: when it was made
        versions: the versions of what made it, by name
        sections: its parts, in their order
    """

    title: str
    source: str
    made: datetime
    versions: dict[str, str]
    sections: Sequence[Section]


def write_page(page: Page, path: Path) -> None:
    """Writes a report.

    Args:
        page: the report
        path: the file; one that is there is replaced once the new one is whole

    Raises:
        MaskFileError: if it cannot be written
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__ or "", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    text = environment.get_template("page.html").render(
        page=page,
        product={"fiftyone-cocomask": __version__, **page.versions},
        plotly=_plotly() if any(s.charts for s in page.sections) else "",
        definitions=DEFINITIONS,
        as_json=_as_json,
    )
    write_whole(path, text.encode())


@cache
def _plotly() -> str:
    """Returns Plotly's own code, packed: whole it would fill the file alone."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode()


def _as_json(figure: dict[str, Any]) -> str:
    """Returns JSON that may stand in a page: no text in it ends an element."""
    return json.dumps(figure).replace("<", "\\u003c")


DEFINITIONS = (
    ("mask area", "the pixels of a mask that are not 0"),
    ("object area", "the pixels that an object covers when drawn alone"),
    ("visible area", "what is left of them once all objects of the image are drawn"),
    ("coverage", "mask area / pixels of the image"),
    (
        "size",
        "by object area: small below 32 x 32 pixels, medium below 96 x 96, else large",
    ),
    (
        "where the masks lie",
        "the mean, over the images, of the share of each place that is covered",
    ),
    (
        "classes together",
        "the images that hold objects of both; on the diagonal, those of the class",
    ),
)
