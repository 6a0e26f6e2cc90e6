"""The version of a runtime beside the pinned one: logged if it is another, with both numbers."""

from __future__ import annotations

import logging

import pytest

from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex._runtime.report import Metadata, log_version
from openai_codex._version import OLDEST_TESTED, __version__

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


def test_the_pinned_version_is_that_of_the_package() -> None:
    assert __version__.partition(".post")[0] == RUNTIME_VERSION
