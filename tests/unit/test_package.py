"""The package as such: its versions, requirements, and what importing it loads."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

import fiftyone_cocomask
from tests.conftest import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HEAVY = ("fiftyone", "cv2", "numpy", "pycocotools", "matplotlib", "msgspec", "PIL")


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import fiftyone_cocomask") & set(HEAVY)


@pytest.mark.parametrize("package", ["geometry.draw", "geometry.png", "coco.check"])
def test_geometry_and_coco_do_not_need_fiftyone(package: str) -> None:
    loaded = modules_after(f"import fiftyone_cocomask.{package}")
    assert "fiftyone" not in loaded
    assert "numpy" in loaded


@pytest.mark.parametrize("name", fiftyone_cocomask.__all__)
def test_every_public_name_can_be_imported_and_has_a_docstring(name: str) -> None:
    assert getattr(fiftyone_cocomask, name).__doc__


def test_an_unknown_name_is_not_an_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fiftyone_cocomask.nonsense  # type: ignore[attr-defined]


def test_versions_agree() -> None:
    manifest = (REPOSITORY / "fiftyone.yml").read_text()
    found = re.search(r"^version: *[\"']?([\d.]+)", manifest, re.MULTILINE)
    assert found
    # The build takes the package's own.
    assert project()["dynamic"] == ["version"]
    assert found[1] == fiftyone_cocomask.__version__
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    assert f"\n## {found[1]} (" in changelog


def test_the_manifest_wants_the_fiftyone_that_the_package_depends_on() -> None:
    manifest = (REPOSITORY / "fiftyone.yml").read_text()
    found = re.search(r'^fiftyone:\n +version: "(.*)"$', manifest, re.MULTILINE)
    assert found
    assert f"fiftyone{found[1]}" in project()["dependencies"]


def test_requirements_are_the_dependencies_beside_fiftyone() -> None:
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    required = {line for line in lines if line and not line.startswith("#")}
    dependencies = set(project()["dependencies"])
    fiftyone = {line for line in dependencies if line.startswith("fiftyone")}
    assert required == dependencies - fiftyone
    assert len(fiftyone) == 1


def test_no_step_of_the_workflows_hides_a_failure_behind_a_pipe() -> None:
    workflows = (REPOSITORY / ".github" / "workflows").glob("*.yml")
    steps = [s for path in workflows for s in path.read_text().split("\n      - ")]
    with_pipe = [step for step in steps if re.search(r"\S \| \S", step)]
    # GitHub's usual shell has no pipefail; the one that is called bash has.
    assert [step for step in with_pipe if "shell: bash" not in step] == []
    assert with_pipe
