"""A notification as a value: where it belongs, what it equals and how it prints."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from openai_codex import DecodeError, Notification
from openai_codex import _codec as codec
from openai_codex._engine import wire
from openai_codex._notification import UnreadableNotification, check_readable
from openai_codex.types import UnknownNotification

TURN = Notification("turn/completed", {"threadId": "T", "turn": {"id": "U"}}, 5)
LOGIN = Notification("account/login/completed", {"loginId": "L", "success": True})


def test_it_says_where_it_belongs() -> None:
    assert (TURN.thread_id, TURN.turn_id, TURN.login_id) == ("T", "U", None)
    assert (LOGIN.thread_id, LOGIN.turn_id, LOGIN.login_id) == (None, None, "L")


def test_it_prints_short() -> None:
    assert repr(TURN) == "Notification(method='turn/completed', thread_id='T', turn_id='U')"


def test_it_equals_what_says_the_same_at_any_time() -> None:
    assert Notification("turn/completed", {"threadId": "T", "turn": {"id": "U"}}, 6) == TURN
    assert TURN != LOGIN
    assert TURN != "turn/completed"
    with pytest.raises(TypeError):
        hash(TURN)


def test_its_payload_is_built_when_it_is_first_asked_for_and_then_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    build = codec.structure_notification

    def noting(method: str, params: dict[str, Any]) -> Any:
        built.append(method)
        return build(method, params)

    monkeypatch.setattr(codec, "structure_notification", noting)
    frame = wire.decode(b'{"method":"account/login/completed","params":{"loginId":"L","success":true}}')
    for event in (frame, Notification(LOGIN.method, LOGIN.params)):
        assert isinstance(event, Notification)
        assert (event.login_id, built) == ("L", [])
        assert event.payload is event.payload
        assert built == [LOGIN.method]
        built.clear()


def test_a_payload_of_a_new_shape_is_kept_as_it_came_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    params = {"loginId": "L", "success": ["of", "a", "later", "version"]}
    event = Notification(LOGIN.method, params)
    assert event.payload == UnknownNotification(LOGIN.method, params)
    assert event.payload is event.payload
    logged = [vars(record)["codex"] for record in caplog.records]
    assert [(entry["event"], entry["method"]) for entry in logged] == [("codex.payload_misfit", LOGIN.method)]


def test_it_pickles() -> None:
    again = pickle.loads(pickle.dumps(TURN))  # noqa: S301  of our own making
    assert (again, again.emitted_at_ms) == (TURN, 5)


def test_one_that_cannot_be_read_pickles_with_the_reason() -> None:
    again = pickle.loads(pickle.dumps(UnreadableNotification(TURN.method, TURN.params, "too long")))  # noqa: S301  as above
    assert again == TURN
    with pytest.raises(DecodeError, match="turn/completed: too long"):
        check_readable(again)
