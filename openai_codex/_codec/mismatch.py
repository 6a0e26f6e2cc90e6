"""A JSON value of the wrong kind, and what the kinds are called."""

from __future__ import annotations

from types import NoneType

JSON_KINDS: dict[type, str] = {
    NoneType: "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "array",
    dict: "object",
}
"""Python type of a decoded value → what it is called in messages."""


class TypeMismatchError(TypeError):
    """A value of the wrong kind."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, found {JSON_KINDS.get(type(value), type(value).__name__)}")
