"""What a step is: a function of a kit and a client that uses it, which raises if the runtime does not do its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex import Codex, ConfigError, MethodNotFoundError
from openai_codex.testing import offline

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.testing import OfflineKit

    Act = Callable[[OfflineKit, Codex], object]

PATIENCE = 60.0
"""The longest that a turn may take, in seconds."""

STEPS: dict[str, Step] = {}
"""All steps by their names, in the order of the table."""


@attrs.frozen
class Step:
    """One thing that programs do.

    Attributes:
        name: What it is called in the table.
        act: Does it, and raises if the outcome is not the right one.
        home: Options of the home; see `HomeOptions`.
        client: Arguments of the client.
    """

    name: str
    act: Act
    home: dict[str, Any]
    client: dict[str, Any]

    def run(self, gap: str | None) -> str:
        """Run it on the runtime that ``OPENAI_CODEX_BIN`` names; return what went wrong, empty if nothing.

        ``gap`` is what the runtime does not have: a method, so that the step has to end with the error that says so, or
        anything else, so that it is refused or its outcome is wrong.
        """
        try:
            with offline(**self.home) as kit, Codex(kit.config, **self.client) as codex:
                self.act(kit, codex)
        except MethodNotFoundError as error:
            return "" if error.method == gap else str(error)
        except (AssertionError, ConfigError) as error:
            is_expected = gap is not None and "/" not in gap.partition(" ")[0]
            return "" if is_expected else f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs in the table
            return f"{type(error).__name__}: {error}"
        return "" if gap is None else f"the runtime has {gap} after all"


def step(name: str, *, client: dict[str, Any] | None = None, **home: Any) -> Callable[[Act], Act]:
    """Add a function to the steps."""

    def add(act: Act) -> Act:
        assert name not in STEPS, f"two steps are called {name}"
        STEPS[name] = Step(name, act, home, client or {})
        return act

    return add
