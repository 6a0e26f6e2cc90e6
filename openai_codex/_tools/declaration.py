"""Tools: typed functions of the program that the model may call.

It owns what a tool declares, and how the model's arguments become a call. Who makes that call, where and for how long,
is not known here; what becomes of its outcome is the business of `tool_result`.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias, TypedDict, TypeVar, get_args, overload

import attrs

from openai_codex import _protocol as protocol
from openai_codex._approvals.requests import Cancellable
from openai_codex._schemas import schema as forms
from openai_codex._schemas.schema import Schema, type_name
from openai_codex._schemas.validate import ValidationError, key_problems, validate
from openai_codex.errors import CodexError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R")

# How arguments are read that only an explicit schema describes.
_ANY_OBJECT = dict[str, Any]


@attrs.define(slots=False, eq=False, repr=False)
class ToolArgumentError(CodexError, ValueError):
    """The model called a tool with arguments that do not fit; the tool was not run."""

    tool: str
    """The name of the tool."""
    problems: tuple[str, ...]
    """What does not fit and where, one line each; values are left out."""

    def __str__(self) -> str:
        return f"{self.tool}: {'; '.join(self.problems)}"


@attrs.frozen
class ToolContext(Cancellable):
    """Which call this is, and whether it is `cancelled`.

    A parameter annotated with it is no argument of the model's: the tool is handed it.
    """

    thread_id: str
    turn_id: str
    call_id: str
    """The id that the model gave the call; the call's item has the same."""


@attrs.frozen
class Namespace:
    """A name that tools share. It is enough that one of them describes it; if none does, the runtime words it."""

    name: str
    description: str = ""


def _namespace(given: Namespace | str | None) -> Namespace | None:
    return Namespace(given) if isinstance(given, str) else given


@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.frozen)
class Tool(Generic[P, R]):
    """A function with all that the model has to know of it. Made by `tool`; a call of it is one of the function."""

    function: Callable[P, R] = attrs.field(repr=False)
    name: str
    """What the model calls it by."""
    description: str = attrs.field(repr=False)
    """What the model reads about it."""
    schema: Schema = attrs.field(repr=False)
    """The JSON schema of its arguments. Do not change it."""
    namespace: Namespace | None = attrs.field(default=None, converter=_namespace)
    """Where its name belongs; ``None``: beside the runtime's own tools."""
    timeout: float | None = None
    """How long a call may take, in seconds; ``None``: the tool itself sets no limit."""
    _form: Any = attrs.field(default=_ANY_OBJECT, alias="form", repr=False)
    """The type that its arguments are read as."""
    _contexts: Sequence[str] = attrs.field(default=(), alias="contexts", repr=False)
    """The parameters that take the context."""

    def __attrs_post_init__(self) -> None:
        functools.update_wrapper(self, self.function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain function."""
        return self.function(*args, **kwargs)

    @property
    def key(self) -> tuple[str | None, str]:
        """What the runtime asks for it by: its namespace, if it has one, and its name."""
        return self.namespace.name if self.namespace else None, self.name

    @property
    def is_async(self) -> bool:
        """Whether a call returns a coroutine."""
        return inspect.iscoroutinefunction(self.function)

    def declaration(self) -> dict[str, Any]:
        """Return what the protocol calls a tool by itself and one in a namespace alike."""
        return {"name": self.name, "description": self.description, "input_schema": self.schema}

    def spec(self) -> protocol.FunctionDynamicToolSpec:
        """Declare it to the runtime; its namespace is put around it by `tool_specs`."""
        return protocol.FunctionDynamicToolSpec(**self.declaration())

    def bind(self, arguments: Any, context: ToolContext) -> Callable[[], Any]:
        """Prepare the call that the model asks for, without making it.

        Raises `ToolArgumentError` for arguments that are missing, unknown, or of another type.
        """
        try:
            taken = _read(self, self._form, arguments)
        except ValidationError as error:
            raise ToolArgumentError(self.name, error.lines) from (error.__cause__ or error)
        function: Callable[..., Any] = self.function
        return functools.partial(function, **{**taken, **dict.fromkeys(self._contexts, context)})


AnyTool: TypeAlias = Tool[..., Any]
"""A tool, whatever it takes and returns."""


class ToolSettings(TypedDict, total=False):
    """What `tool` takes instead of what it finds, field by field of `Tool`; ``None`` is what it finds."""

    name: str | None
    description: str | None
    schema: Schema | None
    namespace: Namespace | str | None
    timeout: float | None


@overload
def tool(function: Callable[P, R], /, **settings: Unpack[ToolSettings]) -> Tool[P, R]: ...
@overload
def tool(**settings: Unpack[ToolSettings]) -> Callable[[Callable[P, R]], Tool[P, R]]: ...
def tool(function: Callable[..., Any] | None = None, /, **settings: Any) -> Any:
    """Make a typed function, sync or async, a tool: ``@tool``, ``@tool(timeout=30)`` or ``tool(clock.now)``.

    The model reads its name and its whole docstring; arguments arrive as what the parameters are annotated with, and
    calls with others are refused. A parameter annotated with `ToolContext` is never shown to the model. What it
    returns is told to the model: a text, a `ToolImage`, a `ToolResult`, or other data as JSON. When it raises, the
    model reads the type and the words of the error, the log has the traceback, and the turn goes on.

    Args:
        function: runs on a thread of the handler pool; a coroutine function, in `AsyncCodex` only, on the client's loop.
        settings: those of `Tool`, in place of what is found. Given a `schema`, annotations do not count: its
            ``required`` and ``additionalProperties`` are checked, and arguments arrive by name as decoded JSON. After `timeout` seconds the model is told so; a coroutine is cancelled.

    Raises `ConfigError`, naming the function and the parameter or setting, for what cannot be declared.
    """
    return functools.partial(tool, **settings) if function is None else _declared(function, settings)


def _declared(function: Callable[..., Any], settings: dict[str, Any]) -> AnyTool:
    if not isinstance(inspect.unwrap(function), (FunctionType, MethodType)):
        raise ConfigError("tool", f"expected a function, got {type_name(type(function))}")
    contexts = _contexts(function)
    found: dict[str, Any] = {"name": function.__name__, "description": inspect.cleandoc(function.__doc__ or "")}
    given = {setting: value for setting, value in settings.items() if value is not None}
    typed = {} if "schema" in given else _typed(function, contexts)
    declared: AnyTool = Tool(function, contexts=contexts, **{**found, **typed, **given})
    for setting, holds, reason in _RULES:
        if not holds(declared):
            raise ConfigError(f"{type_name(function)}.{setting}", reason)
    return declared


# A tool of such a name is dropped by the runtime without a word, unless it is in a namespace.
_BUILT_IN = r"apply_patch|exec_command|write_stdin|(create|get|update)_goal|request_user_input|view_image|web_search"
_NAME = r"[a-zA-Z0-9_-]{1,128}"
_NAMESPACE = r"[a-zA-Z0-9_-]{1,64}"


def _is_timeout(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and 0 < value < math.inf)


# What has to hold of each setting, and what is said if it does not.
_RULES: Sequence[tuple[str, Callable[[AnyTool], object], str]] = (
    ("name", lambda it: re.fullmatch(_NAME, it.name), f"expected {_NAME}"),
    ("name", lambda it: it.namespace or not re.fullmatch(_BUILT_IN, it.name), "the runtime has a tool of this name"),
    ("schema", lambda it: isinstance(it.schema, dict) and it.schema.get("type") == "object", 'expected type "object"'),
    ("namespace", lambda it: not it.namespace or re.fullmatch(_NAMESPACE, it.namespace.name), f"expected {_NAMESPACE}"),
    ("timeout", lambda it: _is_timeout(it.timeout), "expected a finite number of seconds above 0"),
)


def _contexts(function: Callable[..., Any]) -> list[str]:
    """Name the parameters that take the context."""
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL}:
            raise ConfigError(f"{type_name(function)}.{parameter.name}", "it needs to go by name")
    # Its import may be for type checkers only: then nothing but its name is known.
    names = {ToolContext.__name__: ToolContext, **inspect.unwrap(function).__globals__}
    return [parameter.name for parameter in parameters if _is_context(parameter.annotation, names)]


def _is_context(annotation: Any, names: Mapping[str, Any]) -> bool:
    if isinstance(annotation, str):
        return any(names.get(word) is ToolContext for word in re.findall(r"\w+", annotation))
    return ToolContext in (annotation, *get_args(annotation))


def _typed(function: Callable[..., Any], contexts: Sequence[str]) -> dict[str, Any]:
    """Derive from the annotations the schema, and a typed dict to read arguments as: it leaves defaults to the function."""
    fields = forms.parameter_fields(function, contexts)
    hints = {field.name: field.type for field in fields}
    required = frozenset(field.name for field in fields if field.required)
    form = type("object", (dict,), {"__annotations__": hints, "__required_keys__": required})
    return {"schema": forms.parameters_schema(function, skip=contexts), "form": form}


def _read(asked: AnyTool, form: Any, arguments: Any) -> Mapping[str, Any]:
    # Keys too many are no misfit to `fit`; but what the model wants of this call with them would be left undone.
    problems = key_problems(asked.schema, arguments) if isinstance(arguments, dict) else []
    try:
        taken: Mapping[str, Any] = validate(form, arguments)
    except ValidationError as error:
        told = {path for path, _ in error.problems}
        raise ValidationError(*error.problems, *(each for each in problems if each[0] not in told)) from error.__cause__
    if problems:
        raise ValidationError(*problems)
    return taken


def tool_table(tools: Iterable[AnyTool]) -> dict[tuple[str | None, str], AnyTool]:
    """Arrange tools by their keys. Raises `ConfigError` for what is no tool, and for two tools of one name."""
    table: dict[tuple[str | None, str], AnyTool] = {}
    for index, each in enumerate(tools):
        if not isinstance(each, Tool):
            raise ConfigError(f"tools[{index}]", f"expected a function with @tool, got {type_name(type(each))}")
        if each.key in table:
            raise ConfigError(f"tools[{index}]", f"a second tool of the name {each.name}")
        table[each.key] = each
    return table


def tool_specs(tools: Iterable[AnyTool]) -> list[protocol.DynamicToolSpec]:
    """Declare tools to the runtime: first those without a namespace, then each namespace with its own.

    Raises `ConfigError` as `tool_table` does, and for a namespace that is described in different ways.
    """
    groups: dict[str | None, list[AnyTool]] = {None: []}
    for (namespace, _), each in tool_table(tools).items():
        groups.setdefault(namespace, []).append(each)
    specs = [each.spec() for each in groups.pop(None)]
    return [*specs, *(_namespace_spec(name, group) for name, group in groups.items() if name)]


def _namespace_spec(name: str, tools: Sequence[AnyTool]) -> protocol.NamespaceDynamicToolSpec:
    descriptions = {each.namespace.description for each in tools if each.namespace} - {""}
    if len(descriptions) > 1:
        raise ConfigError(f"namespace {name}", "its tools describe it in different ways")
    members = [protocol.FunctionDynamicToolNamespaceTool(**each.declaration()) for each in tools]
    return protocol.NamespaceDynamicToolSpec(name=name, description="".join(descriptions), tools=[*members])
