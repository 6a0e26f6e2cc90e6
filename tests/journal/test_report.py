"""The report of an error has what its client knows; without a client, what the error knows."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    CodexError,
    ConfigError,
    DecodeError,
    EventTimeoutError,
    InvalidRequestError,
    Journal,
    LaunchError,
    RequestTimeoutError,
    ThreadLostError,
    TurnFailedError,
    TurnTimeoutError,
)
from openai_codex._engine.recent import Recent
from openai_codex._journal.redact import Redactor
from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex.errors import ProcessInfo
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE

ERRORS: list[Callable[[], CodexError]] = [
    lambda: CodexError("plain"),
    lambda: ConfigError("a", "b"),
    lambda: DecodeError("T", ("x",)),
    lambda: EventTimeoutError(1.0),
    lambda: InvalidRequestError(-32600, "no", {"token": "pl4nted-s3cret-0123456789"}, "m"),
    lambda: LaunchError("gone", ProcessInfo(("codex", "--token", "pl4nted-s3cret-0123456789"), 7, 3, ("bye",))),
    lambda: RequestTimeoutError("m", 1.0),
    lambda: ThreadLostError("t", 2),
    lambda: TurnTimeoutError("t", "u", 1.0),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_an_error_without_a_client_reports_what_it_knows(number: int) -> None:
    error = ERRORS[number]()
    for report in (error.report(), pickle.loads(pickle.dumps(error)).report("cut")):  # noqa: S301  our own
        assert report.startswith(f"# Report of a {type(error).__name__}\n")
        assert RUNTIME_VERSION in report
        assert "pl4nted" not in report
    assert ("bye" in error.report()) == isinstance(error, LaunchError)


def test_an_error_of_a_request_reports_its_own_client() -> None:
    with FakeAppServer() as one, FakeAppServer() as two:
        config = one.config(env={"SERVICE_TOKEN": "pl4nted-s3cret-0123456789"}, request_timeout=7.0)
        with Codex(config) as first, Codex(two.config()) as second:
            second.thread_start()
            one.refuse("thread/start", -32600, message="refused by the first")
            with pytest.raises(InvalidRequestError) as caught:
                first.thread_start()
    report = caught.value.report()
    assert "refused by the first" in report.partition("## The newest frames")[2]
    assert "request_timeout = 7.0" in report
    assert "env = <SERVICE_TOKEN>" in report
    assert "pl4nted" not in report


def test_a_start_that_fails_reports_its_process() -> None:
    with pytest.raises(LaunchError) as caught:
        Codex(AppServerConfig(codex_bin="/bin/false"))
    report = caught.value.report()
    assert "codex_bin = '/bin/false'" in report
    assert "command: /bin/false app-server" in report


def test_a_report_is_bounded_and_so_is_what_is_kept() -> None:
    with FakeAppServer() as server, Codex(server.config()) as codex:
        thread = codex.thread_start()
        turn = thread.turn("x" * 500_000)
        for number in range(2_000):
            server.turn.delta(f"{number} {'y' * 300}")
        server.turn.fail("the end")
        with pytest.raises(TurnFailedError) as caught:
            turn.run(timeout=PATIENCE)
        recent = max(
            (each for reference in Recent.known.copy() if (each := reference())), key=lambda each: each.started_at
        )
        assert sum(len(chunk) for _, chunk in recent.received) <= 1 << 17
        assert sum(len(line) for _, line in recent.sent) <= 1 << 16
    report = caught.value.report()
    assert len(report) < 300_000
    assert "the end" in report.partition("## The newest frames")[2]
    assert "1999 yyy" in report


def test_a_large_read_does_not_leave_the_next_one_alone() -> None:
    recent = Recent(1, None)
    for chunk in (b"x" * (1 << 16), b"y\n", b"z\n"):
        recent.keep(chunk)
    assert [len(chunk) for _, chunk in recent.received] == [1 << 16, 2, 2]


def test_a_report_masks_what_the_journal_does_and_survives_any_frame(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl", redact=["customer"])
    with FakeAppServer() as server, Codex(server.config(journal=journal)) as codex:
        turn = codex.thread_start().turn("go")
        server.child.write(b'{"method":"deep","params":' + b"[" * 900 + b"]" * 900 + b"}\n")
        server.turn.item_completed({"type": "plan", "id": "p", "text": '{"customer": "Jane Doe"}'})
        server.turn.fail("the end")
        with pytest.raises(TurnFailedError) as caught:
            turn.run(timeout=PATIENCE)
    report = caught.value.report()
    assert "the end" in report
    assert "Jane" not in report


def test_names_that_the_user_masks_are_masked_in_all_chapters(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl", redact=["customer", "cwd"])
    overrides = {
        "kept": "yes",
        "customer": "Jane Doe 1",
        "a": {"customer": "Jane Doe 2", "b": [{"customer": ["Jane Doe 3"]}]},
    }
    with FakeAppServer() as server:
        config = server.config(journal=journal, config_overrides=overrides, cwd=str(tmp_path), client_title="a title")
        with Codex(config) as codex:
            server.refuse("thread/start", -32600, message="no", data={"customer": "Jane Doe 5"})
            server.child.write_stderr(b"customer: Jane Doe 6\n")
            with pytest.raises(InvalidRequestError) as caught:
                codex.thread_start()
    report = caught.value.report()
    assert "Jane" not in report
    assert "cwd = ***" in report
    assert "kept" in report
    assert "client_title = 'a title'" in report


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("customer=Jane Doe', 'x=1'", "customer=***', 'x=1'"),
        ('customer="Jane, Doe", x=1', "customer=***, x=1"),
        ("{'CUSTOMER': 'Jane', 'x': 1}", "{'CUSTOMER': ***, 'x': 1}"),
        ('{\\"customer\\": \\"Jane\\", x: 1}', '{\\"customer\\": ***, x: 1}'),
        ("a.customer = ['Jane', 'Joe']", "a.customer = ***"),
        ("customer: Jane, x: 1", "customer: ***, x: 1"),
        ("customer: Jane", "customer: ***"),
        (
            "customers = 3, no-customer = 4, redact=('customer',)",
            "customers = 3, no-customer = 4, redact=('customer',)",
        ),
    ],
)
def test_a_named_value_is_masked_in_any_spelling(text: str, shown: str) -> None:
    assert Redactor(names=("customer",)).setting("any", text) == shown
    assert Redactor().setting("any", text) == text
