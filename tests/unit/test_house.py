"""The rules of the house that import-linter does not know."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "fiftyone_cocomask"
# The folder whose modules use FiftyOne's private API.
PRIVATE = "datasets/documents/"
# Of Python's own classes: private by name only.
PYTHONS = {"_replace", "_make", "_asdict", "_fields", "_value_", "_exit"}

# FiftyOne's, also where a class of ours has an attribute of the name.
FIFTYONES = {
    "_dataset",
    "_doc",
    "_is_generated",
    "_pipeline",
    "_reload_docs",
    "_root_dataset",
    "_sample_collection",
    "_serialize",
    "_stages",
}


def foreign_private(path: Path) -> list[str]:
    """Returns where a module uses private attributes that it does not define itself."""
    tree = ast.parse(path.read_text("utf-8"))
    own = PYTHONS.copy()
    used: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            own.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in (
                "self",
                "cls",
            )
            if is_own:
                own.add(node.attr)
            elif not isinstance(node.value, ast.Call) or not is_super(node.value):
                used.append((node.lineno, node.attr))
        elif isinstance(node, ast.Constant) and node.value in FIFTYONES:
            # As ``getattr`` takes them.
            used.append((node.lineno, str(node.value)))
        elif isinstance(node, ast.ImportFrom) and is_of_fiftyone(node):
            private = [name.name for name in node.names if is_private(name.name)]
            used += [(node.lineno, name) for name in private]
    allowed = (own | PYTHONS) - FIFTYONES
    return [f"line {line}: {name}" for line, name in used if name not in allowed]


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_of_fiftyone(node: ast.ImportFrom) -> bool:
    return node.level == 0 and (node.module or "").split(".")[0] == "fiftyone"


def is_super(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "super"


def circle(imports: dict[str, Iterable[str]]) -> list[str]:
    """Returns modules that import each other in a circle, an empty list if none do."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("fiftyone_cocomask", exclude_type_checking_imports=True)
    imports: dict[str, Iterable[str]] = {
        name: graph.find_modules_directly_imported_by(name) for name in graph.modules
    }
    # Imports inside functions count, too.
    assert "fiftyone_cocomask.cli.dataset_commands" in imports
    assert circle(imports) == []


@pytest.mark.parametrize(
    ("imports", "found"),
    [
        ({"a": ["b"], "b": ["c"], "c": []}, False),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, True),
    ],
)
def test_a_circle_is_found(imports: dict[str, Iterable[str]], found: bool) -> None:
    assert bool(circle(imports)) == found


def test_one_folder_uses_fiftyone_s_private_api() -> None:
    found = {
        module.relative_to(PACKAGE).as_posix(): foreign_private(module)
        for module in PACKAGE.rglob("*.py")
    }
    users = {name for name, uses in found.items() if uses}
    others = {name for name in users if not name.startswith(PRIVATE)}
    assert others == set(), {name: found[name] for name in others}
    # The test knows what is private.
    assert users


def test_contexts_samples_and_datasets_have_types() -> None:
    named = {"ctx", "samples", "dataset", "view"}
    untyped = [
        f"{module.relative_to(PACKAGE)}: {function.name}({argument.arg})"
        for module in PACKAGE.rglob("*.py")
        for function in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        for argument in (*function.args.args, *function.args.kwonlyargs)
        if argument.arg in named and isinstance(argument.annotation, ast.Name)
        if argument.annotation.id == "Any"
    ]
    assert untyped == []


def test_a_number_before_a_noun_is_written_by_the_one_who_knows_plurals() -> None:
    nouns = "image|sample|object|label|annotation|mask|finding|issue"
    plural = re.compile(rf"(?<!%)\{{[^{{}}A-Z]*:,\}} (?:{nouns})s\b")
    found = {
        module.relative_to(PACKAGE).as_posix(): plural.findall(
            module.read_text("utf-8")
        )
        for module in PACKAGE.rglob("*.py")
    }
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_percent_is_written_in_one_way() -> None:
    files = [*PACKAGE.rglob("*.py"), *REPOSITORY.glob("docs/*.md")]
    files += [REPOSITORY / "README.md", *REPOSITORY.glob("skills/*/*.md")]
    found = {
        file.relative_to(REPOSITORY).as_posix(): re.findall(
            r".{,20}[0-9}] %.{,10}", file.read_text("utf-8")
        )
        for file in files
    }
    assert {name: texts for name, texts in found.items() if texts} == {}
