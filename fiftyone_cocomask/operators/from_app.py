"""Whether parameters are a person's answers in the App, or those of a caller."""

from __future__ import annotations

from ..fiftyone_types import ExecutionContext


def is_app_request(ctx: ExecutionContext) -> bool:
    """Whether the App waits for this operation over HTTP.

    Its requests name the operator; calls of ``foo.execute_operator`` do not. Those that
    were scheduled in the App run where no App listens, see :func:`is_from_app`.
    """
    return is_from_app(ctx) and not ctx.delegated


def is_from_app(ctx: ExecutionContext) -> bool:
    """Whether the parameters are answers to a form in the App, perhaps scheduled.

    The App keeps what was answered to questions that a form no longer asks, and has an
    empty list where nothing is chosen.
    """
    return "operator_uri" in ctx.request_params
