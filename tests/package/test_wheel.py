"""The distribution: what is in it, and that it works where no checkout is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from fiftyone_cocomask import __version__
from tests.conftest import REPOSITORY

MANIFEST: dict[str, Any] = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())
PLUGIN_FILES = ("fiftyone.yml", "requirements.txt", "assets", "skills")


def run(*command: str | Path, **options: Any) -> str:
    """Runs a program far from the checkout and returns what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, and the wheel that is built of it alone."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "-o", folder, REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A Python with the wheel, and these tests' FiftyOne but not their checkout.

    The folder of installed packages is added as a path, whose own `.pth` files, and
    with them an editable install, Python does not read.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(
        run(python, "-c", "import sysconfig as s; print(s.get_path('purelib'))").strip()
    )
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps"]
    run(*pip, "--quiet", "--no-index", wheel)
    packages = {Path(p).resolve() for p in sys.path if p.endswith("-packages")}
    (site / "tests-packages.pth").write_text("\n".join(map(str, packages)))
    return python


def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    found = names(wheel)
    tops = {name.split("/")[0] for name in found}
    assert tops == {"fiftyone_cocomask", f"fiftyone_cocomask-{__version__}.dist-info"}
    assert "fiftyone_cocomask/py.typed" in found
    assert any(name.endswith("licenses/LICENSE") for name in found)
    modules = (REPOSITORY / "fiftyone_cocomask").rglob("*.py")
    missing = {str(p.relative_to(REPOSITORY).as_posix()) for p in modules} - found
    # The entry of the plugin's folder lies there.
    assert missing == {"fiftyone_cocomask/plugin_entry.py"}


def test_the_wheel_carries_the_plugin_s_folder_unchanged(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    for name in PLUGIN_FILES:
        original = REPOSITORY / name
        files = [p for p in original.rglob("*") if p.is_file()] or [original]
        for file in files:
            inside = (
                f"fiftyone_cocomask/_plugin/{file.relative_to(REPOSITORY).as_posix()}"
            )
            assert archive.read(inside) == file.read_bytes()


def test_the_source_distribution_has_what_a_checkout_needs(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        found = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    needed = {"Makefile", "fiftyone.yml", "pyproject.toml", "scripts/ensure_mongod.py"}
    assert needed <= found
    assert "tests/unit/test_package.py" in found
    assert not [name for name in found if name.startswith((".venv", ".demo", ".git/"))]


def test_the_metadata_has_the_version_of_the_manifest(wheel: Path) -> None:
    (name,) = (n for n in names(wheel) if n.endswith("/METADATA"))
    metadata = Parser().parsestr(zipfile.ZipFile(wheel).read(name).decode())
    assert metadata["Version"] == __version__ == MANIFEST["version"]
    assert metadata["License-Expression"] == MANIFEST["license"]


def test_the_program_checks_an_export(
    python: Path, demo_export: Path, tmp_path: Path
) -> None:
    program = python.with_name("fiftyone-cocomask")
    # The train split has a broken annotation, for which the exit code would be 1.
    split = demo_export / "valid" / "_annotations.coco.json"
    shown = run(program, "check", split, "--json", cwd=tmp_path)
    assert json.loads(shown)["images"] == 3
    assert (
        run(python, "-m", "fiftyone_cocomask", "--version", cwd=tmp_path).strip()
        == __version__
    )


@pytest.mark.parametrize("options", [(), ("--copy",)], ids=["link", "copy"])
def test_the_wheel_alone_is_the_plugin(
    python: Path, demo_export: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    script = Path(__file__).with_name("job.py").read_text()
    command = (python, "-c", script, tmp_path / "fiftyone", demo_export, *options)
    seen = json.loads(run(*command, cwd=tmp_path).splitlines()[-1])
    expected = {*MANIFEST["operators"], *MANIFEST["panels"]}
    assert set(seen["operators"]) == expected
    assert Path(seen["code"]).is_relative_to(python.parents[1])
    assert not Path(seen["code"]).is_relative_to(REPOSITORY)
    assert seen["icons"]
    assert seen["skills"] == MANIFEST["skills"]
    assert (seen["install"], seen["uninstall"], seen["left"]) == (0, 0, [])
    assert seen["masks"] == 21
    assert seen["foreground"] > 0
    assert seen["runs"] == ["mask_area", "mask_coverage"]
