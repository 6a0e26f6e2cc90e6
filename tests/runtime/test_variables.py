"""Which values of the environment are masked: those that the program passes, and those that the runtime inherits."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from openai_codex import AppServerConfig
from openai_codex._journal.beginnings import may_hide
from openai_codex._runtime.display import conceal, hide, known
from openai_codex._runtime.variables import may_be_password, secrets_of_env

ORDINARY = [
    "gpt-5.4-mini", "us-east-1", "en_US.UTF-8", "info,codex_core=debug", "--max-size=4096", "Europe/Berlin",
    "/usr/lib/x86_64", "2026-01-01", "http://proxy.corp:3128", "v1.2.3rc1", "changeme", "python3.11", "1234567890",
    "0199a7c2-6c1e-7d2b-8f00-0123456789ab", "C:\\Users\\me", "short1!", "",
]  # fmt: skip


@pytest.mark.parametrize("value", ORDINARY)
def test_what_is_no_password_is_shown(value: str) -> None:
    config = AppServerConfig(env={"HARMLESS": value})
    assert hide(f"it is {value}, {config.cwd}") == f"it is {value}, None"


@pytest.mark.parametrize(
    "value", ["hunter2!", "s3cr3t-0f-th1s", "a1b2c3d4", "Tr0ub4dor&3", "pässw0rt$", '{"a": "x9y8z7"}']
)
def test_a_password_is_masked_whatever_its_variable_is_called(value: str) -> None:
    config = AppServerConfig(env={"HARMLESS": value})
    assert may_hide(f"it is {value}")
    assert hide(f"it is {value}, {config.cwd}") == "it is ***, None"


def test_to_tell_a_password_takes_a_time_that_grows_with_its_length_only() -> None:
    for value in ("a1" * 50_000, "a-" * 50_000 + "!", "1a" * 50_000 + "!", "-" * 100_000 + "!"):
        assert may_be_password(value)


@pytest.mark.parametrize(
    ("name", "value", "is_masked"),
    [
        ("OPENAI_API_KEY", "inh3rited-k3y", True),
        ("DB_PASSWORD", "x4$horse", True),
        ("ANY", "npm_0123456789abcdefghij", True),
        ("ANY", "postgres://me:pa55.w0rd@host/db", True),
        ("OPENAI_API_KEY", "started", False),
        ("SECRET_PLACE", "us-east-1", False),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/k3ys-0f-me.json", False),
        ("HOSTNAME", "service-7d9f8b6c5d-x2x4z", False),
    ],
)
@pytest.mark.parametrize("inherits", [True, False])
def test_secrets_that_the_runtime_inherits(name: str, value: str, is_masked: bool, inherits: bool) -> None:
    program = f"""if True:
        import os, re
        os.environ[{name!r}] = {value!r}
        from openai_codex import AppServerConfig
        from openai_codex._runtime import display
        compiled = display.compiled.cache_info().currsize
        config = AppServerConfig(inherit_env={inherits})
        print(compiled, "openai_codex._runtime.variables" in __import__("sys").modules)
        shown = display.hide("it is " + {value!r})
        print("***" in shown or {name!r} == "ANY" and ":***@" in shown)
        os.environ["NEW_TOKEN"] = "l4ter-t0ken"
        again = AppServerConfig(inherit_env={inherits})
        print("l4ter" in display.hide("it is l4ter-t0ken"))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    by_form = "://" in value  # which is masked in any text
    assert done.stdout.split() == ["0", "False", str(by_form or (is_masked and inherits)), str(not inherits)]


def test_secrets_of_living_configurations_stay_known_however_many_come_later() -> None:
    living = [AppServerConfig(env={"TOKEN": f"living-{number}-token"}) for number in range(300)]
    passing = AppServerConfig(env={"TOKEN": "passing-token"})
    assert hide("passing-token") == "***"
    for number in range(300):
        conceal([f"another-secret-{number}"])
    assert {hide(f"it is living-{number}-token") for number in range(300)} == {"it is ***"}
    assert hide("passing-token") == "***"
    del living, passing
    gc.collect()
    for number in range(300):
        conceal([f"another-secret-{number}"])
    assert hide("passing-token") == "passing-token"
    assert not any("living" in each for each in known())


def test_a_secret_of_many_configurations_is_kept_once() -> None:
    configs = [AppServerConfig(env={"TOKEN": "shared-by-many"}) for _ in range(300)]
    assert hide("shared-by-many") == "***"
    assert known().count("shared-by-many") == 1
    del configs[1:]
    gc.collect()
    for number in range(600):
        conceal([f"another-secret-{number}"])
    assert hide("shared-by-many") == "***"


@pytest.mark.parametrize("path", ["/a/home-nqn8c3rl", "/a/x1y2z3q4", "~/x1y2z3q4/codex", "./x1y2z3q4"])
def test_the_path_of_a_directory_with_a_random_name_is_no_secret(path: str) -> None:
    assert list(secrets_of_env({"CODEX_HOME": path, "ANY": path})) == []
