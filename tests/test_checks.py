"""The settings that are made before there is a client: what cannot work is refused, by name."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, ConfigError, Journal, Restart, retry_on_overload, tool
from openai_codex import _checks as checks
from openai_codex._runtime.toml import to_arguments

NO_TEXTS = [3, True, b"x", ["x"], "\ud800", "a\0b"]
NO_FLAGS = [0, 1, "yes", None]
NO_SECONDS = [True, 0, -1, math.nan, math.inf, "5", 1j, None]

CONFIG: dict[str, list[Any]] = {
    "codex_bin": NO_TEXTS,
    "launch_args_override": ["codex", b"codex", 3, (), [], ["codex", 3], ["a\0b"], {"codex": 1}],
    "config_overrides": ["a=1", 3, None, ["a"], [3], ["a=\0"], {"a": None}, {"a": {"b": [None]}}, {3: 1}, {"a b": 1}],
    "cwd": NO_TEXTS,
    "inherit_env": [3, None, "PATH", b"PATH", {"PATH": "x"}, ["A", 3], ["A\0"]],
    "env": [3, "A=1", ["A"], {"A": 1}, {3: "x"}, {"": "x"}, {"A=B": "x"}, {"A": "\0"}, {"A": "\ud800"}],
    "client_name": [*NO_TEXTS, None],
    "client_title": [*NO_TEXTS, None],
    "client_version": [*NO_TEXTS, None],
    "experimental_api": NO_FLAGS,
    "strict_config": NO_FLAGS,
    "start_timeout": NO_SECONDS,
    "request_timeout": NO_SECONDS,
    "shutdown_timeout": NO_SECONDS,
    "handler_timeout": NO_SECONDS[:-1],
    "ping_interval": [value for value in NO_SECONDS if value is not None],
    "ping_timeout": NO_SECONDS,
    "max_in_flight": [True, 0, -1, 101, 1.0, "5", None],
    "max_line_bytes": [True, 0, 65_535, -1, 1e6, "5", None],
    "restart": [0, 1, "yes", {}],
    "endpoint": [
        *(value for value in NO_TEXTS if value != ""),
        "",
        "127.0.0.1:4500",
        "http://127.0.0.1:4500",
        "ws://",
        "ws://:4500",
        "ws://h:0",
        "ws://h:65536",
        "ws://h:x",
        "ws://user:secret@h:1",
        "ws://h:1/?token=x",
        "ws://h:1/#x",
        "ws://[x",
        "unix://",
        "unix:///",
        "unix://relative/path",
        "ws://h\0:1",
    ],
    "token": [3, True, b"x", ["x"], "", " ", "a b", "x\n", "ä"],
    "token_env": [3, True, b"x", ["x"], "", "A=B", "A\0"],
    "journal": [3, True, b"x", ["x"], "\ud800", "a\0b", ""],
    "otel": [
        None,
        0,
        1,
        2.5,
        b"x",
        [],
        "",
        "yes",
        "localhost:4318",
        "ftp://h/",
        "http://",
        "http://[x",
        "\ud800",
        "a\0b",
    ],
}
JOURNAL: dict[str, list[Any]] = {
    "path": [3, True, b"x", None, "\ud800", "a\0b", ""],
    "max_bytes": [True, 0, 65_535, -1, 1e6, "5", None],
    "files": [True, 0, -1, 1.5, "5", None],
    "directory_bytes": [True, 0, 65_535, -1, 1e6, "5", None],
    "content": ["", "KEEP", None, 3],
    "redact": ["token", b"x", 3, None, [3], [""]],
}
RESTART: dict[str, list[Any]] = {
    "limit": [True, -1, 2.5, "5", math.nan],
    "initial_delay": [True, -1, math.nan, math.inf, "5", None],
    "max_delay": [True, -1, math.nan, math.inf, "5", None],
    "settled_after": [True, -1, math.nan, math.inf, "5", None],
    "max_rss": [True, 0, -1, 1.5, "5", math.inf],
    "max_threads": [True, 0, -1, 2.5, "5"],
    "drain_timeout": [True, -1, math.nan, math.inf, "5", None],
}
RETRY: dict[str, list[Any]] = {
    "op": [3, None, "x"],
    "max_attempts": [True, 0, -1, 1.5, "5", None],
    "initial_delay_s": [True, -1, math.nan, math.inf, "5", None],
    "max_delay_s": [True, -1, math.nan, math.inf, "5", None],
    "jitter_ratio": [True, -0.1, 1.1, math.nan, "5", None],
    "timeout": [True, -1, math.nan, "5"],
}


def refused(table: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(name, bad, id=f"{name}-{index}") for name in table for index, bad in enumerate(table[name])]


def test_the_tables_name_every_setting() -> None:
    assert set(CONFIG) == {each.name for each in AppServerConfig.__attrs_attrs__}
    assert set(RESTART) == {each.name for each in Restart.__attrs_attrs__}
    assert set(JOURNAL) == {each.name for each in Journal.__attrs_attrs__}


@pytest.mark.parametrize(("name", "bad"), refused(CONFIG))
def test_a_configuration_refuses_what_cannot_work(name: str, bad: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{name}.*: expected .*, got ") as caught:
        AppServerConfig(**{name: bad})
    assert caught.value.what.startswith(name)


@pytest.mark.parametrize(("name", "bad"), refused(RESTART))
def test_a_restart_refuses_what_cannot_work(name: str, bad: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^restart\.{name}: expected .*, got "):
        Restart(**{name: bad})


@pytest.mark.parametrize(("name", "bad"), refused(JOURNAL))
def test_a_journal_refuses_what_cannot_work(name: str, bad: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^journal\.{name}.*: expected .*, got "):
        Journal(**{"path": "x", name: bad})


@pytest.mark.parametrize(("name", "bad"), refused(RETRY))
def test_a_retry_refuses_what_cannot_work_before_the_first_attempt(name: str, bad: Any) -> None:
    attempts: list[int] = []
    with pytest.raises(ConfigError, match=f"^{name}: expected .*, got "):
        retry_on_overload(**{"op": lambda: attempts.append(1), name: bad})
    assert attempts == []


@pytest.mark.parametrize("bad", [True, 0, -1, math.nan, math.inf, "5"])
def test_a_tool_refuses_a_timeout_that_is_not_a_duration(bad: Any) -> None:
    def look() -> None: ...

    with pytest.raises(ConfigError, match=r"look\.timeout: expected a finite number of seconds, above 0, got "):
        tool(look, timeout=bad)


def test_a_value_of_the_environment_is_not_shown() -> None:
    for bad in (b"hush", ["hush"], "hush\0", "hush\ud800"):
        with pytest.raises(ConfigError) as caught:
            AppServerConfig(env={"KEY": bad})  # type: ignore[dict-item]  # on purpose
        assert "hush" not in str(caught.value)


def test_paths_may_be_path_objects() -> None:
    config = AppServerConfig(codex_bin=Path("/b"), cwd=Path("/c"), launch_args_override=[Path("/d"), "x"])
    assert (config.codex_bin, config.cwd, config.launch_args_override) == ("/b", "/c", ("/d", "x"))


def test_numbers_of_any_size_are_times() -> None:
    assert retry_on_overload(lambda: 1, timeout=10**400) == 1
    assert AppServerConfig(start_timeout=1).start_timeout == 1


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({"model": "x"}, ('model="x"',)),
        ({"features.plugins": False, "a": True}, ("features.plugins=false", "a=true")),
        (
            {"a": 1, "b": -0.5, "c": 1e300, "d": math.inf, "e": math.nan},
            ("a=1", "b=-0.5", "c=1e+300", "d=inf", "e=nan"),
        ),
        ({"a": ["x", 1, {"b": ()}]}, ('a=["x", 1, {b=[]}]',)),
        ({"t": {"a.b": {"c d": "é"}, "e-f_1": {}}}, ('t={"a.b"={"c d"="é"}, e-f_1={}}',)),
        ({"a": 'quo"te\\ \n\t\x00\x7f'}, ('a="quo\\"te\\\\ \\n\\t\\u0000\\u007f"',)),
        ({"p": Path("/x")}, ('p="/x"',)),
        ({}, ()),
    ],
)
def test_settings_as_a_mapping_are_written_as_toml(settings: dict[str, Any], arguments: tuple[str, ...]) -> None:
    assert to_arguments("config_overrides", settings) == arguments
    assert AppServerConfig(config_overrides=settings).config_overrides == arguments


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"a": None}, "config_overrides['a']"),
        ({"a": {"b": [1, None]}}, "config_overrides['a']['b'][1]"),
        ({"a": 2**63}, "config_overrides['a']"),
        ({"a": b"x"}, "config_overrides['a']"),
        ({"a": {"b": "\ud800"}}, "config_overrides['a']['b']"),
        ({"a": {3: 1}}, "config_overrides['a'] key"),
        ({"a..b": 1}, "config_overrides key"),
        ({'a."b"': 1}, "config_overrides key"),
        ({"a=b": 1}, "config_overrides key"),
    ],
)
def test_what_toml_has_no_value_for_is_refused_by_its_place(settings: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        to_arguments("config_overrides", settings)
    assert caught.value.what == where


@pytest.mark.parametrize(
    "secret", [b"4711", 4711, 4711.5, ["4711"], type("Key4711", (), {})()], ids=lambda value: type(value).__name__
)
def test_an_error_about_a_secret_that_is_no_text_does_not_show_it(secret: Any) -> None:
    with pytest.raises(ConfigError, match=f"expected a str, got {type(secret).__name__}") as caught:
        checks.secret("key", secret)
    assert "4711" not in str(caught.value).replace("Key4711", "")
