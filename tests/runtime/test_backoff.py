"""The count of deaths, and what the setting takes."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, ConfigError, Restart
from openai_codex._runtime.backoff import RestartBackoff


def test_the_delay_doubles_up_to_the_longest_and_never_overflows() -> None:
    deaths = RestartBackoff(Restart(limit=None, initial_delay=0.1, max_delay=1.0))
    delays = []
    for _ in range(3_000):
        deaths.add_failed_start()
        delays.append(deaths.delay())
    assert delays[:5] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert set(delays[5:]) == {1.0}


def test_a_long_life_ends_the_succession() -> None:
    deaths = RestartBackoff(Restart(limit=1, settled_after=60))
    for generation, lifetime in enumerate((1.0, 61.0, 1.0), 1):
        deaths.add_death(generation, lifetime)
        deaths.add_death(generation, lifetime)  # reported twice, counted once
    assert deaths.count == 2
    assert deaths.is_exhausted()


@pytest.mark.parametrize(
    ("setting", "policy"), [(None, None), (False, None), (True, Restart()), (Restart(limit=2), Restart(limit=2))]
)
def test_a_yes_means_the_defaults(setting: Restart | bool | None, policy: Restart | None) -> None:
    assert AppServerConfig(restart=setting).restart == policy


@pytest.mark.parametrize(
    "settings",
    [{"limit": -1}, {"limit": 2.5}, {"initial_delay": -1}, {"max_delay": float("inf")}, {"settled_after": "x"}],
)
def test_what_cannot_work_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="restart"):
        Restart(**settings)  # type: ignore[arg-type]  # what is tested


def test_another_kind_of_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="restart: expected a Restart, a bool or None, got 3"):
        AppServerConfig(restart=3)  # type: ignore[arg-type]  # what is tested
