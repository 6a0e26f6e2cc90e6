"""The fields of classes and the parameters of functions: their names in JSON, types and defaults."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, get_args, get_origin

import attrs

from openai_codex._runtime.imports import load
from openai_codex._schemas.constraints import is_field
from openai_codex._schemas.form import BY_NAME, type_name
from openai_codex._schemas.scopes import evaluated
from openai_codex.errors import ConfigError

_PASSED_BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
NOTHING = inspect.Parameter.empty
"""The default of a field that has none."""

# What a `TypedDict` says that has no other items than its own.
_NO_ITEMS = {"NoExtraItems", "Never", "NoReturn"}

# Identified by name: `typing_extensions` has its own versions, and is not imported for them.
_MARKERS = {"Annotated", "Final", "ReadOnly", "Required", "NotRequired"}


class Field(NamedTuple):
    """A property of an object.

    Attributes:
        name: Its name in JSON.
        type: Its type.
        default: Its default, `NOTHING` if there is none.
        argument: The name of the argument of the constructor or function; "" if it is none.
    """

    name: str
    type: Any
    default: Any
    argument: str

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is NOTHING


def peel(type_: Any) -> tuple[Any, list[Any]]:
    """Strip new types and markers such as ``Annotated``. Return the inner type, and the markers with their notes."""
    if type(type_).__name__ == "NewType":
        return peel(type_.__supertype__)
    if isinstance(type_, dataclasses.InitVar):
        return peel(type_.type)
    origin = get_origin(type_)
    if getattr(origin, "__name__", None) not in _MARKERS:
        return type_, []
    outer, *notes = get_args(type_)
    inner, more = peel(outer)
    return inner, [origin, *notes, *more]


def object_fields(cls: Any) -> tuple[Field, ...]:
    """Return the fields of a class, also of one with type arguments.

    Raises `ConfigError` if its annotations cannot be evaluated.
    """
    origin, hints = get_origin(cls) or cls, _hints(cls)
    if hasattr(origin, "__struct_fields__"):
        return _struct_fields(origin, hints)
    if hasattr(origin, "__required_keys__"):
        if getattr(getattr(origin, "__extra_items__", None), "__name__", "NoExtraItems") not in _NO_ITEMS:
            raise ConfigError(type_name(origin), "extra_items have no JSON schema here; give them a field with a dict")
        return tuple(Field(name, hint, _typed_dict_default(origin, name, hint), name) for name, hint in hints.items())
    # attrs drops the leading underscore of a field in the name of its argument.
    aliases = {field.name: field.alias for field in attrs.fields(origin)} if attrs.has(origin) else {}
    return _call_fields(origin, type_name(origin), {aliases.get(name, name): hint for name, hint in hints.items()})


def _typed_dict_default(cls: Any, name: str, hint: Any) -> Any:
    # With postponed annotations, `__required_keys__` ignores `Required` and `NotRequired`: it knows the totality only.
    markers = {getattr(note, "__name__", None) for note in peel(hint)[1]}
    required = "Required" in markers or (name in cls.__required_keys__ and "NotRequired" not in markers)
    return NOTHING if required else ...


def _struct_fields(cls: Any, hints: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a class of msgspec, and its tag."""
    if cls.__struct_config__.array_like:
        raise ConfigError(type_name(cls), "array_like: an array with items of several types has no JSON schema here")
    names, defaults, none = cls.__struct_fields__, cls.__struct_defaults__, load("msgspec").NODEFAULT
    # Defaults are listed for the last fields, with a word of its own for those among them that have none.
    known = [*[none] * (len(names) - len(defaults)), *defaults]
    rows = zip(cls.__struct_encode_fields__, names, (NOTHING if each is none else each for each in known), strict=True)
    fields = [Field(encoded, hints[name], default, name) for encoded, name, default in rows]
    config = cls.__struct_config__
    tag = [] if config.tag is None else [Field(config.tag_field, Literal[config.tag], NOTHING, "")]
    return (*tag, *fields)


def parameter_fields(
    function: Callable[..., Any], plain: Any, name: str, skip: Collection[str] = ()
) -> tuple[Field, ...]:
    """Return the parameters of a function. The annotations of those to skip are not evaluated.

    Args:
        function: What is called.
        plain: The plain function in it. Annotations are evaluated in its module: a decorator copies the annotations of
            a function, but not the globals.
        name: What to call it in errors.
        skip: Names of parameters to leave out. They may be imported for type checkers only.
    """
    annotations = getattr(plain, "__annotations__", {})
    wanted = {key: hint for key, hint in annotations.items() if key not in {*skip, "return"}}
    return _call_fields(function, name, evaluated(plain, wanted, plain.__globals__), skip)


def _call_fields(
    call: Callable[..., Any], name: str, hints: Mapping[str, Any], skip: Collection[str] = ()
) -> tuple[Field, ...]:
    fields: list[Field] = []
    for parameter in [p for p in inspect.signature(call).parameters.values() if p.name not in skip]:
        hint, where = hints.get(parameter.name, NOTHING), f"{name}.{parameter.name}"
        if parameter.kind is parameter.VAR_KEYWORD and getattr(get_origin(hint), "__name__", "") == "Unpack":
            fields += object_fields(get_args(hint)[0])
            continue
        if hint is NOTHING and parameter.name in {"self", "cls"}:
            raise ConfigError(where, "a method has its object later; declare tool(object.method), or annotate it")
        if parameter.kind not in _PASSED_BY_NAME or hint is NOTHING:
            raise ConfigError(where, f"expected a type annotation and {BY_NAME}")
        if is_field(parameter.default):
            raise ConfigError(where, "pydantic's Field is no default here; write Annotated[…, Field(…)] = …")
        fields.append(Field(parameter.name, hint, parameter.default, parameter.name))
    return tuple(fields)


def _hints(cls: Any) -> dict[str, Any]:
    """Return the evaluated annotations of a class, with type arguments in the place of type variables."""
    origin, arguments = get_origin(cls) or cls, _type_arguments(cls)
    everywhere = {variable: type_ for values in arguments.values() for variable, type_ in values.items()}
    hints: dict[str, Any] = {}
    for base in reversed(origin.__mro__):
        # The same variable may mean one type in a class, and another in its base.
        values = {**everywhere, **arguments.get(base, {})}
        own = evaluated(base, vars(base).get("__annotations__", {}))
        hints |= {name: filled(hint, values) for name, hint in own.items()}
    return hints


def _type_arguments(cls: Any) -> dict[Any, dict[Any, Any]]:
    """Return for a class and each of its bases what its type variables stand for."""
    origin = get_origin(cls) or cls
    values = dict(zip(getattr(origin, "__parameters__", ()), get_args(cls), strict=False))
    found = {origin: values}
    for base in vars(origin).get("__orig_bases__", origin.__bases__):
        # Those two only declare the variables, and `NamedTuple` and `TypedDict` are functions.
        if get_origin(base) not in {Generic, Protocol} and isinstance(get_origin(base) or base, type):
            found = {**_type_arguments(filled(base, values)), **found}
    return found


def filled(hint: Any, values: Mapping[Any, Any]) -> Any:
    """Put types in the place of type variables."""
    if isinstance(hint, TypeVar):
        return values.get(hint, hint)
    wanted = getattr(hint, "__parameters__", ())
    # A generic class without arguments stays as it is.
    return hint[tuple(values.get(each, each) for each in wanted)] if wanted and get_origin(hint) else hint
