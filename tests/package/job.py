"""The whole job through the plugin that a wheel brought; test_wheel.py runs it.

Arguments: a folder for everything, the path of an export. Prints what it saw as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fiftyone_cocomask.cli import main
from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone, use_own_fiftyone

folder, export = Path(sys.argv[1]), sys.argv[2]
options = sys.argv[3:]
use_own_fiftyone(folder, show_progress_bars=False)

import atexit  # noqa: E402

atexit.register(delete_own_fiftyone, folder)

import fiftyone as fo  # noqa: E402
import fiftyone.operators as foo  # noqa: E402
import fiftyone.plugins as fop  # noqa: E402

PLUGIN = "@cocomask/cocomask"


def run(name: str, opened: Any = None, /, **params: Any) -> Any:
    uri = f"{PLUGIN}/{name}"
    return foo.execute_operator(uri, dataset=opened, params=params).result


seen: dict[str, Any] = {"install": main(["install", *options])}
definition = fop.get_plugin(PLUGIN)
operators = [
    operator
    for operator in foo.list_operators(builtin=False)
    if operator.plugin_name == PLUGIN
]
seen["operators"] = sorted(operator.name for operator in operators)
seen["code"] = sys.modules[type(operators[0]).__module__].__file__
seen["icons"] = all(
    Path(definition.directory, operator.config.icon.lstrip("/")).is_file()
    for operator in operators
    if (operator.config.icon or "").startswith("/")
)
seen["skills"] = [skill.name for skill in fop.list_skills(plugin=PLUGIN)]
run("import_roboflow_coco", path=export, dataset="wheel")
dataset = fo.load_dataset("wheel")
seen["masks"] = run("compute_masks", dataset, more=True, num_workers=2)["images"]
area = run("evaluate_mask_area", dataset)
seen["foreground"] = area["summary"]["foreground_px"]
run("evaluate_mask_coverage", dataset)
dataset.reload()
seen["runs"] = dataset.list_runs()
seen["uninstall"] = main(["uninstall"])
seen["left"] = fop.list_downloaded_plugins()
print(json.dumps(seen))
