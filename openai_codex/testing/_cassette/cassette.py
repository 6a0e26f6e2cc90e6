"""`Cassette`: a model on loopback whose answers come from a provider, and are recorded, or from such a record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from typing_extensions import Self

from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing._cassette.player import Player
from openai_codex.testing._cassette.recorder import Recorder
from openai_codex.testing._cassette.tape import Tape, read_tape
from openai_codex.testing._cassette.upstream import upstream_of
from openai_codex.testing._http import LoopbackServer
from openai_codex.testing._waiting import ScriptError

if TYPE_CHECKING:
    from types import TracebackType

BASE = "/v1"


class Cassette(NotPickled):
    """The answers of a provider on ``http://127.0.0.1:PORT/v1``; made by `ScriptedModel.record` and `.replay`.

    Entering the context starts it. Leaving it drops every connection, closes the file, and raises `ScriptError` for requests
    that could not be answered.
    """

    _TO_PICKLE = "pickle the path of its file"

    def __init__(self, name: str, source: Recorder | Player) -> None:
        self._name = name
        self._source = source
        self._server: LoopbackServer | None = None

    @property
    def url(self) -> str:
        """The base URL for a provider of the runtime. Raises `ScriptError` before the context is entered."""
        if self._server is None:
            raise ScriptError(("the cassette is not started: use it as a context",))
        return f"http://127.0.0.1:{self._server.port}{BASE}"

    def __enter__(self) -> Self:
        if self._server is not None:
            raise ScriptError(("a cassette can be used only once",))
        self._server = LoopbackServer(self._source.respond)
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
        self._source.close()
        if kind is None and self._source.problems:
            raise ScriptError(tuple(f"{self._name}: {problem}" for problem in self._source.problems))


class Cassettes:
    """What makes cassettes, as methods of `ScriptedModel`."""

    @staticmethod
    def record(upstream_url: str, path: str | os.PathLike[str]) -> Cassette:
        """Pass the requests of the runtime on to a provider, and write its answers to a file.

            with ScriptedModel.record("https://api.openai.com/v1", "cassette.jsonl") as model:
                with temporary_home(model.url, provider={"env_key": "OPENAI_API_KEY"}) as home:
                    ...  # run turns with home.config(env={"OPENAI_API_KEY": key})

        The file has the status, the headers that matter and the body of each answer, and of each request what it is known
        by; see `replay`. It has no header of a request, so no key. Secrets in the conversation and in the answers are ``***``, by
        the same table as in a journal, and so they are when the cassette is replayed: what the model passes to a tool as
        ``token``, for instance. It is for the user alone (mode 600), and an earlier one is replaced.

        Args:
            upstream_url: The base URL of the provider, with http or https. Its certificate is checked; proxies are not used.
            path: The file.

        Returns:
            A context, whose ``url`` is for a provider of the runtime.

        Raises:
            ConfigError: The URL is not accepted, or the file cannot be written.
            ScriptError: On leaving the context: the provider could not be reached, or its answer ended too early. The
                runtime has received status 502.
        """
        upstream = upstream_of(upstream_url)
        return Cassette(os.fspath(path), Recorder(upstream, Tape(path), BASE))

    @staticmethod
    def replay(path: str | os.PathLike[str]) -> Cassette:
        """Give the runtime the answers that `record` has written. No request goes out.

            with ScriptedModel.replay("cassette.jsonl") as model, temporary_home(model.url) as home:
                ...  # run the same turns with home.config()

        A request is known by its path, model and conversation: the messages of user and model, and the calls of tools. What
        the user wrote is compared to the letter, secrets by a digest. Not compared are outputs of tools, instructions,
        declarations of tools, reasoning, and what the runtime adds about the machine, the time and sub-agents. Of ids that
        the runtime makes, the new ones are put into the answers. A last line that is not whole is left out. Each answer is
        given once, to equal requests in their order. An answer that the runtime did not take to its end, as on an
        interrupt, stays open until the runtime leaves it again.

        Args:
            path: The file.

        Returns:
            A context, whose ``url`` is for a provider of the runtime.

        Raises:
            ConfigError: The file cannot be read, or is not a cassette.
            ScriptError: On leaving the context: a request was not in the file. Its turn has failed with what was asked.
        """
        return Cassette(os.fspath(path), Player(read_tape(path), BASE))
