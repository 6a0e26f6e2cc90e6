"""Classes that attrs completes when they are used: what a program sees of them is what attrs makes at once."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

import openai_codex
from openai_codex import _protocol as protocol
from openai_codex._codec.base import Record
from openai_codex._codec.deferred import define
from openai_codex._protocol.methods import CLIENT_REQUESTS
from openai_codex.types import Turn, UserMessageThreadItem

OPTIONS: dict[str, Any] = {"kw_only": True, "eq": False, "repr": False}


class Plain(Record):
    """A text."""

    KIND: ClassVar[str] = "plain"

    first_name: str
    age: int | None = attrs.field(default=None, metadata={"secret": True})
    tags: list[str] = attrs.Factory(list)


def fresh() -> type[Any]:
    """Return a new class of which nothing was asked yet."""
    body = {name: value for name, value in Plain.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    made: type[Any] = define(**OPTIONS)(type("Plain", (Record,), body))
    return made


def test_it_has_the_fields_and_the_signature_that_attrs_makes() -> None:
    body = {name: value for name, value in Plain.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    at_once: Any = attrs.define(**OPTIONS)(type("Plain", (Record,), body))
    later = fresh()
    assert attrs.has(later)
    assert attrs.fields(later) == attrs.fields(at_once)
    assert inspect.signature(later) == inspect.signature(at_once)
    assert later.__slots__ == ["first_name", "age", "tags"]
    assert (later.__doc__, later.KIND, later.__module__) == (at_once.__doc__, at_once.KIND, at_once.__module__)


@pytest.mark.parametrize("use", [attrs.fields, lambda cls: cls(firstName="A"), inspect.signature, attrs.has, repr])
def test_whatever_is_asked_first_it_works(use: Any) -> None:
    cls = fresh()
    use(cls)
    made = cls(first_name="A")
    assert (made.first_name, made.age, made.tags, made.raw) == ("A", None, [], None)
    assert made.tags is not cls(first_name="B").tags
    assert cls(firstName="A") == made
    assert attrs.evolve(made, age=3).age == 3
    with pytest.raises(TypeError, match=r"Plain\.__init__\(\).*'nothing'"):
        cls(first_name="A", nothing=1)


def test_a_value_without_a_dict_is_copied_and_pickled() -> None:
    turn = Turn(id="t", items=[UserMessageThreadItem(id="u", content=[])], status=protocol.TurnStatus.completed)
    assert not hasattr(turn, "__dict__")
    for made in (copy.copy(turn), copy.deepcopy(turn), pickle.loads(pickle.dumps(turn))):  # noqa: S301  our own bytes
        assert made == turn
        assert made is not turn
    assert copy.copy(turn).items is turn.items


def test_a_class_of_a_program_derives_from_it() -> None:
    base = fresh()

    @attrs.define(kw_only=True)
    class Mine(base):  # type: ignore[misc, valid-type]  # a class that is made above
        more: int

    class Other(base):  # type: ignore[misc, valid-type]  # likewise
        def __init__(self) -> None:
            super().__init__(first_name="C")

    made: Any = Mine
    mine = made(first_name="A", more=1)
    assert (mine.first_name, mine.more) == ("A", 1)
    assert Other().first_name == "C"
    assert base(first_name="B").first_name == "B"


def test_threads_that_use_it_first_at_one_moment_get_the_same() -> None:
    for _ in range(20):
        cls, start, made = fresh(), threading.Barrier(4), list[Any]()

        def use(cls: Any = cls, start: threading.Barrier = start, made: list[Any] = made) -> None:
            start.wait(10)
            made.append(cls(firstName="A"))

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert made == [cls(first_name="A")] * 4


_UNTOUCHED = """
import sys
from openai_codex import types
types.Turn
module = sys.modules["openai_codex._protocol.turn"]
own = [vars(each) for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
print({type(each["__attrs_attrs__"]).__name__ for each in own if "__attrs_attrs__" in each})
"""


def test_importing_the_types_completes_none() -> None:
    done = subprocess.run([sys.executable, "-c", _UNTOUCHED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "{'_Part'}"


def test_every_type_of_a_request_is_completed() -> None:
    for names in CLIENT_REQUESTS.values():
        for name in names:
            cls: Any = getattr(protocol, name)
            if isinstance(cls, type):  # not where the schema leaves the shape open, nor a union
                assert "raw" in attrs.fields_dict(cls), name


def test_no_method_of_a_deferred_class_refers_to_the_class_before_it_had_slots() -> None:
    root = Path(openai_codex.__file__).parent
    checked = 0
    for path in root.rglob("*.py"):
        if "_codec.deferred import" in path.read_text(encoding="utf-8"):
            name = ".".join(("openai_codex", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
            module = importlib.import_module(name)
            for cls in [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == name]:
                for function in [each for each in vars(cls).values() if inspect.isfunction(each) and attrs.has(cls)]:
                    checked += 1
                    # As `super()` without arguments does.
                    closure = inspect.getclosurevars(function).nonlocals
                    assert closure.get("__class__", cls) is cls, function.__qualname__
    assert checked > 100


def test_a_class_that_is_completed_may_get_other_attributes_meanwhile() -> None:
    # As `attrs.resolve_types` sets one, on another thread that needs the class first.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            cls, over = fresh(), threading.Event()

            def change(cls: Any = cls, over: threading.Event = over) -> None:
                for number in range(5_000):
                    if over.is_set():
                        break
                    setattr(cls, f"other{number}", number)

            thread = threading.Thread(target=change)
            thread.start()
            assert cls(first_name="A").first_name == "A"
            over.set()
            thread.join(10)
    finally:
        sys.setswitchinterval(interval)


_FIELDS = """
import attrs
from openai_codex import _protocol as protocol
from openai_codex._codec.base import Record
from openai_codex._codec.deferred import Field, typed_fields

checked = 0
for name in dir(protocol):
    cls = getattr(protocol, name)
    if isinstance(cls, type) and issubclass(cls, Record) and attrs.has(cls.__mro__[1]):
        checked += type(vars(cls).get("__attrs_attrs__")).__name__ == "_Part"
        found = typed_fields(cls)
        attrs.resolve_types(cls)
        first, *others = [Field(each.name, each.default, each.type) for each in attrs.fields(cls)]
        assert found[0]._replace(type=None) == first._replace(type=None), "raw, whose type nobody evaluates"
        assert found[1:] == others, name
print(checked > 300)
"""


def test_the_fields_of_a_class_that_is_not_completed_are_those_that_attrs_tells() -> None:
    done = subprocess.run([sys.executable, "-c", _FIELDS], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "True", done.stderr


_ABSENT = """
from openai_codex import types
from openai_codex._codec import structure, unstructure

json = {"data": [], "nextCursor": None}
answer = structure(types.ThreadListResponse, {**json, "data": []})
assert unstructure(answer) == json and answer.model_dump(exclude_unset=True, by_alias=True) == json
turn = {"id": "t", "items": [], "status": "completed"}
assert unstructure(structure(types.Turn, turn)) == turn
print("same")
"""


def test_a_value_is_sent_back_as_it_came_in_a_process_that_has_done_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", _ABSENT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "same", done.stderr
