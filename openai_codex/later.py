"""The answer that is no answer yet: what a handler returns for a request that the program answers afterwards."""

from __future__ import annotations

from enum import Enum
from typing import Final, final


@final
class Later(Enum):
    """The type of `LATER`."""

    LATER = "LATER"

    def __repr__(self) -> str:
        return "LATER"


LATER: Final = Later.LATER
"""Return it from a handler to leave the request open; answer it with ``codex.answer(request.id, …)``, from any thread."""
