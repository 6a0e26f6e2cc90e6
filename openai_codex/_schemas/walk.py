"""The one walk over types: each kind of type has a row in a table, which makes its form out of those of its parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, Flag
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from openai_codex._schemas.constraints import Limit, constrained, described, notes_of
from openai_codex._schemas.containers import CONTAINERS, map_form
from openai_codex._schemas.definitions import Definitions, docstring, shown_default
from openai_codex._schemas.fields import Field, filled, object_fields, parameter_fields, peel
from openai_codex._schemas.foreign import foreign_form
from openai_codex._schemas.form import (
    ABSENT,
    Form,
    Schema,
    ValidationError,
    WrongKindError,
    beside,
    call,
    closed_object,
    read_all,
    referred,
    type_name,
)
from openai_codex._schemas.leaves import LEAVES, PLAIN
from openai_codex._schemas.scopes import alias_value
from openai_codex._schemas.strict import flat_text
from openai_codex.errors import ConfigError

_DICT = frozenset({dict})


class Walk:
    """One walk over a type. It collects the classes it meets as definitions, and refers to them from then on.

    In strict form, as providers require it of answers, all fields are required, and there is no type with values of any
    kind or with arbitrary keys. Answers without a field that has a default are accepted anyway.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.forms: dict[Any, Form] = {}
        """The classes that were met, and the aliases that the walk is in."""
        self.definitions = Definitions()
        self.owners: list[Any] = []
        """The classes that the walk is in, the innermost last."""

    def form(self, type_: Any, path: str, limits: Sequence[Limit] = ()) -> Form:
        """Return the form of a type; its schema may refer to definitions.

        Args:
            type_: The type.
            path: Its place, for errors.
            limits: Constraints from outside.

        Raises:
            ConfigError: The type has no form, or a constraint does not apply to it.
        """
        inner, notes = peel(type_)
        texts, more = notes_of(notes, path)
        make, within = _row(inner), [*more, *limits]
        if make is None or (self.strict and make in _LOOSE):
            raise ConfigError(path, f"{type_name(inner)} has no {'strict ' if make else ''}JSON schema")
        if make in _PASSING:
            form: Form = make(self, inner, path, within)
        else:
            form = constrained(make(self, inner, path), within, path)
            form = attrs.evolve(form, schema=flat_text(form.schema, path)) if self.strict and within else form
        return attrs.evolve(form, schema=described(form.schema, texts[0])) if texts else form

    def properties(self, parts: _Parts, fields: Sequence[Field], path: str) -> Schema:
        """Return the schema of an object, and append its fields to those of its form."""
        parts += [(field, self.form(field.type, f"{path}.{field.name}")) for field in fields]
        # Providers refuse the keyword ``default`` in strict schemas.
        shown = {f.name: beside(part.schema, {} if self.strict else shown_default(f.default)) for f, part in parts}
        return closed_object(shown, [field.name for field in fields if self.strict or field.required])


def arguments_form(function: Callable[..., Any], plain: Any, name: str, skip: Collection[str] = ()) -> Form:
    """Return the form of a call's arguments, read as a dict by name. For the arguments see `parameter_fields`.

    Raises `ConfigError` for a parameter without a type annotation, and for one that cannot be passed by name.
    """
    walk, parts = Walk(strict=False), _Parts()
    schema = walk.properties(parts, parameter_fields(function, plain, name, skip), name)
    # Errors that the model reads contain its name.
    return _object_form("object", walk.definitions.whole(schema), dict, parts, "argument")


# -- The rows.


def _anything(_walk: Walk, type_: Any, _path: str) -> Form:
    return Form(type_name(type_), {}, lambda value: value)


def _leaf(_walk: Walk, type_: Any, _path: str) -> Form:
    return attrs.evolve(LEAVES[type_], schema=dict(LEAVES[type_].schema))


def _choice(_walk: Walk, type_: Any, path: str) -> Form:
    members: tuple[Any, ...] = get_args(type_) or tuple(type_)
    if any(isinstance(member, Flag) for member in members):
        raise ConfigError(path, f"{type_name(type_)} has values that are combinations; use a list of another enum")
    known = [(member.value if isinstance(member, Enum) else member, member) for member in members]
    kinds = list(dict.fromkeys(type(value) for value, _ in known))
    if not kinds or not set(kinds) <= set(PLAIN):
        raise ConfigError(path, f"expected values of str, int, float, bool or None, got {type_name(type_)}")
    names = [LEAVES[each].schema["type"] for each in kinds]

    def build(value: Any) -> Any:
        for plain, member in known:
            with suppress(ValidationError):
                # By its own reader, because True equals 1 in Python.
                if LEAVES[type(plain)].read(value) == plain:
                    return member
        raise ValueError

    schema = {"type": names[0] if len(names) == 1 else names, "enum": [value for value, _ in known]}
    return Form(type_name(type_), schema, build)


def _union(walk: Walk, type_: Any, path: str, limits: Sequence[Limit]) -> Form:
    # A constraint is about the values, not about their absence.
    members = [walk.form(each, path, () if each is NoneType else limits) for each in get_args(type_)]

    def build(value: Any) -> Any:
        errors: list[ValidationError] = []
        for member in sorted(members, key=lambda member: member.distance(value)):
            try:
                return member.read(value)
            except ValidationError as error:
                errors.append(error)
        # Report the closest member: the one with the fewest problems.
        close = [error for error in errors if not isinstance(error, WrongKindError)]
        raise min(close, key=lambda error: len(error.problems), default=WrongKindError(type_name(type_), value))

    return Form(type_name(type_), {"anyOf": [member.schema for member in members]}, build)


_Parts = list[tuple[Field, Form]]


def _object_form(name: str, schema: Schema, make: Callable[..., Any], parts: _Parts, closed: str = "") -> Form:
    """Return the form of an object. Its parts may be appended later, because they may refer to the form itself.

    ``closed`` is the word for a part; with none, unknown ones are ignored.
    """

    def build(value: dict[str, Any]) -> Any:
        unknown = value.keys() - {field.name for field, _ in parts} if closed else ()
        sent = [(field, form) for field, form in parts if field.required or field.name in value]
        read = read_all(
            ((f".{field.name}", form, value.get(field.name, ABSENT)) for field, form in sent),
            ((f".{each}", f"unknown {closed}") for each in sorted(unknown)),
        )
        return call(make, **{f.argument: part for (f, _), part in zip(sent, read, strict=True) if f.argument})

    return Form(name, schema, build, _DICT, names=lambda: [field.name for field, _ in parts])


def _object(walk: Walk, type_: Any, path: str) -> Form:
    cls, parts = get_origin(type_) or type_, _Parts()
    if _key(type_) in walk.forms:
        return walk.forms[_key(type_)]
    ref = walk.definitions.reserve(type_name(type_))
    # Before its fields are visited, because they may refer to it.
    form = walk.forms[_key(type_)] = _object_form(type_name(type_), {"$ref": ref}, cls, parts, _word(walk, cls))
    walk.owners.append(type_)
    walk.definitions.complete(ref, {**walk.properties(parts, object_fields(type_), path), **docstring(cls)})
    walk.owners.pop()
    return form


def _word(walk: Walk, cls: Any) -> str:
    # The schemas of answers are closed, too, but a model that adds to its answer has given it all the same. A tool would
    # be called without what was sent.
    config = getattr(cls, "__struct_config__", None)
    return "field" if not walk.strict or (config and config.forbid_unknown_fields) else ""


def _key(type_: Any) -> Any:
    try:
        hash(type_)
    except TypeError:  # a note in its arguments has no hash
        return repr(type_)
    return type_


def _self(walk: Walk, _type: Any, path: str) -> Form:
    if not walk.owners:
        raise ConfigError(path, "Self has no JSON schema outside of a class")
    return walk.form(walk.owners[-1], path)


def _foreign(walk: Walk, type_: Any, path: str) -> Form:
    if _key(type_) not in walk.forms:
        form, definitions = foreign_form(type_, path, strict=walk.strict)
        walk.forms[_key(type_)] = attrs.evolve(form, schema=referred(form.schema, walk.definitions.adopt(definitions)))
    return walk.forms[_key(type_)]


def _alias(walk: Walk, type_: Any, path: str, limits: Sequence[Limit]) -> Form:
    if _key(type_) in walk.forms:  # it is within itself
        form = walk.forms[_key(type_)]
        form.schema = form.schema or {"$ref": walk.definitions.reserve(type_name(type_))}
        return form
    alias = get_origin(type_) or type_
    value = filled(alias_value(alias), dict(zip(alias.__type_params__, get_args(type_), strict=True)))
    inside = walk.forms[_key(type_)] = Form(type_name(type_), {}, lambda value: form.read(value))  # noqa: PLW0108  made below
    form = walk.form(value, path, limits)
    del walk.forms[_key(type_)]
    if not inside.schema:
        return form
    if limits:
        raise ConfigError(path, f"{type_name(type_)} contains itself, so it takes no constraints")
    walk.definitions.complete(inside.schema["$ref"], form.schema)
    return inside


_ROWS: Mapping[Any, Any] = {
    **dict.fromkeys(LEAVES, _leaf),
    **dict.fromkeys((Union, UnionType), _union),
    **CONTAINERS,
    Literal: _choice,
    Any: _anything,
}
# The attributes that identify the classes of each kind. What pydantic has made checks more than its fields.
_MARKS: Mapping[str, Any] = {
    **dict.fromkeys(("__pydantic_validator__", "model_json_schema"), _foreign),
    "__members__": _choice,
    **dict.fromkeys(("__attrs_attrs__", "__dataclass_fields__", "__required_keys__", "_fields"), _object),
    "__struct_fields__": _object,
    "__get_pydantic_core_schema__": _foreign,
}
# Rows of types with values of any kind or with arbitrary keys, which strict schemas do not have.
_LOOSE = {_anything, map_form}
# Rows that hand constraints on to their parts.
_PASSING = {_union, _alias}


def _row(type_: Any) -> Any:
    origin = get_origin(type_) or type_
    if type(origin).__name__ == "TypeAliasType":
        return _alias
    if getattr(type_, "_name", None) == "Self":
        return _self
    if isinstance(origin, Hashable) and origin in _ROWS:
        return _ROWS[origin]
    return next((row for mark, row in _MARKS.items() if isinstance(origin, type) and hasattr(origin, mark)), None)
