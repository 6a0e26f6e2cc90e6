"""Constraints and descriptions in ``Annotated``, as annotated_types, pydantic and msgspec write them.

Each constraint goes into the schema and into the check, or it is refused by its name. None of these packages is imported.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

import attrs

from openai_codex._schemas.form import Form, Schema, ValidationError, beside, type_name
from openai_codex.errors import ConfigError

Limit: TypeAlias = tuple[str, Any]
"""A constraint by the name that all three packages have for it, and its bound."""

_PACKAGES = {"annotated_types", "pydantic", "pydantic_core", "msgspec"}

# Text about a type, and settings that ask for what is done anyway.
_WORDS = {"description", "documentation", "title", "examples"}
_SETTLED: Sequence[Limit] = (("strict", True), ("allow_inf_nan", False))
# What the notes have beside constraints. Other members of pydantic's ``Field`` are about models.
_META = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern", "tz", "extra_json_schema")
_FIELD = ("default", "default_factory", "alias", "validation_alias", "discriminator", "json_schema_extra")
_UNSET = {"PydanticUndefinedType", "NoneType"}

# What a regular expression has in Python only.
_PYTHON_ONLY = re.compile(r"\(\?(?:P[<=>]|#|[aiLmsux-]+[:)]|\()|\\[AZz]")


def notes_of(notes: Iterable[Any], path: str) -> tuple[list[str], list[Limit]]:
    """Return the descriptions and the constraints among the notes of ``Annotated``.

    Notes of other packages are ignored, as `Annotated` asks for. Raises `ConfigError` for a constraint that is not known.
    """
    texts: list[str] = []
    limits: list[Limit] = []
    for note in notes:
        texts += [note] if isinstance(note, str) else filter(None, [_text(note)])
        if _is_from(note, _PACKAGES):
            limits += _limits(note, path)
    return texts, limits


def is_field(value: Any) -> bool:
    """Whether a value is pydantic's ``Field``, which as a default is understood by pydantic's own models only."""
    return type(value).__name__ == "FieldInfo" and _is_from(value, _PACKAGES)


def _is_from(note: Any, packages: set[str]) -> bool:
    cls = note if isinstance(note, type) else type(note)
    return any(base.__module__.partition(".")[0] in packages for base in cls.__mro__)


def _text(note: Any) -> str | None:
    # ``documentation`` is the word of `typing_extensions.Doc`.
    found = getattr(note, "documentation", None) or (_is_from(note, _PACKAGES) and getattr(note, "description", None))
    return found if isinstance(found, str) else None


def _limits(note: Any, path: str) -> Iterator[Limit]:
    is_group = hasattr(note, "__is_annotated_types_grouped_metadata__")
    kind = type_name(note if isinstance(note, type) else type(note))
    parts: Any = note if is_group else note.metadata if kind == "FieldInfo" else ()
    for part in parts:
        yield from () if part is None else _limits(part, path)
    for name, bound in () if is_group else _members(note, kind):
        # Of this note, None has a meaning: no offset.
        is_set = type(bound).__name__ not in _UNSET or kind == "Timezone"
        if name == "discriminator" and isinstance(bound, str):
            continue  # members of a union are told apart by their literals anyway
        if is_set and name not in _WORDS and (name, bound) not in _SETTLED:
            if name not in _RULES:
                advice = "use a class that checks it in its constructor, or a model of pydantic"
                raise ConfigError(
                    path, f"{kind.removesuffix('Info')}({name}=…) has no place in a JSON schema; {advice}"
                )
            yield name, bound


def _members(note: Any, kind: str) -> Iterable[tuple[str, Any]]:
    slots = (name for cls in type(note).__mro__ for name in cls.__dict__.get("__slots__", ()))
    names = {"Meta": _META, "FieldInfo": _FIELD}.get(kind) or [*getattr(note, "__dict__", ()), *slots]
    # A class, or a note without members, has its meaning in its name.
    return [(name, getattr(note, name, None)) for name in names if not isinstance(note, type)] or [(kind, ...)]


class _Rule(NamedTuple):
    """How one constraint is written and checked.

    Attributes:
        keywords: Its keyword in JSON schema by the sort of the values; "" if only words can say it.
        holds: Whether a value keeps to the bound.
        words: The constraint in words.
        is_bound: Whether a value can be a bound for this sort of values.
        tighter: Which of two bounds holds, if the constraint is given twice.
    """

    keywords: Mapping[Any, str]
    holds: Callable[[Any, Any], object]
    words: str
    is_bound: Callable[[Any, Any], bool]
    tighter: Callable[[Any, Any], Any] | None = None


def _is_multiple(value: float, unit: float) -> bool:
    # As they are written: 0.3 is a multiple of 0.1.
    return Fraction(str(value)) % Fraction(str(unit)) == 0


def _digits(value: Decimal) -> tuple[int, int]:
    """Return how many digits a number has, and how many of them are behind the point. Zeros at its end do not count."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "what is no number was refused"
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0") if exponent < 0 else text
    places = max(0, -exponent - (len(text) - len(kept))) if kept else 0
    return max(len(kept), places) + max(0, exponent), places


def _is_long(value: Any, bound: int) -> bool:
    return len(value) >= bound


def _is_short(value: Any, bound: int) -> bool:
    return len(value) <= bound


def _matches(value: str, pattern: str) -> bool:
    return re.search(pattern, value) is not None


def _has_digits(value: Decimal, bound: int) -> bool:
    return _digits(value)[0] <= bound


def _has_places(value: Decimal, bound: int) -> bool:
    return _digits(value)[1] <= bound


def _is_amount(bound: Any, sort: Any) -> bool:
    numbers = (int, float, Decimal) if sort is Decimal else (int, float)
    return type(bound) is sort or ((sort is Decimal or sort == "number") and type(bound) in numbers and isfinite(bound))


def _is_unit(bound: Any, sort: Any) -> bool:
    return _is_amount(bound, sort) and bound > 0


def _is_length(bound: Any, _sort: Any) -> bool:
    return type(bound) is int and bound >= 0


def _is_pattern(bound: Any, _sort: Any) -> bool:
    try:
        return isinstance(bound, str) and not _PYTHON_ONLY.search(bound) and bool(re.compile(bound))
    except re.error:
        return False


_ORDERED = dict.fromkeys((Decimal, datetime, date, time, timedelta), "")
_SIZES = (("text", "Length"), ("items", "Items"), ("keys", "Properties"))
_LEAST: Mapping[Any, str] = {sort: f"min{word}" for sort, word in _SIZES}
_MOST: Mapping[Any, str] = {sort: f"max{word}" for sort, word in _SIZES}
_RULES: Mapping[str, _Rule] = {
    "gt": _Rule({"number": "exclusiveMinimum", **_ORDERED}, operator.gt, "greater than {}", _is_amount, max),
    "ge": _Rule({"number": "minimum", **_ORDERED}, operator.ge, "at least {}", _is_amount, max),
    "lt": _Rule({"number": "exclusiveMaximum", **_ORDERED}, operator.lt, "less than {}", _is_amount, min),
    "le": _Rule({"number": "maximum", **_ORDERED}, operator.le, "at most {}", _is_amount, min),
    "multiple_of": _Rule({"number": "multipleOf", Decimal: ""}, _is_multiple, "a multiple of {}", _is_unit),
    "min_length": _Rule(_LEAST, _is_long, "length at least {}", _is_length, max),
    "max_length": _Rule(_MOST, _is_short, "length at most {}", _is_length, min),
    "pattern": _Rule({"text": "pattern"}, _matches, "matching {}", _is_pattern),
    "max_digits": _Rule({Decimal: ""}, _has_digits, "at most {} digits", _is_length, min),
    "decimal_places": _Rule({Decimal: ""}, _has_places, "at most {} digits behind the point", _is_length, min),
}


def constrained(form: Form, limits: Iterable[Limit], path: str) -> Form:
    """Put constraints into a form. Raises `ConfigError` for one that does not apply to its type, and for a bad bound."""
    bounds: dict[str, Any] = {}
    for name, given in limits:
        # Other flags than those of every text have no place in a schema.
        bound = given.pattern if isinstance(given, re.Pattern) and given.flags == re.UNICODE else given
        rule = _RULES[name]
        if form.sort not in rule.keywords:
            raise ConfigError(path, f"the constraint {name} does not apply to {form.name}")
        if not rule.is_bound(bound, form.sort):
            raise ConfigError(path, f"the constraint {name} of {form.name} cannot be {bound!r} in JSON schema")
        if bounds.get(name, bound) != bound and rule.tighter is None:
            raise ConfigError(path, f"the constraint {name} is given twice")
        bounds[name] = rule.tighter(bounds.get(name, bound), bound) if rule.tighter else bound
    for name, bound in bounds.items():
        form = _limited(form, _RULES[name], bound)
    return form


def _limited(form: Form, rule: _Rule, bound: Any) -> Form:
    words, keyword = rule.words.format(bound), rule.keywords[form.sort]

    def build(value: Any) -> Any:
        built = form.build(value)
        try:
            is_kept = rule.holds(built, bound)
        except TypeError:  # one of two moments has an offset, and the other has none
            is_kept = False
        if not is_kept:
            raise ValidationError(("", f"expected {form.name}, {words}"))
        return built

    schema = {**form.schema, keyword: bound} if keyword else described(form.schema, words)
    return attrs.evolve(form, schema=schema, build=build)


def described(schema: Schema, text: str) -> Schema:
    """Add a description to a schema, in front of the one that it has."""
    known = [schema["description"]] if "description" in schema else []
    return beside(schema, {"description": "; ".join([text, *known])})
