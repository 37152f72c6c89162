"""The notebook runs from top to bottom, and says what it is said to."""

from __future__ import annotations

import json
from pathlib import Path

import fiftyone as fo
import nbformat
import pytest
from fiftyone.core.odm import get_db_client
from nbclient import NotebookClient

from tests.conftest import REPOSITORY

NOTEBOOK = REPOSITORY / "examples" / "butterflies.ipynb"


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the notebook prints and shows, in a folder and a database of the tests."""
    host, port = get_db_client().address
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", f"mongodb://{host}:{port}")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, resources=resources).execute()
    for name in fo.list_datasets():
        fo.delete_dataset(name)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.get("text", "") for output in outputs]
    tables = [output.get("data", {}).get("text/html", "") for output in outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
    return "\n".join([*texts, *tables])


def test_the_notebook_goes_from_an_export_to_a_fixed_one(
    printed: str, tmp_path: Path
) -> None:
    # Nobody else has the mask of the broken annotation.
    assert "14 of 15 masks are those of the loop above" in printed
    assert "14 of 15 masks are those of pycocotools above" in printed
    assert "ring_joined_numbers" in printed
    assert "1 duplicate" in printed
    assert len(list(tmp_path.glob("*_mask.png"))) == 15
    fixed = tmp_path / "butterflies-fixed"
    exported = {
        split: json.loads((fixed / split / "_annotations.coco.json").read_text())
        for split in ("train", "valid", "test")
    }
    # The label that was there twice is there once, and the other has its new class.
    assert [len(content["annotations"]) for content in exported.values()] == [27, 9, 2]
    assert exported["valid"]["annotations"][0]["category_id"] == 2
    assert "moth" in (tmp_path / "butterflies.html").read_text()


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not [cell for cell in cells if cell.get("outputs")]
