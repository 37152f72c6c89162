"""What takes long is found out beside a form, which says so and shows it later."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Event
from typing import Any
from uuid import uuid4

import fiftyone.operators.types as types
import pytest
from fiftyone.operators.executor import ExecutionContext

from fiftyone_cocomask.errors import CocoMaskError
from fiftyone_cocomask.operators.in_time import Finding, answered_in_time, find_out

_SECONDS = 60.0


def ask(
    key: str, find: Callable[[Finding[Any]], Any], request: dict[str, Any]
) -> tuple[Any, types.Object]:
    inputs = types.Object()
    ctx = ExecutionContext({"params": {}, **request})
    with answered_in_time(ctx, inputs):
        found = find_out("counting", key, find, opening=request.get("prompt_id"))
    return found.value, inputs


def in_app() -> dict[str, Any]:
    return {"operator_uri": "@cocomask/cocomask/any", "prompt_id": uuid4().hex}


def said(inputs: types.Object) -> str:
    return str(inputs.properties["still"].view.label)


def test_a_form_says_how_far_it_is_and_shows_the_rest_once_it_is_known() -> None:
    request, key, may_end = in_app(), uuid4().hex, Event()

    def find(finding: Finding[str]) -> str:
        finding.so_far("a part", 30_000, 100_000)
        may_end.wait(_SECONDS)
        return "all"

    ends = time.monotonic() + _SECONDS
    value, inputs = ask(key, find, request)
    while value is None and time.monotonic() < ends:
        value, inputs = ask(key, find, request)
    assert value == "a part"
    assert "counting: 30,000 of 100,000 images" in said(inputs)
    assert "look_again" in inputs.properties
    may_end.set()
    while value != "all" and time.monotonic() < ends:
        value, inputs = ask(key, find, request)
    assert value == "all"
    assert not inputs.properties


def test_a_caller_from_python_waits_for_all() -> None:
    assert ask("any", lambda _: "all", {})[0] == "all"


def test_what_is_wrong_is_said_each_time() -> None:
    request, key = in_app(), uuid4().hex
    calls = []

    def find(_: Finding[Any]) -> Any:
        calls.append(1)
        raise CocoMaskError("not an export")

    ends, messages = time.monotonic() + _SECONDS, 0
    while messages < 2 and time.monotonic() < ends:
        try:
            ask(key, find, request)
        except CocoMaskError:
            messages += 1
    assert messages == 2
    assert calls == [1]


@pytest.mark.parametrize("is_same_form", [True, False])
def test_of_paths_that_are_typed_only_the_last_is_looked_at(is_same_form: bool) -> None:
    request, may_end, has_ended = in_app(), Event(), Event()

    def find(finding: Finding[Any]) -> Any:
        try:
            while not may_end.is_set():
                finding.so_far("a part", 1)
                time.sleep(0.01)
        finally:
            has_ended.set()

    ask(uuid4().hex, find, request)
    other = request if is_same_form else in_app()
    ask(uuid4().hex, lambda _: "other", other)
    if is_same_form:
        assert has_ended.wait(_SECONDS)
    else:
        assert not has_ended.is_set()
        may_end.set()


def test_threads_take_their_usual_turns_once_no_form_is_being_made() -> None:
    usual = sys.getswitchinterval()
    with answered_in_time(ExecutionContext({"params": {}}), types.Object()):
        assert sys.getswitchinterval() == usual
    request = {"params": {}, **in_app()}
    with answered_in_time(ExecutionContext(request), types.Object()):
        other = answered_in_time(ExecutionContext(request), types.Object())
        with pytest.raises(CocoMaskError), other:
            raise CocoMaskError("a form that fails")
        assert sys.getswitchinterval() < usual
    assert sys.getswitchinterval() == usual
