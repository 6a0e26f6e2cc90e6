# Derived from openai_codex/_async/operations.py by `python -m tools.unasync`; do not edit.
"""What threads and verbs do, and the handles that they return: loaded when it is used first.

A program can so import the client for little, and the runtime boots while the rest is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._runtime.imports import names

if TYPE_CHECKING:
    from openai_codex._sync.events import Events as Events
    from openai_codex._sync.goal_run import run_goal as run_goal
    from openai_codex._sync.loading import LoadRequest as LoadRequest
    from openai_codex._sync.loading import load_thread as load_thread
    from openai_codex._sync.login import ChatgptLoginHandle as ChatgptLoginHandle
    from openai_codex._sync.login import DeviceCodeLoginHandle as DeviceCodeLoginHandle
    from openai_codex._sync.login import start_device_code_login as start_device_code_login
    from openai_codex._sync.login import start_login as start_login
    from openai_codex._sync.running import Limits as Limits
    from openai_codex._sync.running import run_turn as run_turn
    from openai_codex._sync.running import start_or_join as start_or_join
    from openai_codex._sync.running import start_turn as start_turn
    from openai_codex._sync.turn import TurnHandle as TurnHandle
    from openai_codex._turns.effective import EffectiveSettings as EffectiveSettings
    from openai_codex._turns.stops import TurnStop as TurnStop
    from openai_codex._turns.tree_stops import stop_thread as stop_thread

HOMES = {
    "Events": f"{__package__}.events",
    "run_goal": f"{__package__}.goal_run",
    "LoadRequest": f"{__package__}.loading",
    "load_thread": f"{__package__}.loading",
    "ChatgptLoginHandle": f"{__package__}.login",
    "DeviceCodeLoginHandle": f"{__package__}.login",
    "start_device_code_login": f"{__package__}.login",
    "start_login": f"{__package__}.login",
    "Limits": f"{__package__}.running",
    "run_turn": f"{__package__}.running",
    "start_or_join": f"{__package__}.running",
    "start_turn": f"{__package__}.running",
    "TurnHandle": f"{__package__}.turn",
    "EffectiveSettings": "openai_codex._turns.effective",
    "TurnStop": "openai_codex._turns.stops",
    "stop_thread": "openai_codex._turns.tree_stops",
}

__getattr__ = names(__name__, HOMES)
