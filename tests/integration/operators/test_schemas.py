"""Every operator of the manifest, used from its form alone, as an agent would."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]
from fiftyone.operators.executor import ExecutionContext, ExecutionError

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.comparison.metrics import METRICS
from tests.conftest import REPOSITORY
from tests.plugin import uri

from ..stored import stored
from .delegation import run_next

MANIFEST: dict[str, Any] = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())
# What the caller says beside the form: whose data, when, and how it is shown.
NOT_ASKED = {"self", "samples", "delegate", "progress"}
# Values that are wrong elsewhere and right here.
RIGHT = {
    ("dataset", "no/name"),
    ("output_dir", "/no/such/place"),
    ("into", "no/name"),
    ("title", "no/name"),
    ("tags", "['nonsense']"),
    ("answers", "{'nonsense': 5}"),
}
# Jobs on what a whole dataset has.
ON_WHOLE_DATASETS = {
    *("clear_mask_issues", "rename_mask_evaluation", "delete_mask_evaluation"),
}
# No value of one of these types is right for a field of another.
WRONG_TYPES: tuple[Any, ...] = (5, "no", ["nonsense", 5], {"nonsense": 5})
TYPES = {"Number": int, "String": str, "Enum": str, "Object": dict}
# FiftyOne's own words say less than a sentence.
DEFECTS = (
    *("Traceback", "TypeError", "KeyError", "AttributeError", "NoneType"),
    *("Invalid value", "Invalid list", "Invalid enum", "Value must"),
)
# What the fixture has under other names than the usual ones.
OF_PREPARED = {
    "compare_masks": {"pred_field": "mask_opencv"},
    "fix_mask_issues": {"key": "found"},
    "undo_mask_fixes": {"fix_key": "fixed"},
}
Params = dict[str, Any]
Form = dict[str, dict[str, Any]]


# FiftyOne's evaluations run the metrics; nobody else does.
OPERATORS = [
    name
    for name in MANIFEST["operators"]
    if name not in {metric.name for metric in METRICS}
]


@pytest.fixture(params=OPERATORS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def prepared(demo_export: Path) -> Iterator[fo.Dataset]:
    """A small dataset with all that an operator may work on."""
    dataset, _ = fcm.import_roboflow_coco(demo_export, "demo")
    # The one with the broken annotation, and some of each split.
    views = [dataset.exists("import_issues"), dataset.match_tags("train").limit(4)]
    views += [dataset.match_tags(split).limit(1) for split in ("valid", "test")]
    dataset.select([i for view in views for i in view.values("id")]).keep()
    fcm.compute_masks(dataset)
    fcm.compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key="size")
    fcm.find_mask_issues(dataset, key="found")
    fcm.fix_mask_issues(dataset, ["box_only"], key="found", fix_key="fixed")
    yield dataset
    dataset.delete()


@pytest.fixture
def dataset(prepared: fo.Dataset) -> fo.Dataset:
    """The same, for a test to change."""
    return prepared.clone("changed", persistent=True)


@pytest.fixture(scope="module")
def resolved(prepared: fo.Dataset) -> dict[tuple[str, str], Form]:
    """The forms that are whole: several tests look at the same ones."""
    return {}


@pytest.fixture
def form(
    name: str,
    app_request: Any,
    prepared: fo.Dataset,
    resolved: dict[tuple[str, str], Form],
) -> Callable[..., Form]:
    """Resolves the operator's form for some parameters."""

    def resolve(**params: Any) -> Form:
        key = name, repr(sorted(params.items()))
        form = resolved.get(key) or app_request(name, prepared, **params).form()
        if "still" not in form:
            resolved[key] = form
        return form

    return resolve


# By operator; the questions follow from the answers before them.
_questions: dict[str, Form] = {}


@pytest.fixture
def answers(
    name: str,
    form: Callable[..., Form],
    prepared: fo.Dataset,
    demo_export: Path,
    tmp_path: Path,
) -> Params:
    """The answers to what the form requires, question by question."""

    def answer(question: str, field: dict[str, Any]) -> Any:
        if question == "label_ids":
            return [prepared.first().segmentations.polylines[0].id]
        suffix = ".html" if question == "output_path" else ""
        path = demo_export if question == "path" else tmp_path / f"{question}{suffix}"
        return _answer(field, path)

    if name not in _questions:
        asked: Form = {}
        given: Params = {}
        while questions := _unanswered(shown := form(**given), given):
            asked[questions[0]] = shown[questions[0]]
            given[questions[0]] = answer(questions[0], shown[questions[0]])
        _questions[name] = asked
    return {n: answer(n, field) for n, field in _questions[name].items()}


def _unanswered(form: Form, given: Params) -> list[str]:
    return [n for n, field in form.items() if field["required"] and n not in given]


def _answer(field: dict[str, Any], path: Path) -> Any:
    kind = field["type"]
    if kind["name"] == "Enum":
        return kind["values"][0]
    return str(path) if kind["name"] == "File" else "an_answer"


def asked(form: Form) -> Form:
    """Returns the fields of a form that are parameters."""
    # A picture is a text that is shown, and that nobody is asked for.
    shown = {n for n, field in form.items() if field["view"]["name"] == "ImageView"}
    return {
        n: field
        for n, field in form.items()
        if field["type"]["name"] != "Void" and n not in shown
    }


def parameters_of(name: str) -> list[str]:
    """Returns the parameters that an operator takes from Python."""
    operator = foo.get_operator(uri(name))
    return list(inspect.signature(operator).parameters) if callable(operator) else []


_numbers = itertools.count()


def execute(name: str, dataset: fo.Dataset | None, params: Params) -> Any:
    """Executes as an agent does, and returns the result."""
    if name == "export_roboflow_coco" and os.path.isabs(str(params.get("output_dir"))):
        # It writes into an empty folder only.
        params = params | {"output_dir": f"{params['output_dir']}/{next(_numbers)}"}
    if name == "undo_mask_fixes" and dataset and "fixed" not in dataset.list_runs():
        # What it has undone before, it has to be given again.
        fcm.fix_mask_issues(dataset, ["box_only"], key="found", fix_key="fixed")
    return foo.execute_operator(uri(name), dataset=dataset, params=params).result


def every_form(form: Callable[..., Form], given: Params) -> Iterator[Form]:
    """Yields the forms that unfold as each choice is made once."""
    waiting, tried = [given], set()
    while waiting:
        params = waiting.pop()
        shown = asked(form(**params))
        yield shown
        for field_name, field in shown.items():
            values = {"Boolean": [True], "Enum": field["type"].get("values")}
            for value in values.get(field["type"]["name"]) or []:
                if field_name not in given and (field_name, value) not in tried:
                    tried.add((field_name, value))
                    waiting.append({**params, field_name: value})


def test_the_schema_has_every_parameter_with_all_folds_closed(
    name: str, form: Callable[..., Form], answers: Params, app_request: Any
) -> None:
    parameters = parameters_of(name)
    if parameters[:1] == ["dataset"]:
        del parameters[0]
    wanted = set(parameters) - NOT_ASKED
    for shown in (form(), form(**answers), app_request(name).form()):
        assert wanted <= set(shown)
        assert all(shown[parameter]["view"]["label"] for parameter in wanted)


def test_every_question_explains_itself(
    form: Callable[..., Form], answers: Params
) -> None:
    for unfolded in [*every_form(form, {}), *every_form(form, answers)]:
        for field_name, field in unfolded.items():
            if field_name == "view_target":  # FiftyOne's own.
                continue
            view = field["view"]
            choices = view.get("choices") or []
            explained = choices and all(c.get("description") for c in choices)
            is_switch = field["type"]["name"] == "Boolean" and view.get("label")
            assert view.get("description") or explained or is_switch, field_name


def test_a_job_on_samples_asks_for_its_target_view(
    name: str, form: Callable[..., Form], answers: Params
) -> None:
    operator = foo.get_operator(uri(name))
    takes_samples = "samples" in parameters_of(name)
    shown = form(**answers)
    is_job = operator.config.execute_as_generator and name not in ON_WHOLE_DATASETS
    assert ("view_target" in shown) == (takes_samples and is_job)
    if "view_target" in shown:
        assert shown["view_target"]["default"] == "DATASET"


def test_what_is_required_is_enough(
    name: str, dataset: fo.Dataset, answers: Params, app_request: Any
) -> None:
    result = execute(name, dataset, answers)
    json.dumps(result, allow_nan=False)
    assert all(isinstance(sentence, str) for sentence in result["warnings"])
    for step in result["next"]:
        assert set(step) == {"operator", "params", "why"}
        following = app_request(step["operator"].rsplit("/")[-1], dataset)
        following.request["params"] = step["params"]
        assert set(step["params"]) <= set(following.form()), step
        # What comes next can be executed once what is required was given.
        assert following.problems() == [], step
    operator = foo.get_operator(uri(name))
    request = {"dataset_name": dataset.name, "params": answers, "results": result or {}}
    ctx = ExecutionContext(request, operator_uri=operator.uri)
    shown = operator.resolve_type(ctx, "outputs") if result else None
    for output, field in shown.to_json()["type"]["properties"].items() if shown else ():
        if field["type"]["name"] != "Void":
            assert output in result


def test_a_default_that_is_left_out_holds(
    name: str, dataset: fo.Dataset, app_request: Any, answers: Params
) -> None:
    """On a dataset whose fields have names of their own."""
    if "path" in answers:
        pytest.skip("it works on no dataset")
    dataset.rename_sample_fields({"segmentations": "shapes", "mask": "drawn"})
    if name == "fix_mask_issues":
        fcm.find_mask_issues(dataset, "shapes", "drawn")
    fields = asked(app_request(name, dataset, **answers).form())
    defaults = {
        n: field["default"]
        for n, field in fields.items()
        if field["default"] is not None and n not in answers
    }
    answers = {n: v for n, v in answers.items() if n in fields}
    other = dataset.clone("other")
    short = execute(name, dataset, answers)
    full = execute(name, other, {**defaults, **answers})
    for result in (short, full):
        # What follows an export is told the folder.
        for volatile in ("seconds", "output_dir", "next"):
            (result or {}).pop(volatile, None)
    assert short == full


def test_a_wrong_value_is_refused_in_a_sentence(
    name: str, prepared: fo.Dataset, form: Callable[..., Form], answers: Params
) -> None:
    wrong: dict[str, list[Any]] = {
        "String": ["no/name"],
        "Enum": ["nonsense", True],
        "List": [["nonsense"]],
        "Boolean": [1],
        "Number": [-1],
        "File": ["/no/such/place", "", {"absolute_path": 5}, "/a\0b", "/\ud800"],
        "Object": [{"nonsense": 5}],
    }
    before = stored()
    tried = 0
    for field_name, field in asked(form(**answers)).items():
        for value in wrong[field["type"]["name"]]:
            counts_as_none = value == "" and not field["required"]
            if (field_name, str(value)) in RIGHT or counts_as_none:
                continue
            try:
                execute(name, prepared, {**answers, field_name: value})
            except ExecutionError as error:
                sentence = str(error)
            else:
                pytest.fail(f"{field_name}={value!r} was not refused")
            assert not any(word in sentence for word in DEFECTS), (field_name, value)
            tried += 1
    assert tried or not asked(form(**answers))
    assert stored() == before


def test_every_value_of_a_wrong_type_is_marked_in_the_form(
    name: str, prepared: fo.Dataset, form: Callable[..., Form], answers: Params
) -> None:
    before = stored()
    fields = asked(form(**answers))
    for value in WRONG_TYPES:
        wrong = {
            field_name: value
            for field_name, field in fields.items()
            if not isinstance(value, TYPES.get(field["type"]["name"], ()))
        }
        if not wrong:
            continue
        shown = form(**{**answers, **wrong})
        for field_name in wrong.keys() & shown.keys():
            message = shown[field_name]["error_message"]
            assert shown[field_name]["invalid"], (field_name, value)
            assert not any(word in message for word in DEFECTS), message
        with pytest.raises(ExecutionError) as refused:
            execute(name, prepared, {**answers, **wrong})
        assert not any(word in str(refused.value) for word in DEFECTS)
    assert stored() == before


def test_a_call_with_what_is_no_argument_is_refused_in_a_sentence(
    name: str, prepared: fo.Dataset, answers: Params
) -> None:
    parameters = parameters_of(name)
    if not parameters:
        pytest.skip("it is not called from Python")
    operator = foo.get_operator(uri(name))
    of: Params = {p: prepared for p in parameters[:1] if p in ("samples", "dataset")}
    right: Params = {**of, **answers, **OF_PREPARED.get(name, {})}
    before = stored()
    for parameter in set(parameters) - {"delegate"}:
        for value in (5.5, b"no", object()):
            with pytest.raises(Exception, match=f"{parameter} must be ") as refused:
                operator(**{**right, parameter: value})
            # The plugin's own error, which FiftyOne has loaded under another name.
            assert refused.type.__name__ in ("ExecutionError", "CocoMaskError")
    assert stored() == before


def test_a_text_is_a_list_of_one(dataset: fo.Dataset, demo_export: Path) -> None:
    """As it is for the functions, and not one of its letters."""

    def call(name: str, *args: Any, **kwargs: Any) -> Any:
        return foo.get_operator(uri(name))(*args, **kwargs).result

    call("import_roboflow_coco", demo_export, "tagged", splits="test", tags="mine")
    tagged = fo.load_dataset("tagged")
    assert tagged.count_sample_tags() == {"test": len(tagged), "mine": len(tagged)}
    label_id = dataset.values("segmentations.polylines.id", unwind=True)[0]
    report = call("delete_objects", dataset, label_id, dry_run=True)
    assert report["fixed"] == {"deleted_object": 1}
    assert call("merge_classes", dataset, "wasp", "moth", dry_run=True)["fixed"]
    assert call("refresh_mask_evaluations", dataset, "size")["eval_keys"] == ["size"]
    only = call("compute_masks", dataset, mask_field="moths", classes="moth")
    assert 0 < only["objects"] < dataset.count("segmentations.polylines")
    ordered = {"mask_field": "order", "overlap": (c for c in ["moth", "butterfly"])}
    assert call("compute_masks", dataset, **ordered)["mask_field"] == "order"


def test_values_of_numpy_are_those_that_they_hold(
    dataset: fo.Dataset, demo_export: Path
) -> None:
    def call(name: str, *args: Any, **kwargs: Any) -> Any:
        return foo.get_operator(uri(name))(*args, **kwargs).result

    ids = np.array(dataset.values("segmentations.polylines.id", unwind=True)[:2])
    yes, one = np.bool_(True), np.int64(1)
    report = call("delete_objects", dataset, ids, dry_run=yes)
    assert (report["fixed"], report["dry_run"]) == ({"deleted_object": 2}, True)
    drawn = {"overwrite": yes, "num_workers": one, "num_tasks": one}
    assert call("compute_masks", dataset, **drawn)["unchanged"] == 0
    # A queued job is stored, with all that is in it.
    search = foo.get_operator(uri("find_mask_issues"))
    search(dataset, limits={"tiny_px": np.int64(5)}, delegate=True)
    assert run_next().error is None
    call("import_roboflow_coco", demo_export, np.str_("new"), splits=np.array(["test"]))
    assert fo.dataset_exists("new")


def test_a_wrong_target_is_refused_in_a_sentence(
    name: str, prepared: fo.Dataset, answers: Params
) -> None:
    def stage(name: str, *arguments: Any) -> list[Any]:
        return [{"_cls": f"fiftyone.core.stages.{name}", "kwargs": list(arguments)}]

    custom = "CUSTOM_VIEW_TARGET"
    wrong: list[tuple[Any, Any]] = [("CURRENT", None), (custom, [5])]
    if name == "evaluate_mask_area":
        wrong += [(["DATASET"], None), ("SELECTED_SAMPLES", None), (custom, None)]
        wrong += [(custom, "train"), (custom, stage("Nonsense"))]
        wrong += [(custom, stage("MatchTags")), (None, stage("Limit", ["limit", 1]))]
        wrong += [(custom, stage("Match", ["filter", {"$nonsense": 1}]))]
    before = stored()
    for target, stages in wrong:
        given = {"view_target": target, "custom_view_target": stages}
        with pytest.raises(ExecutionError) as refused:
            execute(name, prepared, {**answers, **given})
        sentence = str(refused.value)
        assert re.search(r"Reason: (custom_)?view_target ", sentence), sentence
        assert len(sentence) < 500
    assert stored() == before


def test_an_empty_text_is_refused_in_a_sentence_or_counts_as_none(
    name: str, dataset: fo.Dataset, form: Callable[..., Form], answers: Params
) -> None:
    for field_name in asked(form(**answers)):
        sentence = ""
        try:
            execute(name, dataset, {**answers, field_name: ""})
        except ExecutionError as error:
            sentence = str(error)
        assert not any(word in sentence for word in DEFECTS), field_name


def test_none_is_what_is_left_out(
    name: str, dataset: fo.Dataset, form: Callable[..., Form], answers: Params
) -> None:
    fields = asked(form(**answers))
    required = [n for n, field in fields.items() if field["required"]]
    for field_name in required:
        with pytest.raises(ExecutionError) as raised:
            execute(name, dataset, {**answers, field_name: None})
        assert not any(word in str(raised.value) for word in DEFECTS), field_name
    optional = dict.fromkeys(fields.keys() - set(required))
    execute(name, dataset, {**answers, **optional})


def test_what_is_missing_is_named(
    name: str, prepared: fo.Dataset, answers: Params
) -> None:
    before = stored()
    for field_name in answers:
        rest = {n: v for n, v in answers.items() if n != field_name}
        with pytest.raises(ExecutionError, match=f"{field_name}.*Required"):
            execute(name, prepared, rest)
    assert stored() == before


def test_without_a_dataset_it_says_what_to_do(name: str, app_request: Any) -> None:
    if "samples" not in parameters_of(name):
        pytest.skip("it works on no dataset")
    assert "No dataset is open" in " ".join(app_request(name).problems())
    with pytest.raises(ExecutionError, match="No dataset is open"):
        execute(name, None, {})


def test_the_parameters_are_those_of_the_function(dataset: fo.Dataset) -> None:
    found = execute("find_mask_issues", dataset, {"limits": {"tiny_px": 10**9}})
    assert found["counts"]["tiny"] == found["labels"] > 0
    assert sum(row.get("tiny", 0) for row in found["per_class"]) == found["labels"]

    area = execute(
        "evaluate_mask_area", dataset, {"label_field": None, "eval_key": "whole"}
    )
    assert area["summary"]["label_field"] is None
    assert sum(row["images"] for row in area["per_split"]) == len(dataset)

    classes = dataset.distinct("segmentations.polylines.label")
    params = {"mode": "semantic", "overlap": classes, "mask_field": "ordered"}
    execute("compute_masks", dataset, params)
    last = dataset.mask_targets["ordered"]
    assert set(classes) <= set(last.values())
    with pytest.raises(ExecutionError, match="'ZZ' is not"):
        execute("compute_masks", dataset, {**params, "overlap": ["ZZ"]})


def test_an_unknown_parameter_is_named(dataset: fo.Dataset) -> None:
    with pytest.raises(ExecutionError, match="no parameter 'mask_fild'"):
        execute("evaluate_mask_area", dataset, {"mask_fild": "mask"})


def test_a_section_opens_when_one_of_its_parameters_is_given(
    dataset: fo.Dataset, app_request: Any
) -> None:
    def is_shown(name: str, parameter: str, **params: Any) -> bool:
        field = app_request(name, dataset, **params).form()[parameter]
        return bool(field["view"]["name"] != "HiddenView")

    for name, parameter, value in (
        ("compute_masks", "storage", "database"),
        ("compute_masks", "output_dir", "relative"),
        ("compute_masks", "overlap", "smallest_first"),
        ("evaluate_mask_area", "num_tasks", 2),
        ("find_mask_issues", "tiny_px", 3),
        ("find_mask_issues", "limits", {"tiny_px": 3}),
    ):
        assert not is_shown(name, parameter)
        assert is_shown(name, parameter, **{parameter: value}), parameter
