"""A module that is being imported is not met half-way, whoever asks for it."""

from __future__ import annotations

import builtins
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openai_codex._runtime.imports import load
from tests.support.bounds import PATIENCE, eventually

Make = Callable[[str], str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make modules with a given source; they are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def write(source: str) -> str:
        names.append(f"half_way_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(source)
        return names[-1]

    yield write
    for name in names:
        sys.modules.pop(name, None)


def test_a_signal_handler_gets_the_whole_module(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    name = make("import builtins\nbuiltins.half_way()\nVALUE = 7\n")
    entered, main, found = threading.Event(), threading.get_ident(), []

    def half_way() -> None:
        # Again and again: one that arrives an instant before the main thread blocks is handled when that returns.
        assert eventually(lambda: entered.is_set() or signal.pthread_kill(main, signal.SIGUSR1), PATIENCE)

    def handle(*_: object) -> None:
        entered.set()
        found.append(load(name).VALUE)

    monkeypatch.setattr(builtins, "half_way", half_way, raising=False)
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        assert load(name).VALUE == 7
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert set(found) == {7}


def test_an_import_that_fails_raises_its_error(make: Make) -> None:
    name = make("raise LookupError('no')\n")
    with pytest.raises(LookupError, match="no"):
        load(name)


def test_a_module_that_loads_another_one_while_it_is_imported(make: Make) -> None:
    inner = make("VALUE = 1\n")
    outer = make(f"from openai_codex._runtime.imports import load\nVALUE = load('{inner}').VALUE + 1\n")
    assert load(outer).VALUE == 2


def test_without_a_thread_it_is_imported_here(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refuse)
    assert load(make("VALUE = 3\n")).VALUE == 3
