"""A conformance test for stores of exported threads."""

from __future__ import annotations

import uuid

from openai_codex._portable.store import ThreadStore

_LARGE = 5_000_000


def check_thread_store(store: ThreadStore) -> None:
    """Test that a store does what `ThreadStore` says, with threads of new ids, which stay in it.

    Call it from a test, with a store that may be written to:

        def test_my_store(bucket):
            check_thread_store(MyStore(bucket))

    Raises:
        AssertionError: It does not. The text says in what.
    """
    first, second, absent = (str(uuid.uuid4()) for _ in range(3))
    before = set(store.list())
    _expect(not before & {first, second}, "list() names threads that nobody has put")
    every_byte = bytes(range(256)) * 2 + b"\r\n\0"
    store.put(first, every_byte)
    _expect(store.get(first) == every_byte, "get() does not return the bytes that were put, byte by byte")
    _expect(type(store.get(first)) is bytes, "get() does not return bytes, but a value of another type")
    store.put(second, bytes(_LARGE))
    _expect(store.get(second) == bytes(_LARGE), f"get() does not return {_LARGE:,} bytes as they were put")
    _expect(store.get(first) == every_byte, "put() of one thread changes another one")
    store.put(first, b"newer")
    _expect(store.get(first) == b"newer", "the second put() of a thread does not replace the first")
    listed = list(store.list())
    _expect(set(listed) == before | {first, second}, "list() does not name exactly the threads that were put")
    _expect(len(listed) == len(set(listed)), "list() names a thread twice")
    try:
        store.get(absent)
    except KeyError:
        pass
    else:
        raise AssertionError("get() of a thread that was never put does not raise KeyError")
    _expect(absent not in store.list(), "get() of an absent thread makes list() name it")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
