"""The home for tests: its files, its effect on the runtime, and its removal."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from codex_cli_bin import bundled_codex_path

from openai_codex.testing import QuietHome, ScriptedModel, offline, quiet_home, temporary_home

from .raw_client import DEADLINE, RawClient

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:9/v1"


def read(home: QuietHome) -> dict[str, Any]:
    written: dict[str, Any] = tomllib.loads(home.config_file.read_text())
    return written


def test_it_is_quiet(tmp_path: Path) -> None:
    assert read(quiet_home(tmp_path, URL)) == {
        "model": "mock-model",
        "model_provider": "mock",
        "project_root_markers": [],
        "features": {"plugins": False, "shell_snapshot": False, "unbounded_connection_retries": False},
        "model_providers": {
            "mock": {
                "name": "mock",
                "base_url": URL,
                "wire_api": "responses",
                "request_max_retries": 0,
                "stream_max_retries": 0,
            }
        },
    }


def test_every_setting_can_be_replaced_and_none_is_lost(tmp_path: Path) -> None:
    home = quiet_home(
        tmp_path,
        URL,
        model="gpt-5.5",
        config={"tools": {"web_search": False}, "features": {"plugins": True}},
        features={"request_permissions_tool": True},
        provider={"stream_max_retries": 2},
    )
    written = read(home)
    assert written["model"] == "gpt-5.5"
    assert written["tools"] == {"web_search": False}
    assert written["features"] == {
        "plugins": True,
        "shell_snapshot": False,
        "unbounded_connection_retries": False,
        "request_permissions_tool": True,
    }
    assert written["model_providers"]["mock"]["stream_max_retries"] == 2
    assert written["model_providers"]["mock"]["base_url"] == URL


def test_the_settings_of_a_client(tmp_path: Path) -> None:
    home = quiet_home(tmp_path, URL)
    config = home.config(env={"RUST_LOG": "debug", "MORE": "1"}, request_timeout=5.0)
    assert config.env is not None
    assert {
        "CODEX_HOME": str(tmp_path),
        "RUST_LOG": "debug",
        "NO_COLOR": "1",
        "MORE": "1",
    }.items() <= config.env.items()
    assert (config.strict_config, config.cwd, config.request_timeout) == (True, str(home.workspace), 5.0)
    assert home.config(cwd=None, strict_config=False).cwd is None
    with pytest.raises(TypeError):
        home.config(nonsense=1)


def test_a_temporary_home_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    default = tmp_path / ".test-homes"
    with temporary_home(URL) as home:
        assert home.path.parent == default
        assert home.path.is_absolute()
        assert home.workspace.is_dir()
    with temporary_home(URL, parent=tmp_path / "else") as other:
        assert other.path.parent == tmp_path / "else"
    assert not default.exists()
    assert list((tmp_path / "else").iterdir()) == []


def test_a_directory_of_homes_goes_with_its_maker_unless_others_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    default = tmp_path / ".test-homes"
    maker = temporary_home(URL)
    maker.__enter__()
    with temporary_home(URL) as guest:
        maker.__exit__(None, None, None)
        assert list(default.iterdir()) == [guest.path]
    assert list(default.iterdir()) == []
    with temporary_home(URL):
        pass
    assert default.exists(), "it was there before"


def test_a_home_of_the_caller_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    quiet_home(kept, URL)
    (kept / "workspace" / "file").touch()
    assert quiet_home(kept, URL, model="other").path == kept
    assert (kept / "workspace" / "file").exists()


def test_the_runtime_accepts_every_setting_and_refuses_others() -> None:
    command = [str(bundled_codex_path()), "app-server", "--strict-config"]
    codes: list[int] = []
    for config in ({}, {"no_such_key": True}):
        with temporary_home(URL, config=config) as home:
            environment = {**os.environ, **home.env}
            done = subprocess.run(
                command,
                cwd=home.workspace,
                env=environment,
                input=b"",
                capture_output=True,
                timeout=DEADLINE,
                check=False,
            )
            codes.append(done.returncode)
    assert codes == [0, 1]


def test_the_runtime_has_no_complaint_about_a_home_under_the_temp_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    home = quiet_home(tmp_path / "home", URL)
    done = subprocess.run(
        [str(bundled_codex_path()), "app-server"],
        env={**os.environ, **home.env},
        input=b"",
        capture_output=True,
        timeout=DEADLINE,
        check=True,
    )
    assert b"temporary dir" not in done.stderr


def test_nothing_from_around_the_home_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ScriptedModel
) -> None:
    skill = "---\nname: foreign-skill\ndescription: foreign-skill\n---\nbody"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with temporary_home(model.url) as quiet:
        around = quiet.path / "project"
        (around / ".git").mkdir(parents=True)
        (around / "AGENTS.md").write_text("foreign-instructions")
        for place in (tmp_path, around):
            (place / ".agents" / "skills" / "s").mkdir(parents=True)
            (place / ".agents" / "skills" / "s" / "SKILL.md").write_text(skill)
        home = quiet_home(around / "home", model.url)
        with RawClient(home) as client:
            assert client.turn(client.thread(), "Hi")["status"] == "completed"
    assert b"foreign-" not in model.requests[0].body


def test_model_and_home_in_one_step(tmp_path: Path) -> None:
    with offline("fine", parent=tmp_path, model="gpt-5.5") as kit:
        assert kit.config == kit.home.config()
        with RawClient(kit.home) as client:
            client.turn(client.thread(), "Hi")
            warnings = [frame for frame in client.seen if frame.get("method") == "warning"]
        assert ("".join(client.deltas()), warnings) == ("fine", [])
    assert list(tmp_path.iterdir()) == []
