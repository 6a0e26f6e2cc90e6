"""The conformance test finds what is wrong with a store."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from openai_codex.testing import check_thread_store


class Memory:
    """A store that conforms."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, thread_id: str, data: bytes) -> None:
        self.kept[thread_id] = data

    def get(self, thread_id: str) -> bytes:
        return self.kept[thread_id]

    def list(self) -> Sequence[str]:
        return list(self.kept)


class KeepsTheFirst(Memory):
    def put(self, thread_id: str, data: bytes) -> None:
        self.kept.setdefault(thread_id, data)


class AsText(Memory):
    def put(self, thread_id: str, data: bytes) -> None:
        super().put(thread_id, data.replace(b"\r\n", b"\n"))


class GivesNone(Memory):
    def get(self, thread_id: str) -> bytes:
        return self.kept.get(thread_id, b"")


class GivesAView(Memory):
    def get(self, thread_id: str) -> bytes:
        return bytearray(self.kept[thread_id])  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  the point


class ListsNothing(Memory):
    def list(self) -> Sequence[str]:
        return []


class ListsTwice(Memory):
    def list(self) -> Sequence[str]:
        return [*self.kept, *self.kept]


def test_a_store_that_conforms_passes_again_and_again() -> None:
    store = Memory()
    check_thread_store(store)
    check_thread_store(store)


@pytest.mark.parametrize(
    ("store", "text"),
    [
        (KeepsTheFirst(), "does not replace the first"),
        (AsText(), "byte by byte"),
        (GivesNone(), "does not raise KeyError"),
        (GivesAView(), "another type"),
        (ListsNothing(), "does not name exactly"),
        (ListsTwice(), "names a thread twice"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_store_that_does_not_is_told_why(store: Memory, text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        check_thread_store(store)
