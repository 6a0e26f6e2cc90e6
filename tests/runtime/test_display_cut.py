"""A secret is masked before a text is cut, and at every instant: no half of one is shown anywhere."""

from __future__ import annotations

import logging
import sys
from types import FrameType
from typing import Any

import pytest

from openai_codex._engine.transport.child import ChildProcess
from openai_codex._engine.transport.stderr import STDERR_BYTES, STDERR_LINE_LENGTH
from openai_codex._journal.encode import Encoder
from openai_codex._journal.settings import Journal
from openai_codex._runtime.display import MASK, conceal, hide
from openai_codex._turns.turn_ends import end_with
from tests.support.bounds import PATIENCE
from tests.support.traces import traced_by

SECRET = "q7Zx9W-middle-w4Vk8J"  # noqa: S105  of no service


@pytest.fixture(autouse=True)
def _known() -> None:
    conceal([SECRET])


def refuse_parts(text: str) -> None:
    assert not [size for size in range(6, len(SECRET)) if SECRET[:size] in text or SECRET[-size:] in text], text


def ended(program: str) -> ChildProcess:
    """A child that has run a program to its end."""
    child = ChildProcess((sys.executable, "-c", program), None, None)
    child.close_input()
    while child.read(PATIENCE) != b"":
        pass
    child.end(PATIENCE)
    return child


@pytest.mark.parametrize("end", ["\\n", " ", ""])
def test_stderr_does_not_begin_within_a_secret(end: str) -> None:
    for rest in (6, len(SECRET) - 6):
        after = "y" * (STDERR_BYTES - rest - len(end.replace("\\n", "n")))
        child = ended(f"import sys; sys.stderr.write('{SECRET}{end}{after}')")
        refuse_parts("".join(child.process_info().stderr_tail))


def test_a_line_of_stderr_is_masked_before_it_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openai_codex.runtime")
    for size in (STDERR_LINE_LENGTH, STDERR_BYTES):
        line = f"'x' * {size - len(SECRET) + 6} + '{SECRET}'"
        ended(f"import sys; write = sys.stderr.write; write({line}); sys.stderr.flush(); write({line})")
    assert "codex.runtime_stderr" in caplog.text
    refuse_parts(caplog.text)


def test_the_reason_of_a_failed_turn_is_masked_before_it_is_cut() -> None:
    for size in range(470, 500):
        _, _, fields = end_with("failed", {"message": f"{'x' * size} {SECRET}", "codexErrorInfo": "other"})
        refuse_parts(fields["reason"])


def test_a_line_that_is_no_frame_is_masked_before_it_is_cut() -> None:
    encoder = Encoder(Journal("x"), "client")
    for size in range((1 << 16) - len(SECRET), 1 << 16):
        written = b"".join(encoder.add(b"", ">", b"x" * size + b" " + SECRET.encode() + b" not JSON", None))
        assert b"not JSON" in written
        refuse_parts(written.decode())


def test_a_secret_that_is_passed_again_is_known_at_every_instant() -> None:
    shown: list[str] = []

    def look(frame: FrameType, _event: str, _value: Any) -> Any:
        if frame.f_code is not conceal.__code__:
            return None
        shown.append(hide(SECRET))
        return look

    with traced_by(look):
        conceal([SECRET])
    assert len(shown) > 3
    assert set(shown) == {MASK}
