"""The version of a runtime beside the pinned one: logged if it is another, with both numbers."""

from __future__ import annotations

import logging

import attrs
import pytest

from openai_codex import _protocol as protocol
from openai_codex._protocol.methods import CLIENT_REQUESTS, RUNTIME_VERSION
from openai_codex._runtime.report import LATER, Metadata, check_known, log_version
from openai_codex._version import OLDEST_TESTED, __version__
from openai_codex.errors import ConfigError

BELOW = "0.132.9"


def metadata(version: str) -> Metadata:
    return Metadata(codex_home="/h", platform_family="unix", platform_os="linux", user_agent=f"x/{version} (a; b)")


@pytest.mark.parametrize(
    ("version", "level"),
    [
        (RUNTIME_VERSION, None),
        ("", None),
        (OLDEST_TESTED, logging.INFO),
        ("0.162.1", logging.INFO),
        ("0.164.0", logging.INFO),
        ("1.0", logging.INFO),
        ("0.164.0-alpha.2", logging.INFO),
        ("nightly", logging.INFO),
        (BELOW, logging.WARNING),
        (f"{BELOW}-alpha.1", logging.WARNING),
        ("0.9.99", logging.WARNING),
        ("0.0.0", logging.WARNING),
    ],
)
def test_another_version_is_logged(version: str, level: int | None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "openai_codex"):
        log_version(metadata(version), "/opt/codex")
    assert [record.levelno for record in caplog.records] == ([] if level is None else [level])
    for record in caplog.records:
        assert vars(record)["codex"] == {
            "event": "codex.runtime_version_differs",
            "version": version,
            "pinned": RUNTIME_VERSION,
            "oldest_tested": OLDEST_TESTED,
            "path": "/opt/codex",
        }
        assert {version, RUNTIME_VERSION} <= set(record.getMessage().replace("=", " ").split())


def test_a_field_that_an_older_runtime_ignores_is_one_of_the_protocol() -> None:
    for method, fields in LATER.items():
        params = getattr(protocol, CLIENT_REQUESTS[method][0])
        assert fields.keys() <= {field.name for field in attrs.fields(params)}


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ("0.133.0", {"last_turn_id", "before_turn_id"}),
        ("0.144.4", {"before_turn_id"}),
        ("0.147.0", set[str]()),
        (RUNTIME_VERSION, set[str]()),
        ("1.0.0", set[str]()),
        ("0.0.0", set[str]()),
        ("", set[str]()),
    ],
)
def test_a_field_is_refused_that_the_runtime_would_ignore(version: str, refused: set[str]) -> None:
    found, texts = set(), []
    for name in ("last_turn_id", "before_turn_id", "model"):
        params = protocol.ThreadForkParams(thread_id="t", **{name: "x"})  # type: ignore[arg-type]
        try:
            check_known(params, metadata(version))
        except ConfigError as error:
            found.add(error.what)
            texts.append(error.reason)
    assert found == refused
    assert all(f"this runtime ({version}) would ignore it" in text for text in texts)
    check_known(protocol.ThreadForkParams(thread_id="t", last_turn_id=None), metadata(version))


def test_the_pinned_version_is_that_of_the_package() -> None:
    assert __version__.partition(".post")[0] == RUNTIME_VERSION
