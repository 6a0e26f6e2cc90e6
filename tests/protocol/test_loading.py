"""What is loaded when, each in a process of its own; and first use by many threads at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openai_codex import _protocol as protocol

LOADED = "import sys; print(*sorted(m for m in sys.modules if m.split('.')[0] in ('openai_codex', 'attrs', 'cattrs')))"


def loaded_by(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", f"{code}\n{LOADED}"], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


# What loads everything else at first use.
LOADER = ("openai_codex", "openai_codex._runtime", "openai_codex._runtime.imports")


def test_importing_the_package_builds_nothing() -> None:
    assert loaded_by("import openai_codex._protocol") == {*LOADER, "openai_codex._protocol"}


def test_the_tables_are_plain_data() -> None:
    names = {*LOADER, "openai_codex._protocol", "openai_codex._protocol.methods"}
    assert loaded_by("import openai_codex._protocol.methods") == names


def test_a_type_loads_its_own_domain_and_no_converter() -> None:
    domains = {name.rsplit(".")[-1] for name in loaded_by("from openai_codex._protocol import TurnInterruptParams")}
    assert "turn" in domains
    assert not domains & {"cattrs", "converter", "config", "plugin", "realtime", "item"}


def test_a_payload_loads_what_it_needs() -> None:
    plan = "{'plan': [], 'threadId': '', 'turnId': ''}"
    code = f"from openai_codex import _codec as codec\ncodec.structure_notification('turn/plan/updated', {plan})"
    domains = {name.rsplit(".")[-1] for name in loaded_by(code)}
    assert "turn_progress" in domains
    assert not domains & {"thread", "item", "plugin"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'NoSuchThing'"):
        _ = protocol.NoSuchThing
    assert "ThreadStartParams" in dir(protocol)


FIRST_USE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from openai_codex import _codec as codec

sys.setswitchinterval(1e-6)  # as many changes of thread as can be had
codec.structure  # so that they do not all wait for one import
start = Barrier(8)
user = {"type": "userMessage", "id": "i", "content": [{"type": "text", "text": "a"}]}
command = {"type": "commandExecution", "id": "c", "command": "ls", "cwd": "/", "status": "new", "commandActions": []}
payloads = [{"completedAtMs": 1, "threadId": "t", "turnId": "u", "item": item} for item in (user, command)]

def first_use(number):
    start.wait()
    return [codec.structure_notification("item/completed", payload) for payload in payloads]

with ThreadPoolExecutor(8) as pool:
    made = list(pool.map(first_use, range(8)))
assert made == made[:1] * 8
assert [codec.unstructure(one) for one in made[0]] == payloads
"""


def test_many_threads_may_be_the_first() -> None:
    for _ in range(3):
        assert "openai_codex._protocol.item" in loaded_by(FIRST_USE)
