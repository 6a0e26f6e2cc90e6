"""What may be the beginning of a secret, and what is not held back."""

from __future__ import annotations

import pytest

from openai_codex._journal.beginnings import unfinished


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word here may be the beginning of a secret that another test has passed."""
    monkeypatch.setattr("openai_codex._journal.beginnings.known", tuple)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("it is g", "g"),
        ("it is ghp_", "ghp_"),
        ("it is ghp_12ab", "ghp_12ab"),
        ("KEY=sk-1", "sk-1"),
        ("Authorization: Bea", "Bea"),
        ("Authorization: Bearer ", "Bearer "),
        ("Authorization: Bearer 12", "Bearer 12"),
        ("https:", ":"),
        ("https://me:pa@ss", "://me:pa@ss"),
        ("cor", "cor"),
        ("", ""),
        ("a word", ""),
        ("a word ", ""),
        ("a risk", ""),
        ("https://host/path", ""),
        ("ghp_12 is no token", ""),
        ("in 日本語", ""),
    ],
)
def test_what_may_go_on_as_a_secret(text: str, rest: str) -> None:
    assert unfinished(text, ["correct horse"]) == len(rest)


def test_what_is_known_is_held_until_it_is_whole() -> None:
    known = "correct horse"
    assert [unfinished(known[:end], [known]) for end in range(1, len(known))] == list(range(1, len(known)))
    assert unfinished(known, [known]) == 0
    assert unfinished("xx correct horses", [known]) == 0


def test_within_a_word_only_where_it_is_asked_for() -> None:
    assert unfinished("battery7ghp_12") == 0
    assert unfinished("battery7ghp_12", within_words=True) == len("ghp_12")
