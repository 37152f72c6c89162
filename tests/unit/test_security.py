"""What the package must not do, as far as reading its code or watching it can tell."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.conftest import REPOSITORY
from tests.integration.small_export import annotation, image_name, write_split

PACKAGE = REPOSITORY / "fiftyone_cocomask"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Modules that reach the network, start programs, run foreign code or unpack objects.
FORBIDDEN_IMPORTS = {
    *("ssl", "http", "urllib.request", "urllib3", "requests", "httpx", "aiohttp"),
    *("ftplib", "smtplib", "telnetlib", "xmlrpc", "webbrowser", "asyncio"),
    *("subprocess", "pty", "ctypes", "cffi", "code", "codeop", "pdb"),
    *("pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"),
    *("getpass", "keyring", "dotenv"),
}
FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "__import__", "input", "breakpoint"),
    *("os.system", "os.popen", "os.fork", "os.startfile", "os.putenv"),
    *("os.chmod", "os.chown", "np.load", "numpy.load", "np.fromfile"),
}
# What is needed in one place only, and why.
ALLOWED_IN = {
    # Processes that draw masks, which know the package by the name FiftyOne gave it.
    "multiprocessing": {"datasets/parallel/processes.py"},
    "runpy": {"datasets/parallel/processes.py"},
    "exec_module": {"datasets/parallel/spawned.py"},
    "import_module": {"__init__.py", "datasets/parallel/spawned.py"},
    # Whether the demo's port is free, before the App takes it.
    "socket": {"demo/run.py"},
    # FiftyOne's own variables, before FiftyOne is imported, for the demo.
    "environ": {"demo/own_fiftyone.py"},
    "getenv": set(),
    # A large JSON of a zip; tables that the App's panel downloads; a dataset as an
    # export, to be compared.
    "tempfile": {
        "coco/zips.py",
        "datasets/exporting/compare.py",
        "panels/evaluation/downloads.py",
    },
    # Masks and exported files; the plugin's link or copy; the demo.
    "write_bytes": set(),
    "write_text": {"demo/export.py", "demo/own_fiftyone.py"},
    "unlink": {
        "coco/writing.py",
        "datasets/exporting/coco_folder.py",
        # Masks in the dataset's own folder whose samples have moved.
        "datasets/masks/files.py",
        "geometry/png.py",
        "panels/evaluation/downloads.py",
        "plugin_folder.py",
    },
    "rmtree": {"demo/export.py", "demo/own_fiftyone.py", "plugin_folder.py"},
    "copytree": {"plugin_folder.py"},
    "copy2": {"plugin_folder.py"},
    "symlink_to": {"plugin_folder.py"},
    "imwrite": {"demo/export.py"},
    "rmdir": set(),
    "removedirs": set(),
}


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def used(tree: ast.AST) -> Iterator[str]:
    yield from imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_no_module_can_reach_the_network_start_programs_or_run_foreign_code(
    path: Path,
) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name in imported(tree):
        parts = name.split(".")
        assert not {parts[0], ".".join(parts[:2])} & FORBIDDEN_IMPORTS, name
    calls = set(called(tree))
    assert not calls & FORBIDDEN_CALLS
    assert not [name for name in calls if name.startswith(("os.exec", "os.spawn"))]
    for name in set(used(tree)) & set(ALLOWED_IN):
        assert place(path) in ALLOWED_IN[name], name


def test_the_manifest_asks_for_no_secrets() -> None:
    manifest = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())
    assert "secrets" not in manifest


WATCHED = """
import json, os, sys

seen = {"read": [], "written": [], "other": []}
others = ("socket.", "subprocess.", "os.system", "os.exec", "os.spawn", "os.putenv",
          "os.remove", "os.rename", "os.mkdir", "os.symlink", "shutil.", "ftplib.",
          "urllib.", "pickle.", "ctypes.dlopen")
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        kind = "written" if arguments[2] & writing else "read"
        seen[kind].append(os.path.realpath(os.fsdecode(arguments[0])))
    elif event.startswith(others):
        seen["other"].append(event)

sys.dont_write_bytecode = True
from fiftyone_cocomask import check_export
check_export(sys.argv[2])  # Once for what libraries load when they are first used.
sys.addaudithook(watch)
check_export(sys.argv[1])
print(json.dumps(seen))
"""


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_check_reads_the_export_and_does_nothing_else(
    tmp_path: Path, kind: str
) -> None:
    paths = []
    for name in ("first", "second"):
        lost = [annotation(1, 0), annotation(2, 99)]
        write_split(tmp_path / name / "train", [image_name("a")], lost)
        paths.append(tmp_path / name)
    if kind == "zip":
        paths = [Path(shutil.make_archive(str(p), "zip", p)) for p in paths]
    export, other = paths
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(export), str(other)],
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["read"]
    foreign = [p for p in seen["read"] if not Path(p).is_relative_to(export.resolve())]
    assert foreign == []
    assert (seen["written"], seen["other"]) == ([], [])
