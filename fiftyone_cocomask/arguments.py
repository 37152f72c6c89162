"""The arguments of the SDK's functions, checked in one place before anything is done.

A wrong argument costs nothing: no dataset is made, emptied or changed, and no file is
written. What an argument may be follows from its annotation, and from its name, which
means the same in all functions.
"""

from __future__ import annotations

import functools
import inspect
import os
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import (
    Any,
    Literal,
    ParamSpec,
    TypeGuard,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from .errors import CocoMaskError

P = ParamSpec("P")
R = TypeVar("R")

# Much longer ones are not names but texts or files by mistake.
_MAX_NAME = 200
_MAX_SHOWN = 60

_NAMES_OF_TYPES: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Makes a function check its arguments first.

    What stands for a list of texts arrives as a list: a set, a generator, or a single
    text. Methods are checked but for ``self``.
    """
    signature = inspect.signature(function)

    @functools.cache
    def annotations() -> dict[str, Any]:
        # But for what it returns, which may be a type of a library that loads late.
        given = {n: a for n, a in function.__annotations__.items() if n != "return"}
        stated = types.SimpleNamespace(__annotations__=given)
        return get_type_hints(stated, globalns=inspect.unwrap(function).__globals__)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind(*args, **kwargs)
        hints = annotations()
        for name, value in given.arguments.items():
            if value is None and hints.get(name) is bool:
                # The App sends None for what a form leaves empty.
                value = signature.parameters[name].default
            if name in hints:
                given.arguments[name] = check_argument(name, value, hints[name])
        return function(*given.args, **given.kwargs)

    return call


def check_argument(name: str, value: Any, annotation: Any) -> Any:
    """Returns an argument as its function takes it.

    Args:
        name: the argument's name
        value: what was given
        annotation: the type that the function states

    Raises:
        CocoMaskError: if it does not fit
    """
    members = union_members(annotation)
    # One text is a list of one, but not where it has to be one of some choices.
    is_choice = isinstance(value, str) and any(
        get_origin(m) is Literal for m in members
    )
    fitting = [
        _fitted(value, member)
        for member in members
        if not is_choice or get_origin(member) is Literal
    ]
    if members and not any(fits for fits, _ in fitting):
        expected = _expected(name, members)
        raise CocoMaskError(f"{name} must be {expected}, not {shown(value)}")
    value = next((result for fits, result in fitting if fits), value)
    rule = _RULES.get(name)
    if rule is not None and value is not None:
        rule(name, value)
    return value


def check_name(name: str, value: Any, what: str = "a name") -> None:
    """Checks what becomes the name, or the beginning of names, of fields.

    Raises:
        CocoMaskError: if it cannot
    """
    if not isinstance(value, str) or not value.isidentifier():
        raise CocoMaskError(
            f"{name} must be {what} of letters, digits and _, not {shown(value)}"
        )
    if value.startswith("_"):
        raise CocoMaskError(f"{name} must not begin with _, as {shown(value)} does")
    if len(value) > _MAX_NAME:
        raise CocoMaskError(
            f"{name} must have at most {_MAX_NAME} characters, not {len(value):,}"
        )


def shown(value: Any) -> str:
    """Returns a value as a message shows it: on one line, and not much of it."""
    if isinstance(value, type):
        return value.__name__
    text = " ".join(repr(value).split())
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value of a JSON or a document is a number: True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def union_members(annotation: Any) -> list[Any]:
    """Returns the types of a union; none if it says nothing."""
    if annotation is Any:
        return []
    if get_origin(annotation) in (Union, types.UnionType):
        return [m for part in get_args(annotation) for m in union_members(part)]
    return [annotation]


def fits_type(value: Any, annotation: Any) -> bool:
    """Whether a value is of the type that an argument has, whatever it may be in it.

    Any text is of the type of a choice of texts.
    """
    members = union_members(annotation)
    kinds = [str if get_origin(member) is Literal else member for member in members]
    return not kinds or any(_fitted(value, kind)[0] for kind in kinds)


def may_be_path(text: str) -> bool:
    """Whether a file may have this name: the system refuses to look for others.

    Bytes that are not UTF-8 may be in it, half of a surrogate pair may not.
    """
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def as_text_list(value: Any) -> Any:
    """Returns a list of the texts that a value stands for; another value as it is.

    A single text is a list of one, as in :func:`checked`.
    """
    return _text_list(value)[1]


def without_numpy(value: Any) -> Any:
    """Returns a value, or the values of a list or dict, as Python's own types."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, dict):
        return {name: without_numpy(item) for name, item in value.items()}
    return [without_numpy(item) for item in value] if isinstance(value, list) else value


def _fitted(value: Any, member: Any) -> tuple[bool, Any]:
    """Returns whether a value is of a type, and the value as that type."""
    origin = get_origin(member)
    if origin is Literal:
        return isinstance(value, str) and value in get_args(member), value
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, origin), value
    if origin is not None and issubclass(origin, Iterable):
        if get_args(member)[:1] != (str,):
            return isinstance(value, origin), value
        return _text_list(value)
    if member is bool:
        return isinstance(value, (bool, np.bool_)), value
    if isinstance(value, (bool, np.bool_)):
        return False, value
    if member is int:
        return isinstance(value, (int, np.integer)), value
    if member is float:
        return isinstance(value, (int, float, np.integer, np.floating)), value
    if member is Path:
        return isinstance(value, os.PathLike), value
    return isinstance(value, origin or member), value


def _text_list(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str):
        value = [value]
    elif isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        return False, value
    texts = list(value)
    return all(isinstance(text, str) and _is_text(text) for text in texts), texts


def _is_text(value: str) -> bool:
    """Whether a text can be stored: half a character of UTF-16 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return bool(value)


def _expected(name: str, members: list[Any]) -> str:
    """Returns what an argument may be, in words."""
    words = []
    for member in members:
        origin = get_origin(member)
        if origin is Literal:
            words += [repr(choice) for choice in get_args(member)]
        elif origin is not None:
            words.append(_words_of(origin))
        elif member is str and name in _RULES:
            words.append(_WORDS.get(_RULES[name], "a text"))
        elif member is not type(None) and not (member is Path and str in members):
            words.append(_NAMES_OF_TYPES.get(member) or f"a {member.__name__}")
    words = list(dict.fromkeys(words))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _words_of(origin: type[Any]) -> str:
    """Returns what a generic type holds, in words."""
    if issubclass(origin, os.PathLike):
        return "a path"
    return "values by name" if issubclass(origin, Mapping) else "a list of texts"


def _check_field(name: str, value: Any) -> None:
    """Checks the name of a field that may be there already, by whomever it was made."""
    usable = isinstance(value, str) and value.strip() and _is_text(value)
    if not usable or "\0" in value or "$" in value or value.startswith("_"):
        raise CocoMaskError(f"{name} must be a field name, not {shown(value)}")


def _check_path(name: str, value: Any) -> None:
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if isinstance(text, str) and not (text.strip() and may_be_path(text)):
        raise CocoMaskError(f"{name} must be a path, not {shown(text)}")


def _check_progress(name: str, value: Any) -> None:
    if not isinstance(value, (bool, np.bool_)) and not callable(value):
        raise CocoMaskError(
            f"{name} must be True, False, None or a function, not {shown(value)}"
        )


def _check_count(name: str, value: Any) -> None:
    if value < 0:
        raise CocoMaskError(f"{name} must be 0 or more, not {shown(value)}")


def _check_name_part(name: str, value: Any) -> None:
    if any(character in value for character in "/\\\0") or not _is_text(value or "_"):
        raise CocoMaskError(f"{name} must be a part of a file name, not {shown(value)}")


# The arguments that are paths.
PATHS = frozenset(
    (
        *("path", "image_dir", "output_dir", "output_path", "old", "new"),
        *("coco_annotation_file", "source"),
    )
)
_Rule = Callable[[str, Any], None]
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(
        ("eval_key", "new_eval_key", "key", "fix_key", "outline_key"), check_name
    ),
    **dict.fromkeys(
        (
            *("label_field", "box_field", "mask_field", "pred_field", "gt_field"),
            *("label_or_mask_field", "old_label_field"),
        ),
        _check_field,
    ),
    **dict.fromkeys(PATHS, _check_path),
    "progress": _check_progress,
    "num_workers": _check_count,
    "suffix": _check_name_part,
}
_WORDS: dict[_Rule, str] = {
    check_name: "a name of letters, digits and _",
    _check_field: "a field name",
    _check_path: "a path",
    _check_name_part: "a part of a file name",
}
