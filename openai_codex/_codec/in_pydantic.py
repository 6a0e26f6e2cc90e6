"""How values of this package are fields of a pydantic model, as they can be of the published SDK. Loaded by pydantic only."""

from __future__ import annotations

from typing import Any

from openai_codex._codec.model import Model
from openai_codex._runtime.imports import load

_OPTIONS = ("mode", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none")


def core_schema(cls: type[Model]) -> Any:
    """Return the schema of pydantic for a class: values are read by its ``model_validate`` and dumped by ``model_dump``."""
    # Not imported: this package does not need pydantic.
    core = load("pydantic_core.core_schema")
    dumped = core.plain_serializer_function_ser_schema(_dumped, info_arg=True)
    return core.no_info_plain_validator_function(cls.model_validate, serialization=dumped)


def _dumped(value: Any, info: Any) -> Any:
    # In a union, pydantic tries the serializer of each member.
    return value.model_dump(**{name: getattr(info, name) for name in _OPTIONS}) if isinstance(value, Model) else value
