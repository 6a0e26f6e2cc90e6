"""The arguments of a tool: which parameters of a function the model fills in, and how the arguments of a call are checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

import attrs

from openai_codex._approvals.requests import Cancellable
from openai_codex._schemas.form import BY_NAME, Form, Schema, ValidationError, WrongKindError, key_problems
from openai_codex.errors import CodexError, ConfigError


@attrs.define(slots=False, eq=False, repr=False)
class ToolArgumentError(CodexError, ValueError):
    """The model called a tool with arguments that do not fit. The tool was not run, and the model reads this error.

    Attributes:
        tool: The name of the tool.
        problems: What does not fit and where, one line each. They contain no values.
    """

    tool: str
    problems: tuple[str, ...]

    def _text(self) -> str:
        return f"{self.tool}: {'; '.join(self.problems)}"


@attrs.frozen
class ToolContext(Cancellable):
    """Identifies one call of a tool, and reports whether it is `cancelled`.

    A parameter of a tool that is annotated with it receives it. The model does not see that parameter.

    Attributes:
        thread_id: The thread of the call. For a sub-agent it is the sub-agent's own.
        turn_id: The turn of the call.
        call_id: The id that the model gave the call. The item of the call has the same id.
        root_thread_id: If a sub-agent calls, the thread of the turn that it works for; ``None`` if none does.
        root_turn_id: That turn; ``None`` if no sub-agent calls.
        agent_name: The name of the sub-agent, with models that name their agents; else ``None``.
        agent_depth: 1 for a sub-agent of the root thread, 2 for a sub-agent of that one, and so on; ``None`` if no
            sub-agent calls, and for one whose start this client has not seen.
    """

    thread_id: str
    turn_id: str
    call_id: str
    root_thread_id: str | None = None
    root_turn_id: str | None = None
    agent_name: str | None = None
    agent_depth: int | None = None


def context_parameters(function: Callable[..., Any], plain: Any, name: str) -> list[str]:
    """Return the names of the parameters that take the context. Raises `ConfigError` for positional-only parameters."""
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL}:
            raise ConfigError(f"{name}.{parameter.name}", f"expected {BY_NAME}")
    # The module may import it under TYPE_CHECKING: then it is known by its name only.
    names = {ToolContext.__name__: ToolContext, **plain.__globals__}
    return [parameter.name for parameter in parameters if _is_context(parameter.annotation, names)]


def _is_context(annotation: Any, names: Mapping[str, Any]) -> bool:
    if isinstance(annotation, str):
        # Not evaluated: other names in the annotation may be imported for type checkers only.
        return any(names.get(word) is ToolContext for word in re.findall(r"\w+", annotation))
    return ToolContext in (annotation, *get_args(annotation))


def read_arguments(schema: Schema, form: Form | None, arguments: Any) -> Mapping[str, Any]:
    """Convert the arguments of a call. Raises `ValidationError` for missing and unknown names and for wrong types.

    Without a form they are passed on as they are, and their names are checked.
    """
    if not isinstance(arguments, dict):
        raise WrongKindError(form.name if form else "dict[str, Any]", arguments)
    if form:
        taken: Mapping[str, Any] = form.read(arguments)
        return taken
    if problems := key_problems(schema, arguments):
        raise ValidationError(*problems)
    return arguments
