"""Tools: typed functions of the program that the model may call, and how they are declared to the runtime.

How a call is run, and what becomes of its outcome, is not known here.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, SupportsIndex, TypeAlias, TypedDict, TypeVar, overload

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._schemas.form import Form, Schema, ValidationError, type_name
from openai_codex._schemas.walk import arguments_form
from openai_codex._schemas.wording import in_words
from openai_codex._tools.arguments import (
    ToolArgumentError,
    ToolContext,
    context_parameters,
    read_arguments,
)
from openai_codex._tools.callables import bound_arguments, docstring_of, name_of, plain_function
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

P = ParamSpec("P")
R = TypeVar("R")


@attrs.frozen
class Namespace:
    """A name that groups tools.

    Attributes:
        name: The name: up to 64 letters, digits, ``_`` and ``-``.
        description: What the model reads about the group. One tool of the group is enough to set it; if none does, the
            runtime writes one.
    """

    name: str
    description: str = ""


def _namespace(given: Namespace | str | None) -> Namespace | None:
    return Namespace(given) if isinstance(given, str) else given


# Only the fields are frozen: `functools.update_wrapper` sets other attributes. Compared by identity, as functions are.
@attrs.define(eq=False, slots=False, on_setattr=attrs.setters.frozen)
class Tool(Generic[P, R]):
    """A function plus its declaration for the model, made by `tool`. Calling a `Tool` calls the function.

    Attributes:
        function: The function that was decorated.
        name: The name that the model calls it by.
        description: The description that the model reads.
        schema: The JSON schema of its arguments. Do not change it.
        namespace: The group of its name; ``None``: none, beside the runtime's own tools.
        timeout: The longest that a call may take, in seconds; ``None``: ``handler_timeout`` of the configuration.
    """

    function: Callable[P, R] = attrs.field(repr=False, validator=lambda _self, _field, value: plain_function(value))
    name: str
    description: str = attrs.field(repr=False)
    schema: Schema = attrs.field(repr=False)
    namespace: Namespace | None = attrs.field(default=None, converter=_namespace)
    timeout: float | None = None
    _form: Form | None = attrs.field(default=None, alias="form", repr=False)
    """How its arguments are read, unless only an explicit schema describes them."""
    _contexts: Sequence[str] = attrs.field(default=(), alias="contexts", repr=False)
    """The parameters that take the context."""
    _bound: Mapping[str, Any] = attrs.field(factory=dict, alias="bound", repr=False)
    """The arguments of the program's own choice."""

    def __attrs_post_init__(self) -> None:
        # Without the function's ``__dict__``, which could overwrite fields of the tool.
        functools.update_wrapper(self, self.function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain function."""
        return self.function(*args, **kwargs)

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> str | tuple[Any, ...]:
        # As functions are pickled: by its name, at which pickle finds the tool, and never the function alone.
        module, name = str(vars(self).get("__module__")), str(vars(self).get("__qualname__"))
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        # cloudpickle, which Dask uses, passes on functions of a script as their code, so it gets the fields.
        if "cloudpickle" in sys.modules and not (found is self and module != "__main__"):
            return super().__reduce_ex__(protocol)
        if found is not self:
            raise TypeError(
                f"the tool {self.name} cannot be pickled, because its module has no such name: define it by @tool at the top "
                f"of a module, and pickle that, or give its import path to a Job"
            )
        return name

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object, /) -> Self:
        return self

    @property
    def key(self) -> tuple[str | None, str]:
        """Its namespace, if it has one, and its name: both together identify it in a thread."""
        return self.namespace.name if self.namespace else None, self.name

    @property
    def is_async(self) -> bool:
        """Whether a call returns a coroutine."""
        return checks.is_coroutine_function(self.function)

    def declaration(self) -> dict[str, Any]:
        """Return the fields that the protocol has for a tool, with and without a namespace."""
        # A schema that the program wrote itself is sent as it is.
        schema = in_words(self.schema) if self._form else self.schema
        return {"name": self.name, "description": self.description, "input_schema": schema}

    def spec(self) -> protocol.FunctionDynamicToolSpec:
        """Return its declaration for the runtime, without its namespace."""
        return protocol.FunctionDynamicToolSpec(**self.declaration())

    def bind(self, arguments: Any, context: ToolContext) -> Callable[[], Any]:
        """Prepare a call without running it. Raises `ToolArgumentError` for arguments that do not fit the schema."""
        try:
            taken = read_arguments(self.schema, self._form, arguments)
        except ValidationError as error:
            raise ToolArgumentError(self.name, error.lines) from (error.__cause__ or error)
        # The model decides how deeply its JSON is nested.
        except RecursionError as error:
            raise ToolArgumentError(self.name, ("its arguments are nested too deeply",)) from error
        function: Callable[..., Any] = self.function
        return functools.partial(function, **{**taken, **self._bound, **dict.fromkeys(self._contexts, context)})


AnyTool: TypeAlias = Tool[..., Any]
"""A tool with any parameters and return type."""


class ToolSettings(TypedDict, total=False):
    """Fields of `Tool` that replace what `tool` derives from the function; ``None`` keeps what it derives."""

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
    """Turn a typed function, sync or async, into a tool: ``@tool``, ``@tool(timeout=30)`` or ``tool(clock.now)``.

    The model reads its name and its whole docstring. Arguments are converted to the types that the parameters are
    annotated with; a call with other arguments is rejected. A parameter annotated with `ToolContext` receives the
    context of the call. The function runs on a worker thread; a coroutine function, in `AsyncCodex` only, on the
    client's event loop. It sees the context variables (``contextvars``) of the call that started the turn.

    The model reads what the function returns: a str, a `ToolImage`, a `ToolResult`, or any other data as JSON. If the
    function raises, the model reads the type and the text of the error, the traceback is logged, and the turn
    continues. After ``timeout`` seconds the model reads a `TimeoutError`, and a coroutine is cancelled.

    Args:
        function: The function: also a method of an object, a `functools.partial`, whose own arguments the model neither
            sees nor replaces, or an object with ``__call__``. Its parameters must be annotated, and passable by name.
        settings: Fields of `Tool` that replace what is derived from the function: ``name``, ``description``,
            ``schema``, ``namespace``, ``timeout`` in seconds. With a ``schema``, annotations are ignored: its
            ``required`` and ``additionalProperties`` are checked, and arguments are passed by name as decoded JSON.

    Returns:
        The tool, or a decorator if no function is given.

    Raises:
        ConfigError: The function, a parameter or a setting cannot be declared to the runtime; the error names it.
    """
    return functools.partial(tool, **settings) if function is None else _declared(function, settings)


def _declared(given: Callable[..., Any], settings: dict[str, Any]) -> AnyTool:
    if unknown := sorted(settings.keys() - ToolSettings.__annotations__):
        raise TypeError(f"tool() got an unexpected keyword argument {unknown[0]!r}")
    function = given.function if isinstance(given, Tool) else given
    plain, name = plain_function(function), name_of(function)
    bound = bound_arguments(function)
    contexts = [each for each in context_parameters(function, plain, name) if each not in bound]
    found: dict[str, Any] = {"name": name, "description": docstring_of(function)}
    known = {setting: value for setting, value in settings.items() if value is not None}
    if "schema" not in known:
        found["form"] = arguments_form(function, plain, name, {*contexts, *bound})
        found["schema"] = found["form"].schema
    declared: AnyTool = Tool(function, contexts=contexts, bound=bound, **{**found, **known})
    for setting, holds, reason in _RULES:
        if not holds(declared):
            raise ConfigError(f"{name}.{setting}", f"{reason}; got {getattr(declared, setting)!r}")
    if declared.timeout is not None:
        checks.finite_seconds(f"{name}.timeout", declared.timeout)
    return declared


# Without a namespace, the runtime silently ignores a tool of such a name.
_BUILT_IN = r"apply_patch|exec_command|write_stdin|(create|get|update)_goal|request_user_input|view_image|web_search"
# The runtime's own rule: it refuses the whole request because of one other name.
_NAME = r"[a-zA-Z0-9_-]{1,128}"
_NAMESPACE = r"[a-zA-Z0-9_-]{1,64}"


def _is_json(value: Any) -> bool:
    try:
        # Of JSON, not more: orjson writes a date as a text, and nan as null.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _is_namespace(value: Any) -> bool:
    return isinstance(value, Namespace) and isinstance(value.name, str) and isinstance(value.description, str)


# Setting, condition, and the text of the error if the condition is false.
_RULES: Sequence[tuple[str, Callable[[AnyTool], object], str]] = (
    ("name", lambda it: isinstance(it.name, str) and re.fullmatch(_NAME, it.name), f"expected a match of {_NAME}"),
    (
        "name",
        lambda it: it.namespace or not re.fullmatch(_BUILT_IN, it.name),
        "expected another name than that of a tool of the runtime, or a namespace",
    ),
    ("description", lambda it: isinstance(it.description, str), "expected a str"),
    (
        "schema",
        lambda it: isinstance(it.schema, dict) and it.schema.get("type") == "object",
        'expected a JSON schema of type "object"',
    ),
    ("schema", lambda it: _is_json(it.schema), "expected values that JSON has"),
    (
        "namespace",
        lambda it: it.namespace is None or _is_namespace(it.namespace),
        "expected a str or a Namespace, with a str as its description",
    ),
    (
        "namespace",
        lambda it: not it.namespace or re.fullmatch(_NAMESPACE, it.namespace.name),
        f"expected a match of {_NAMESPACE}",
    ),
)


def tool_table(tools: Iterable[AnyTool]) -> dict[tuple[str | None, str], AnyTool]:
    """Return tools by their keys. Raises `ConfigError` for anything but a tool, and for a duplicate name."""
    table: dict[tuple[str | None, str], AnyTool] = {}
    for index, each in enumerate(tools):
        if not isinstance(each, Tool):
            raise ConfigError(f"tools[{index}]", f"expected a function with @tool, got {type_name(type(each))}")
        # The runtime would refuse the whole request.
        if each.key in table:
            raise ConfigError(f"tools[{index}]", f"duplicate tool name {each.name}; rename one, or set a namespace")
        table[each.key] = each
    return table


def tool_specs(tools: Iterable[AnyTool]) -> list[protocol.DynamicToolSpec]:
    """Return the declarations of tools: first those without a namespace, then one per namespace.

    Raises `ConfigError` as `tool_table` does, and for a namespace with two descriptions.
    """
    groups: dict[str | None, list[AnyTool]] = {None: []}
    for (namespace, _), each in tool_table(tools).items():
        groups.setdefault(namespace, []).append(each)
    specs = [each.spec() for each in groups.pop(None)]
    return [*specs, *(_namespace_spec(name, group) for name, group in groups.items() if name)]


def _namespace_spec(name: str, tools: Sequence[AnyTool]) -> protocol.NamespaceDynamicToolSpec:
    descriptions = {each.namespace.description for each in tools if each.namespace} - {""}
    if len(descriptions) > 1:
        raise ConfigError(f"namespace {name}", f"expected one description, got {len(descriptions)} that differ")
    members = [protocol.FunctionDynamicToolNamespaceTool(**each.declaration()) for each in tools]
    return protocol.NamespaceDynamicToolSpec(name=name, description="".join(descriptions), tools=[*members])
