"""The value of ``AppServerConfig(otel=…)``: its check, and the settings by which the runtime exports its own spans."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openai_codex import _checks as checks
from openai_codex._runtime.environment import environment_of
from openai_codex._runtime.toml import to_arguments
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_codex._config import AppServerConfig

_NEEDED = "opentelemetry"

# The variables of OpenTelemetry. Those of traces win.
_TRACES, _ALL = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SDK_IS_OFF, _EXPORTER = "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"
_GRPC, _JSON = "grpc", "http/json"


def check(name: str, value: Any) -> None:
    """Raise `ConfigError` unless ``value`` is a bool or a URL, and the extra is installed."""
    if isinstance(value, str):
        _check_url(name, value)
    elif not isinstance(value, bool):
        raise checks.refusal(name, value, "a bool, or the URL of a collector")
    if not _is_installed():
        raise ConfigError(name, "opentelemetry-api is not installed: pip install 'openai-codex[otel]'")


def _is_installed() -> bool:
    try:
        # Without the package around it: other distributions have modules in that namespace.
        return find_spec(f"{_NEEDED}.trace") is not None
    except ModuleNotFoundError:
        return False


def _check_url(name: str, value: str) -> str:
    try:
        parts = urlsplit(checks.text(name, value))
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        raise checks.refusal(name, value, "the URL of a collector") from None
    if not is_url:
        raise checks.refusal(name, value, "the URL of a collector, such as http://localhost:4318/v1/traces")
    if parts.username or parts.password or parts.query or parts.fragment:
        # It becomes an argument of the runtime, and the arguments of a process are no secret.
        raise ConfigError(
            name, "expected a URL without credentials and query: put those into OTEL_EXPORTER_OTLP_HEADERS"
        )
    return value


def overrides(config: AppServerConfig) -> tuple[str, ...]:
    """Return the settings by which the runtime exports its spans; empty if no collector is known.

    Those of ``config_overrides`` come after them, and win. Raises `ConfigError` for a variable that holds no URL.
    """
    variables = environment_of(config)
    endpoint = config.otel if isinstance(config.otel, str) else _endpoint_of(variables)
    if endpoint is None:
        return ()
    protocol = _protocol_of(variables)
    if protocol == _GRPC:
        exporter: dict[str, Any] = {"otlp-grpc": {"endpoint": endpoint}}
    else:
        exporter = {"otlp-http": {"endpoint": endpoint, "protocol": "json" if protocol == _JSON else "binary"}}
    return to_arguments("otel", {"otel.trace_exporter": exporter})


def _protocol_of(variables: Mapping[str, str]) -> str:
    return next((variables[name] for name in _PROTOCOLS if variables.get(name)), "")


def _endpoint_of(variables: Mapping[str, str]) -> str | None:
    if variables.get(_SDK_IS_OFF, "").lower() == "true" or variables.get(_EXPORTER) == "none":
        return None
    if endpoint := variables.get(_TRACES):
        return _check_url(_TRACES, endpoint)
    base = variables.get(_ALL)
    if not base:
        return None
    _check_url(_ALL, base)
    return base if _protocol_of(variables) == _GRPC else f"{base.rstrip('/')}/v1/traces"
