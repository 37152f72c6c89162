"""What the manifest, the registry and the README name is the same."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import fiftyone.operators as foo
import yaml  # type: ignore[import-untyped]

from tests.conftest import REPOSITORY
from tests.plugin import PLUGIN

MANIFEST: dict[str, Any] = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())
HEAVY = ("pycocotools", "matplotlib", "msgspec")
OWN = ("geometry", "coco", "datasets", "processor", "demo")


# What reads only, and what can replace or delete what it has not made; the rest writes.
RISKS = {
    **dict.fromkeys(("check_export", "list_mask_evaluations"), "low"),
    **dict.fromkeys(("open_form", "open_mask_evaluation", "show_dataset"), "low"),
    **dict.fromkeys(("import_roboflow_coco", "compute_masks"), "high"),
    **dict.fromkeys(("export_roboflow_coco", "export_masks"), "high"),
    **dict.fromkeys(("fix_mask_issues", "delete_mask_evaluation"), "high"),
    "delete_objects": "high",
}


def registered(kind: str) -> set[str]:
    return {
        operator.name
        for operator in foo.list_operators(builtin=False, type=kind)
        if operator.plugin_name == PLUGIN
    }


def test_the_manifest_lists_what_is_registered() -> None:
    assert set(MANIFEST["operators"]) == registered("operator")
    assert set(MANIFEST["panels"]) == registered("panel")
    assert MANIFEST["name"] == PLUGIN


def test_the_readme_lists_what_is_registered() -> None:
    text = (REPOSITORY / "README.md").read_text()
    uris = set(re.findall(rf"[`\"]{PLUGIN}/(\w+)[`\"]", text))
    assert registered("operator") == uris - registered("panel")
    for panel in registered("panel"):
        assert f"`{panel}`" in text


def test_every_operator_says_what_it_is() -> None:
    for name in MANIFEST["operators"]:
        operator = foo.get_operator(f"{PLUGIN}/{name}")
        config = operator.config
        assert config.label[0].isupper()
        assert config.description[0].isupper()
        assert config.risk_level.value == RISKS.get(name, "medium"), name
    for name in MANIFEST["panels"]:
        panel = foo.get_operator(f"{PLUGIN}/{name}").config
        assert panel.description[0].isupper()
        assert panel.category
        if isinstance(operator, foo.EvaluationMetric):
            continue
        assert (REPOSITORY / config.icon.lstrip("/")).is_file()
        assert config.allow_immediate_execution
        if name not in ("open_mask_evaluation", "show_dataset", "open_form"):
            assert "Example::" in operator.__call__.__doc__


def test_every_icon_is_used() -> None:
    icons = {f"/assets/{path.name}" for path in (REPOSITORY / "assets").iterdir()}
    uris = [
        f"{PLUGIN}/{name}" for name in (*MANIFEST["operators"], *MANIFEST["panels"])
    ]
    used = {foo.get_operator(uri).config.icon for uri in uris}
    assert icons <= used


def test_registering_loads_nothing_heavy() -> None:
    code = (
        "import sys, fiftyone.operators as foo\n"
        "before = set(sys.modules)\n"
        f"operator = foo.get_operator('{PLUGIN}/compute_masks')\n"
        "print(type(operator).__module__)\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    module, *_, loaded = done.stdout.strip().splitlines()
    package = module.rsplit(".", 2)[0]
    names = loaded.split()
    assert f"{package}.operators" in names
    assert not [name for name in names if name.split(".")[0] in HEAVY]
    own = {name.removeprefix(f"{package}.").split(".")[0] for name in names}
    assert not own & set(OWN)
