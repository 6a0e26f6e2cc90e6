"""JSON to protocol types and back: the functions that the rest of the package calls, loaded on first use.

Loading the converter takes longer than a runtime needs to start, so importing this package loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._runtime.imports import names

if TYPE_CHECKING:
    from openai_codex._codec.by_name import modelled as modelled
    from openai_codex._codec.by_name import request_of as request_of
    from openai_codex._codec.converter import prepare as prepare
    from openai_codex._codec.converter import structure as structure
    from openai_codex._codec.converter import structure_named as structure_named
    from openai_codex._codec.converter import structure_notification as structure_notification
    from openai_codex._codec.converter import structure_received as structure_received
    from openai_codex._codec.converter import structure_result as structure_result
    from openai_codex._codec.converter import structure_server_request as structure_server_request
    from openai_codex._codec.dumping import to_wire as to_wire
    from openai_codex._codec.unstructuring import unstructure as unstructure

_OF_CONVERTER = [
    "prepare",
    "structure",
    "structure_named",
    "structure_notification",
    "structure_received",
    "structure_result",
    "structure_server_request",
]
HOMES = {
    **dict.fromkeys(_OF_CONVERTER, "converter"),
    "modelled": "by_name",
    "request_of": "by_name",
    "to_wire": "dumping",
    "unstructure": "unstructuring",
}
"""Public name → the module of this package that has it."""


__getattr__ = names(__name__, {name: f"{__name__}.{home}" for name, home in HOMES.items()})
