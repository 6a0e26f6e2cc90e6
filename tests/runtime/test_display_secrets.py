"""Wherever a program puts a secret, no repr, error text or log line shows it or a part of it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    JsonRpcError,
    LaunchError,
    ProcessInfo,
    TransportClosedError,
    tool,
)
from openai_codex import _checks as checks
from openai_codex._journal.beginnings import may_hide
from openai_codex._log import Log
from openai_codex._runtime import toml
from openai_codex._runtime.display import conceal, conceal_later, escape, hide
from openai_codex._runtime.settings_secrets import secrets_of_settings, tokens_of
from openai_codex.testing import ScriptedModel, call, reply, say
from tests.support.bounds import PATIENCE

# Both ends of each secret are looked for: a text that shows only one of them shows a part.
FIRST, LAST = "q7Zx9W", "w4Vk8J"

NAMES = [
    "token", "API_KEY", "apiKey", "x-api-key", "client_secret", "PASSWORD", "passwd", "passphrase", "Authorization",
    "bearer_token", "credentials", "cookie", "dsn", "pwd", "jwt", "signature", "DB_PASS", "GITHUB_PAT", "basic_auth",
]  # fmt: skip
PLAIN = ["a", "mcp_servers", "model_providers", "docs", "x-1", "command"]
TABLES = ["env", "http_headers", "query_params", "secrets"]

secrets = st.builds(f"{FIRST}{{}}{LAST}".format, st.text(st.characters(codec="utf-8", exclude_characters="\0")))
in_urls = st.builds(f"{FIRST}{{}}{LAST}".format, st.text("abcXYZ019._~!$&*()+;=:@%-", max_size=12))
names, plain, tables = st.sampled_from(NAMES), st.sampled_from(PLAIN), st.sampled_from(TABLES)


def nested(leaf: Any) -> Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]]:
    """Return what puts a value into lists and tables between harmless neighbours."""
    return lambda inner: st.one_of(
        st.builds(lambda value: [leaf, value, leaf], inner),
        st.builds(lambda key, value: {"first": leaf, key: value, "last": [leaf, {"b": True}]}, plain, inner),
    )


def below_a_secret_key(secret: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(secret, nested("x"), max_leaves=2)
    return st.one_of(st.builds(lambda key, value: {key: value}, st.one_of(names, tables), values))


def settings_with(secret: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return settings of any depth with a secret in them."""
    found = st.one_of(
        below_a_secret_key(secret),
        st.builds(lambda name, value: {"args": ["-v", f"--{name}={value}", "x"]}, names, secret),
        st.builds(lambda name, value: {"args": ["-v", f"--{name}", value, "x"]}, names, secret),
        st.builds(lambda name, value: {"args": ["-H", f"{name}: {value}"]}, names, secret),
        st.builds(lambda name, value: {"args": [json.dumps({"a": 1, name: value})]}, names, secret),
        st.builds(lambda value: {"url": f"https://me:{quote(value)}@host/path?x=1"}, secret),
    )
    inner = st.recursive(found, nested({"env_key": "NAME", "n": 1}), max_leaves=2)
    return st.builds(lambda key, value: {key: value}, st.sampled_from([*PLAIN, "mcp_servers.docs"]), inner)


def string_forms(secret: str) -> list[str]:
    """Return a text as JSON or TOML may write it."""
    basic = json.dumps(secret, ensure_ascii=False)
    forms = [basic, json.dumps(secret), f'"""\n{basic[1:-1]}"""', f'"""{basic[1:-1]}\\"{LAST}"""']
    return [*forms, f"'{secret}'", f"'''{secret}'''"] if "'" not in secret else forms


def texts_with(secret: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return arguments of the form key=value that a program has written itself, correct TOML or not."""
    forms = secret.flatmap(lambda value: st.sampled_from([*string_forms(value), value]))
    return st.one_of(
        st.builds("{}={}".format, names, forms),
        st.builds("model_providers.m.{} = {}".format, names, forms),
        st.builds('a={{ env_key="N", x = 1, "{}" = {}, b = 2 }}'.format, names, forms),
        st.builds('a={{env_http_headers={{"X-Key"="N"}}, {}={}}}'.format, names, forms),
        st.builds("mcp_servers.d.{}.ANY={}".format, tables, forms),
        st.builds("mcp_servers.d.{}={{ANY={}}}".format, tables, forms),
        st.builds('mcp_servers.d.args=["-v", "--{}", {}]'.format, names, secret.map(json.dumps)),
        st.builds("mcp_servers.d.args=['{{\"{}\": {}}}']".format, names, secret.map(json.dumps)),
        st.builds(lambda name, value: f"a.b={json.dumps(json.dumps({name: value}))}", names, secret),
        st.builds("a.url=https://{}@host/path".format, in_urls),
        st.builds('a.url="https://user:{}@host:80/path"'.format, in_urls),
        st.builds('a.url="https://host/path?sig={}"'.format, in_urls),
        st.builds('a.url="https://host/path?a&b=c&sig={}"'.format, in_urls),
        st.builds('a.url="https://host/path#access={}"'.format, in_urls),
    )


commands = st.one_of(
    st.builds(lambda name, value: ("codex", f"--{name}={value}", "x"), names, secrets),
    st.builds(lambda name, value: ("codex", f"--{name}", value, "x"), names, secrets),
    st.builds(lambda name, value: ("codex", "-H", f"{name}: {value}"), names, secrets),
    st.builds(lambda text: ("codex", "-c", text, "app-server"), texts_with(secrets)),
    st.builds(lambda name, value: ("codex", json.dumps({"x": [{name: value}]})), names, secrets),
)


def shown_by(config: AppServerConfig, command: tuple[str, ...], text: str) -> list[str]:
    """Return what the package may show of a runtime: its configuration, its command, what it has written."""
    process = ProcessInfo(command, 5, 3, tuple(hide(text).splitlines()))
    errors = [LaunchError(text, process), TransportClosedError(text, text, process), checks.refusal("model", text, "x")]
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]  # the shortest handler
    logger = logging.getLogger("openai_codex.display")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        Log("display").warning("codex.seen", command=repr(process), text=text)
    finally:
        logger.removeHandler(handler)
    texts = [shown for error in errors for shown in (str(error), repr(error))]
    lines = [*(record.getMessage() for record in records), *(repr(vars(record)["codex"]) for record in records)]
    return [repr(config), repr(process), process.describe(), *texts, *lines]


def refuse_parts(shown: list[str]) -> None:
    leaks = [text for text in shown if FIRST in text or LAST in text]
    assert not leaks


@given(settings_with(secrets))
@example({"docs": {"bearer_token": f"{FIRST}\\"}})
@example({"mcp_servers": {"env_http_headers": {"X-Key": "NAME"}, "token": f"{FIRST} {LAST}"}})
@example({"shell_environment_policy": {"set": {"ANY": f"{FIRST}{LAST}"}}})
def test_no_secret_of_nested_settings_is_shown(settings: Mapping[str, Any]) -> None:
    config = AppServerConfig(config_overrides=settings)
    refuse_parts(shown_by(config, ("codex", *config.config_overrides), ""))
    refuse_parts([hide(text) for text in config.config_overrides for text in secrets_in(settings)])


def secrets_in(settings: object) -> list[str]:
    """Return the leaves, which a runtime may repeat one by one."""
    if isinstance(settings, Mapping):
        return [text for value in settings.values() for text in secrets_in(value)]
    if isinstance(settings, list):
        return [text for value in settings for text in secrets_in(value)]
    return [settings] if isinstance(settings, str) and settings.startswith(FIRST) else []


@given(settings_with(secrets))
def test_no_secret_of_the_settings_of_a_thread_is_repeated(settings: Mapping[str, Any]) -> None:
    conceal(secrets_of_settings(settings))
    for secret in secrets_in(settings):
        refuse_parts(shown_by(AppServerConfig(), (), f"cannot use {secret} here"))


@given(texts_with(secrets))
def test_no_secret_of_a_text_of_settings_is_shown(text: str) -> None:
    config = AppServerConfig(config_overrides=[text])
    refuse_parts(shown_by(config, ("codex", "-c", text), ""))
    with pytest.raises(ConfigError) as caught:
        AppServerConfig(max_in_flight=text)  # type: ignore[arg-type]
    refuse_parts([str(caught.value), repr(caught.value)])


@given(commands)
def test_no_secret_of_a_command_line_is_shown(command: tuple[str, ...]) -> None:
    refuse_parts(shown_by(AppServerConfig(launch_args_override=command), command, ""))


@given(st.one_of(names, tables.map(lambda name: f"{name}_TOKEN")), secrets)
@example("API_TOKEN", f"/{FIRST}+{LAST}")
def test_no_secret_of_a_variable_is_shown_or_repeated(name: str, secret: str) -> None:
    config = AppServerConfig(env={name: secret, "URL": f"postgres://me:{FIRST}.{LAST}@host"})
    repeated = f"no access with {secret} and {FIRST}.{LAST}, nor with {json.dumps(secret, ensure_ascii=False)}"
    refuse_parts(shown_by(config, ("codex",), repeated))


@given(settings_with(secrets))
def test_a_document_in_toml_is_masked(settings: Mapping[str, Any]) -> None:
    refuse_parts(shown_by(AppServerConfig(), ("codex", toml.document(settings), json.dumps(settings)), ""))


SHOWN = [
    'model_providers.m={env_key="OPENAI_API_KEY", base_url="https://host/v1"}',
    "requires_openai_auth=true",
    'cli_auth_credentials_store="keyring"',
    'preferred_auth_method="chatgpt"',
    'mcp_oauth_callback_url="http://127.0.0.1/x"',
    'author="me"',
]


@pytest.mark.parametrize("setting", SHOWN)
def test_settings_that_only_sound_secret_are_shown(setting: str) -> None:
    config = AppServerConfig(config_overrides=[setting])
    assert repr((setting,)) in repr(config)
    assert hide(setting) == setting


def test_a_secret_that_is_used_again_stays_known() -> None:
    for number in range(300):
        conceal([f"{FIRST}-again-{LAST}", f"another-{number}"])
    refuse_parts([hide(f"{FIRST}-again-{LAST}")])


def test_a_secret_is_removed_before_a_text_is_cut() -> None:
    conceal([f"{FIRST}-{LAST}"])
    for length in range(45, 62):
        refuse_parts([str(checks.refusal("model", f"{'x' * length}{FIRST}-{LAST}", "a word"))])


def test_no_regular_expression_is_compiled_when_the_package_is_imported() -> None:
    program = (
        "import re; from openai_codex import Codex; from openai_codex._runtime import display; "
        "print(display.compiled.cache_info().currsize, *[k for k, v in vars(display).items() if isinstance(v, re.Pattern)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0"]


S = "sw0rdf1sh-unknown"

NAMED = [
    f"X-Api-Key: {S}",
    f"Authorization: Basic {S}",
    f"API_TOKEN={S}",
    f'{{"password":"{S}"}}',
    f"{{'client_secret': '{S}'}}",
    f'it failed: {{\\"api_key\\": \\"{S}\\"}}',
    f"the password is {S}",
    f"GET https://host/path?api_key={S}&page=1",
    f"(https://host/path?page=1&X-Amz-Signature={S})",
    f"-----BEGIN PRIVATE KEY-----\n{S}\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", NAMED)
def test_what_follows_a_name_that_sounds_secret_is_shown_nowhere(text: str) -> None:
    error = JsonRpcError(-32603, text)
    shown = [hide(text), escape(text), str(error), repr(error), str(LaunchError(text))]
    assert [each for each in shown if S in each] == []


@pytest.mark.parametrize(
    "text",
    [
        "the key is missing",
        '{"tokens": 12}',
        "sort_key: name",
        '"key": 7',
        "MAX_TOKENS=7",
        "expected a password: str",
        "https://h/x?page=1",
    ],
)
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert hide(text) == text


def test_what_finds_secrets_is_called_before_the_next_text_is_shown() -> None:
    called: list[str] = []

    def find() -> list[str]:
        called.append("found")
        return ["a-secret-of-later"]

    conceal_later(find)
    assert not called
    assert may_hide("it is a-secret-of-later")
    assert hide("it is a-secret-of-later") == "it is ***"
    assert called == ["found"]


def test_few_wait_to_be_called() -> None:
    called: list[int] = []
    for number in range(200):
        conceal_later(lambda number=number: called.append(number) or ())  # type: ignore[misc]  # it returns nothing
    assert len(called) > 100
    hide("x")
    assert called == list(range(200))


def test_of_the_arguments_of_a_tool_only_tokens_are_secret_everywhere() -> None:
    arguments = {"key": "username", "options": [{"api_token": "Zq8vW3kLm9Xy2TbN5cR7"}], "text": "Zq8vW3kLm9Xy2TbN5cR8"}
    assert list(tokens_of(arguments)) == ["Zq8vW3kLm9Xy2TbN5cR7"]


def test_a_token_that_a_tool_gets_is_masked_in_the_log(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    token = "Nq8vW3kLm9Xy2TbN5cR7"  # noqa: S105  planted
    shown: list[str] = []

    @tool
    def look(api_token: str) -> str:
        """Look something up."""
        shown.append(hide(f"with {api_token}"))  # what each line of the log passes
        return "found"

    scripted_model.queue(reply(call("look", {"api_token": token})), say("done"))
    with Codex(codex_config) as codex:
        codex.thread_start(tools=[look]).run("go", timeout=PATIENCE)
    assert shown == ["with ***"]
