"""What takes long is found out beside a form, so that the form answers at once.

A form is made anew after each change in it, and a person waits for it. So it waits a
moment for what it asks for here, says the rest is still being found out, and shows
that once it is made again. What was found is kept for as long as it holds.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

import fiftyone.operators.types as types

from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext, SampleCollection
from ..words import count
from .forms import note
from .from_app import is_app_request
from .progress import JobStoppedError, Progress
from .target_samples import num_images

Value = TypeVar("Value")

# In seconds: how long a form waits in all, and how long at least for each thing.
_WAITS = 0.12
_WAITS_FOR_EACH = 0.015
# In seconds: how long something is looked for that no form asks for any more, and how
# often what was found is shown.
_UNASKED = 120.0
_EVERY = 0.25
# In seconds: how long a form waits for what is found soon.
_SOON = 30.0
# In seconds: how long at most, and in which steps, what is found out lets a form that
# is being made go first. Python runs one of them at a time, and changes between them
# cost a form, which does many small things, several times what it takes alone.
_LETS_GO_FIRST = 0.5
_STEP = 0.005
# In seconds: how long Python lets another thread go on while a form waits for its turn.
# A form asks MongoDB a dozen times, and waits for its turn after each answer: beside
# the reading of a large JSON it took 1.4 times as long with the usual 5 milliseconds.
_QUICK_TURNS, _USUAL_TURNS = 0.0005, sys.getswitchinterval()
_MAX_KEPT = 64
# Of so few samples all is known soon, also on a busy machine.
_FEW_SAMPLES = 200


class Finding(Generic[Value]):
    """Something that is being found out.

    Args:
        what: what is done, as in "Still counting images"
        seconds: how long that may take at most; None for as long as it takes

    Attributes:
        asked: when a form has asked for it last; None if the caller waits
        opening: the opening of a form for which it holds, None for all
        value: what is known so far, None if nothing is
        is_whole: whether that is all
    """

    def __init__(self, what: str, seconds: float | None) -> None:
        self._what = what
        self._begun = self._said = time.monotonic()
        self._seconds = seconds
        self._progress: Progress | None = None
        self._error: Exception | None = None
        self._is_stopped = False
        self._ended = Event()
        self.asked: float | None = None
        self.opening: Hashable = None
        self.value: Value | None = None
        self.is_whole = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be found."""
        return self._ended.is_set()

    @property
    def is_to_be_kept(self) -> bool:
        """Whether it may be shown again: it has no defect, and was not left."""
        return self.is_whole or isinstance(self._error, CocoMaskError)

    def is_due(self) -> bool:
        """Whether it is time to say what is known so far; forms go first."""
        _let_forms_go_first()
        now = time.monotonic()
        return now - self._said > _EVERY or self._is_over(now)

    def so_far(self, value: Value, done: int, total: int | None = None) -> None:
        """Says what is known so far.

        Raises:
            JobStoppedError: if nothing more is to be found out
        """
        self.value, self._said = value, time.monotonic()
        self._report(Progress(done, total))

    def progress(self, bar: Any) -> None:
        """Says how far it is; what functions of the SDK take as ``progress``.

        Raises:
            JobStoppedError: if nothing more is to be found out
        """
        self._report(Progress.of_bar(bar))

    def find(self, find: Callable[[Finding[Value]], Value]) -> Finding[Value]:
        """Finds it out and returns this."""
        try:
            self.value = find(self)
            self.is_whole = True
        except JobStoppedError:
            pass
        except Exception as error:
            self._error = error
        finally:
            self._ended.set()
        return self

    def stop(self) -> None:
        """Ends it soon."""
        self._is_stopped = True

    def wait(self, seconds: float) -> None:
        """Waits for its end."""
        self._ended.wait(seconds)

    def checked(self) -> Finding[Value]:
        """Returns this.

        Raises:
            Exception: what finding it out has raised
        """
        if self._error is not None:
            raise self._error
        return self

    def __str__(self) -> str:
        """Returns "checking the export: 30,000 of 100,000 images"."""
        if self._progress is None or not self._progress.done:
            return self._what
        return self._progress.label(self._what, "images")

    def _report(self, progress: Progress) -> None:
        _let_forms_go_first()
        self._progress = progress
        if self._is_over(time.monotonic()):
            raise JobStoppedError

    def _is_over(self, now: float) -> bool:
        is_late = self._seconds is not None and now - self._begun > self._seconds
        is_left = self.asked is not None and now - self.asked > _UNASKED
        return self._is_stopped or is_late or is_left


@dataclass(slots=True)
class _Form:
    ends: float
    waits_for: list[Finding[Any]] = field(default_factory=list)
    is_waiting: bool = False
    # Of each dataset as it was when first asked of; None where all is known soon.
    states: dict[str, str | None] = field(default_factory=dict)


_form: ContextVar[_Form | None] = ContextVar("cocomask_form", default=None)
_forms: list[_Form] = []
_findings: OrderedDict[Hashable, Finding[Any]] = OrderedDict()
_lock = Lock()


@contextmanager
def answered_in_time(ctx: ExecutionContext, inputs: types.Object) -> Iterator[None]:
    """Lets a form in the App say what is known in time; a caller from Python waits.

    Args:
        ctx: the operator's context
        inputs: the form; it is told what is still being found out
    """
    if not is_app_request(ctx):
        yield
        return
    asked = _Form(time.monotonic() + _WAITS)
    token = _form.set(asked)
    _begin(asked)
    try:
        yield
    finally:
        _end(asked)
        _form.reset(token)
    if asked.waits_for:
        still = dict.fromkeys(str(finding) for finding in asked.waits_for)
        note(
            inputs,
            "still",
            f"Still {'; '.join(still)}",
            "Any change in this form shows what is known by then, this switch too",
        )
        inputs.bool(
            "look_again", default=False, label="Look again", view=types.SwitchView()
        )


def find_out(
    what: str,
    key: Hashable,
    find: Callable[[Finding[Value]], Value],
    *,
    opening: Hashable = None,
    seconds: float | None = None,
    is_soon: bool = False,
) -> Finding[Value]:
    """Finds something out; a form in the App waits a moment for it.

    Args:
        what: what is done, as in "Still counting images"
        key: what it depends on; None if it is to be found out here and now
        find: finds it out
        opening: the opening of a form for which it holds, where the key cannot tell
            whether it still does
        seconds: how long a caller from Python waits; None for as long as it takes
        is_soon: whether it takes so little that a form waits for its end

    Returns:
        what is known

    Raises:
        Exception: what finding it out has raised
    """
    form = _form.get()
    if form is None or key is None:
        return Finding[Value](what, seconds).find(find).checked()
    finding: Finding[Value] = _begun(what, key, find, opening)
    waits = _SOON if is_soon else form.ends - time.monotonic()
    form.is_waiting = True
    try:
        finding.wait(max(waits, _WAITS_FOR_EACH))
    finally:
        form.is_waiting = False
    if not finding.has_ended:
        form.waits_for.append(finding)
    return finding.checked()


def known(
    what: str,
    name: Hashable,
    samples: SampleCollection,
    find: Callable[[], Value],
) -> Value | None:
    """Returns what a dataset or view says, None if a form cannot know it in time.

    Args:
        what: what is done, as in "Still counting images"
        name: what is asked for
        samples: the dataset or view
        find: finds it out
    """
    return find_out(what, state_key(name, samples), lambda _: find()).value


def images_in(samples: SampleCollection) -> str:
    """Returns "21 images", or "images" if a form cannot know their number in time."""
    number = known("counting images", "images", samples, lambda: num_images(samples))
    return "images" if number is None else count(number, "image")


def known_classes(samples: SampleCollection, path: str) -> list[str]:
    """Returns the classes of labels, none if a form cannot know them in time.

    Args:
        samples: the dataset or view
        path: the path of the labels' classes
    """
    found = known(
        "looking for classes",
        ("classes", path),
        samples,
        lambda: [str(name) for name in samples.distinct(path)],
    )
    return found or []


def state_key(name: Hashable, samples: SampleCollection) -> Hashable:
    """Returns the key of what samples say as they are now; see :func:`find_out`."""
    from bson import json_util

    from ..datasets.documents import (
        dataset_id,
        has_more_samples,
        pipeline,
        root_dataset,
        samples_state,
    )

    form = _form.get()
    if form is None:
        return None
    dataset = root_dataset(samples)
    id_ = str(dataset_id(dataset))
    if id_ not in form.states:
        has_many = has_more_samples(dataset, _FEW_SAMPLES)
        form.states[id_] = samples_state(dataset) if has_many else None
    state = form.states[id_]
    if state is None:
        return None
    return id_, state, json_util.dumps(pipeline(samples)), name


def _begun(
    what: str,
    key: Hashable,
    find: Callable[[Finding[Value]], Value],
    opening: Hashable,
) -> Finding[Value]:
    with _lock:
        finding = _findings.get(key)
        if finding is not None and (not finding.has_ended or _holds(finding, opening)):
            finding.asked, finding.opening = time.monotonic(), opening
            _findings.move_to_end(key)
            return finding
        if opening is not None:
            # Of a path that is being typed only the last one matters.
            for other in _findings.values():
                if other.opening == opening and not other.has_ended:
                    other.stop()
        finding = _findings[key] = Finding(what, None)
        finding.asked, finding.opening = time.monotonic(), opening
        while len(_findings) > _MAX_KEPT:
            _findings.popitem(last=False)[1].stop()
    arguments = finding, find
    Thread(target=_find, args=arguments, name="cocomask-form", daemon=True).start()
    return finding


def _find(finding: Finding[Value], find: Callable[[Finding[Value]], Value]) -> None:
    from ..datasets.memory import frozen_heap

    # What an export's images are takes so many objects that the garbage collector
    # would walk through all that there are, and stop a form for 0.4 seconds each time.
    with frozen_heap():
        finding.find(find)


def _begin(form: _Form) -> None:
    with _lock:
        _forms.append(form)
        sys.setswitchinterval(_QUICK_TURNS)


def _end(form: _Form) -> None:
    with _lock:
        _forms.remove(form)
        if not _forms:
            sys.setswitchinterval(_USUAL_TURNS)


def _let_forms_go_first() -> None:
    ends = time.monotonic() + _LETS_GO_FIRST
    while time.monotonic() < ends and not all(form.is_waiting for form in _forms):
        time.sleep(_STEP)


def _holds(finding: Finding[Any], opening: Hashable) -> bool:
    return finding.is_to_be_kept and finding.opening == opening
