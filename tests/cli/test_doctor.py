"""The command `doctor`: on sound and on broken installations, without a network."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from openai_codex import Codex, __version__
from openai_codex._cli.doctor import APART, CONNECTED, INSTALLED, ON_NETWORK
from openai_codex._cli.findings import Finding, Installation, examine
from openai_codex._config import AppServerConfig
from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex.testing import QuietHome, ScriptedModel, temporary_home
from tests.support.cli import ended

MCP_SERVER = Path(__file__).parents[1] / "support" / "mcp_server.py"


def report(home: QuietHome, *options: str, **more: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run it; return its exit code, and each finding by the name of its check."""
    done = ended(home, "doctor", "--json", *options, **more)
    assert done.errors == ""
    whole = json.loads(done.out)
    assert whole["version"] == __version__
    assert done.code == (1 if whole["status"] == "failure" else 0)
    return done.code, {each["check"]: each for each in whole["checks"]}


def statuses(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: each["status"] for name, each in found.items() if name != "log"}


def test_a_sound_installation(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    code, found = report(codex_home)
    assert code == 0
    names = [*INSTALLED, *CONNECTED, *APART]
    assert statuses(found) == dict.fromkeys(names, "ok")
    assert found["version"]["details"]["version"] == RUNTIME_VERSION
    assert found["start"]["details"]["start_ms"] > 0
    assert "mock-model" in found["configuration"]["text"]
    assert found["login"]["text"] == "the provider needs no login"
    assert scripted_model.request_count == 0  # the turn is one of another model, in another home


def test_the_text_says_the_same(codex_home: QuietHome) -> None:
    done = ended(codex_home, "doctor")
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line for line in lines if line.startswith("ok       turn: a turn with a scripted model takes")]
    assert lines[-1].endswith("0 failure")
    assert "--network" in done.errors


def test_it_leaves_nothing_behind(codex_home: QuietHome) -> None:
    report(codex_home)  # which makes the databases of the home
    before = {path.name for path in [*codex_home.workspace.iterdir(), *codex_home.temp.iterdir()]}
    report(codex_home)
    assert {path.name for path in [*codex_home.workspace.iterdir(), *codex_home.temp.iterdir()]} == before


# -- broken installations ----------------------------------------------------------------------------------------------


def test_a_binary_that_is_missing(codex_home: QuietHome) -> None:
    code, found = report(codex_home, OPENAI_CODEX_BIN="/no/such/codex")
    assert code == 1
    assert statuses(found) == {"package": "ok", "runtime": "failure", "home": "ok"}
    assert found["runtime"]["text"] == "/no/such/codex does not exist (by --codex-bin or OPENAI_CODEX_BIN)"
    assert "pip install" in found["runtime"]["advice"]


def test_a_name_that_is_not_on_the_path(codex_home: QuietHome) -> None:
    _, found = report(codex_home, "--codex-bin", "no-such-codex")
    assert found["runtime"]["text"] == "no-such-codex: not found in the absolute directories of PATH"


def test_a_package_without_its_binary(codex_home: QuietHome) -> None:
    hidden = codex_home.path / "hidden" / "codex_cli_bin"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('broken')")
    _, found = report(codex_home, PYTHONPATH=str(hidden.parent))
    assert found["runtime"]["status"] == "failure"
    assert "install openai-codex-cli-bin" in found["runtime"]["text"]


@pytest.mark.parametrize(
    ("program", "failing", "said"),
    [
        (None, "runtime", "may not be executed"),
        ("exit 3", "version", "exit code 3"),
        ("echo bad >&2; exit 1", "version", "exit code 1, bad"),
        ("", "version", "failed"),
        ('[ "$1" = --version ] && echo codex-cli 9.9.9 || exit 4', "start", "the runtime exited"),
    ],
)
def test_a_binary_that_does_not_work(codex_home: QuietHome, program: str | None, failing: str, said: str) -> None:
    file = codex_home.path / "codex"
    file.write_text(f"#!/bin/sh\n{program or ''}\n")
    file.chmod(0o644 if program is None else 0o755)
    code, found = report(codex_home, "--codex-bin", str(file))
    assert code == 1
    assert found[failing]["status"] == "failure"
    assert said in found[failing]["text"]
    assert found[failing]["advice"]
    assert "turn" not in found or found["turn"]["status"] == "failure"


def test_another_runtime_is_named_with_the_versions(codex_home: QuietHome) -> None:
    file = codex_home.path / "codex"
    bundled = INSTALLED["runtime"]
    installation = Installation(AppServerConfig(), 30.0)
    examine("runtime", bundled, installation)
    # All but its version is that of the real one.
    file.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo codex-cli 0.99.0 || exec {installation.program} "$@"\n')
    file.chmod(0o755)
    code, found = report(codex_home, "--codex-bin", str(file))
    assert code == 0
    assert found["version"]["status"] == "warning"
    assert f"0.99.0; this package is made for {RUNTIME_VERSION}" in found["version"]["text"]
    assert found["turn"]["status"] == "ok"


def test_a_protocol_that_differs_or_is_not_printed(codex_home: QuietHome) -> None:
    file = codex_home.path / "codex"
    bundle = "codex_app_server_protocol.schemas.json"
    file.write_text(
        f"""#!/bin/sh
while [ $# -gt 1 ]; do shift; done
echo '{{"definitions": {{}}}}' > "$1/{bundle}"
"""
    )
    file.chmod(0o755)
    installation = Installation(AppServerConfig(codex_bin=file), 30.0, program=str(file))
    [differs] = examine("protocol", INSTALLED["protocol"], installation)
    assert (differs.status, differs.details["hash"] == differs.details["expected"]) == ("warning", False)
    file.write_text("#!/bin/sh\necho no >&2; exit 2\n")
    [missing] = examine("protocol", INSTALLED["protocol"], installation)
    assert (missing.status, missing.text) == (
        "warning",
        "the runtime does not print its schema: exit code 2, no",
    )


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("/no/such/home", "is not a directory"),
        ("/etc/passwd", "is not a directory"),
        ("/proc", "cannot be written"),  # also by root
    ],
)
def test_a_home_that_cannot_be_used(codex_home: QuietHome, home: str, said: str) -> None:
    code, found = report(codex_home, CODEX_HOME=home)
    assert code == 1
    assert found["home"]["status"] == "failure"
    assert said in found["home"]["text"]
    assert found["home"]["advice"]
    assert found["turn"]["status"] == "ok"  # it has a home of its own


def test_a_default_home_that_is_not_there_yet(codex_home: QuietHome) -> None:
    config = AppServerConfig(env={"CODEX_HOME": None, "HOME": str(codex_home.workspace / "new")})
    [found] = examine("home", INSTALLED["home"], Installation(config, 30.0))
    assert (found.status, found.details["path"]) == ("ok", str(codex_home.workspace / "new" / ".codex"))
    assert not (codex_home.workspace / "new").exists()


def test_a_configuration_that_does_not_parse(codex_home: QuietHome) -> None:
    codex_home.config_file.write_text("model = [\nkey = 'sk-0123456789abcdef'")
    code, found = report(codex_home)
    assert code == 1
    assert found["configuration"]["status"] == "failure"
    assert str(codex_home.config_file) in found["configuration"]["text"]
    assert found["turn"]["status"] == "ok"
    assert "sk-0123456789abcdef" not in json.dumps(found)


def test_a_configuration_with_which_the_runtime_does_not_start(codex_home: QuietHome) -> None:
    with codex_home.config_file.open("a") as file:
        file.write('approval_policy = "untrusted"\n')
    code, found = report(codex_home)
    assert code == 1
    assert "is no longer supported" in found["start"]["text"]
    assert "configuration" not in found
    assert found["turn"]["status"] == "ok"


def test_an_unknown_setting_is_a_warning_of_the_runtime(codex_home: QuietHome) -> None:
    codex_home.config_file.write_text(f"modle = 'x'\n{codex_home.config_file.read_text()}")
    done = ended(codex_home, "doctor", "--json")
    warnings = [each["text"] for each in json.loads(done.out)["checks"] if each["check"] == "log"]
    assert [text for text in warnings if "`modle` is ignored" in text]
    rows = ended(codex_home, "doctor").out.splitlines()
    assert [row for row in rows if row.startswith("warning  log: ") and "`modle` is ignored" in row]
    assert not [row for row in rows if row.startswith("warning  warning")]


def test_an_option_or_variable_that_is_not_accepted(codex_home: QuietHome) -> None:
    code, found = report(codex_home, "--config", "model=\udcff")  # a byte that is not UTF-8
    assert code == 1
    assert [*found] == ["options"]


# -- logins, MCP servers -----------------------------------------------------------------------------------------------


def test_the_login_is_named_without_the_key() -> None:
    with ScriptedModel() as model, temporary_home(model.url, provider={"requires_openai_auth": True}) as home:
        code, found = report(home)
        assert (code, found["login"]["status"]) == (1, "failure")
        with Codex(home.config()) as codex:
            codex.login_api_key("sk-a-very-secret-key-of-the-test")
        code, found = report(home)
    assert (code, found["login"]["status"], found["login"]["text"]) == (0, "ok", "logged in (apiKey)")
    assert "very-secret" not in json.dumps(found)


def test_mcp_servers_and_their_state() -> None:
    servers = {
        "probe": {"command": sys.executable, "args": [str(MCP_SERVER)]},
        "missing": {"command": "/no/such/program"},
    }
    with ScriptedModel() as model, temporary_home(model.url, config={"mcp_servers": servers}) as home:
        code, found = report(home)
    assert code == 0
    assert found["MCP server probe"]["status"] == "ok"
    assert found["MCP server probe"]["text"] == "4 tools"
    assert found["MCP server missing"]["status"] == "warning"
    assert "No such file" in found["MCP server missing"]["text"]
    assert "mcp_servers.missing" in found["MCP server missing"]["advice"]


# -- the runtime's own doctor ------------------------------------------------------------------------------------------


def test_the_doctor_of_the_runtime_runs_on_request_only(codex_home: QuietHome) -> None:
    calls, file = codex_home.path / "calls", codex_home.path / "codex"
    installation = Installation(AppServerConfig(), 30.0)
    examine("runtime", INSTALLED["runtime"], installation)
    checks = {
        "a.b": {"status": "ok", "summary": "fine"},
        "c": {"status": "fail", "summary": "no", "remediation": "Do."},
    }
    file.write_text(
        f"""#!/bin/sh
echo "$@" >> {calls}
for word in "$@"; do
  if [ "$word" = doctor ]; then echo '{json.dumps({"checks": checks})}'; exit 1; fi
done
exec {installation.program} "$@"
"""
    )
    file.chmod(0o755)
    code, found = report(codex_home, "--codex-bin", str(file))
    assert (code, [name for name in found if "doctor" in name]) == (0, [])
    assert "doctor" not in calls.read_text()
    code, found = report(codex_home, "--codex-bin", str(file), "--network", "-c", 'model="m"')
    assert code == 1
    assert found["codex doctor: a.b"]["status"] == "ok"
    assert (found["codex doctor: c"]["status"], found["codex doctor: c"]["advice"]) == ("failure", "Do.")
    assert '-c model="m" doctor --json' in calls.read_text()


def test_a_runtime_without_a_doctor_or_with_one_that_hangs(codex_home: QuietHome) -> None:
    file = codex_home.path / "codex"
    for program, said in (("echo what? >&2; exit 2", "exit code 2, what?"), ("exec sleep 600", "no end within 0.2 s")):
        file.write_text(f"#!/bin/sh\n{program}\n")
        file.chmod(0o755)
        installation = Installation(AppServerConfig(codex_bin=file), 0.2, program=str(file))
        [found] = examine("codex doctor", ON_NETWORK["codex doctor"], installation)
        assert (found.status, found.text) == ("warning", f"`codex doctor --json` gives no report: {said}")


def test_an_error_of_a_check_is_a_finding() -> None:
    def fails(_installation: Installation) -> list[Finding]:
        raise ZeroDivisionError("by \x1b[31m0")

    [found] = examine("sums", fails, Installation(AppServerConfig(), 1.0))
    assert (found.status, found.text) == ("failure", r"ZeroDivisionError: by \x1b[31m0")


def test_it_works_offline(codex_home: QuietHome) -> None:
    # Every connection but to loopback goes to a proxy that is not there.
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    code, _ = report(codex_home, **nowhere)
    assert code == 0
    assert os.environ.get("HTTP_PROXY") != "http://127.0.0.1:9"
