"""The value of ``otel=`` is checked when the configuration is made, and costs nothing unless it is given."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import pytest

from openai_codex import AppServerConfig, ConfigError
from openai_codex._otel.settings import overrides

URL = "http://localhost:4318/v1/traces"
BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
HTTP = 'otel.trace_exporter={otlp-http={endpoint="%s", protocol="%s"}}'
GRPC = 'otel.trace_exporter={otlp-grpc={endpoint="%s"}}'


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (BASE, TRACES, PROTOCOL, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("good", [False, True, URL, "https://collector.example/x"])
def test_a_flag_or_a_url_is_accepted(good: Any) -> None:
    assert AppServerConfig(otel=good).otel == good


@pytest.mark.parametrize(
    "bad", ["http://u:planted@h/", "http://planted@h/", "http://h/?key=planted", "http://h/#planted"]
)
def test_a_url_with_what_may_be_a_secret_is_refused(bad: str) -> None:
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        AppServerConfig(otel=bad)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("otel", "env", "expected"),
    [
        (True, {}, ()),
        (URL, {}, (HTTP % (URL, "binary"),)),
        (URL, {PROTOCOL: "http/json"}, (HTTP % (URL, "json"),)),
        (
            URL,
            {PROTOCOL: "http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            (HTTP % (URL, "binary"),),
        ),
        ("http://h:4317", {PROTOCOL: "grpc"}, (GRPC % "http://h:4317",)),
        (True, {BASE: "http://h:4318"}, (HTTP % ("http://h:4318/v1/traces", "binary"),)),
        (True, {BASE: "http://h:4318/a/"}, (HTTP % ("http://h:4318/a/v1/traces", "binary"),)),
        (True, {BASE: "http://h:4317", PROTOCOL: "grpc"}, (GRPC % "http://h:4317",)),
        (True, {BASE: "http://h:4318", TRACES: URL}, (HTTP % (URL, "binary"),)),
        (True, {TRACES: URL, "OTEL_SDK_DISABLED": "true"}, ()),
        (True, {TRACES: URL, "OTEL_TRACES_EXPORTER": "none"}, ()),
    ],
)
def test_the_runtime_exports_to_what_the_argument_or_the_variables_name(
    otel: Any, env: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert overrides(AppServerConfig(otel=otel, env=env)) == expected


def run(program: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_the_extra_there_is_a_clear_error_before_anything_starts() -> None:
    out = run("""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "opentelemetry":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing())
        from openai_codex import AppServerConfig, ConfigError
        AppServerConfig()
        for value in (True, "http://localhost:4318/v1/traces"):
            try:
                AppServerConfig(otel=value)
            except ConfigError as error:
                print(error)
    """)
    assert out.splitlines() == ["otel: opentelemetry-api is not installed: pip install 'openai-codex[otel]'"] * 2


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    out = run("""
        import sys
        from openai_codex import Codex
        from openai_codex.testing import offline

        def loaded():
            return sorted(name for name in sys.modules if "opentelemetry" in name or "_otel" in name)

        with offline() as kit:
            with Codex(kit.config) as codex:
                codex.thread_start().run("go")
            print(loaded())
            with Codex(kit.home.config(otel=True)) as codex:
                codex.thread_start().run("go")
            print(len(loaded()) > 5)
    """)
    assert out.splitlines() == ["[]", "True"]
