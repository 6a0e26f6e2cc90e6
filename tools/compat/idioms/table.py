"""The table: the idioms about values, and those about clients, threads, turns, streams and errors."""

from __future__ import annotations

from tools.compat.idioms.values import TYPES, VALUES, Idiom

IDIOMS: tuple[Idiom, ...] = (
    *VALUES,
    # --------------------------------------------------------------- iteration, context managers, threads and turns
    Idiom("iteration", "[e.method for e in thread.turn('Hello').stream() if e.method == 'turn/completed']"),
    # Threads of their own: a turn that is left running takes the next input of its thread.
    Idiom("iteration", "s = codex.thread_start().turn('Hello').stream(); type(next(s)).__name__"),
    Idiom("iteration", "s = codex.thread_start().turn('Hello').stream(); first = next(s).method; s.close(); first"),
    Idiom(
        "iteration",
        "from openai_codex import AsyncCodex, CodexConfig\n"
        "async with AsyncCodex(CodexConfig(**settings)) as c:\n"
        "    turn = await (await c.thread_start()).turn('Hello')\n"
        "    seen = [e.method async for e in turn.stream()]\n"
        "seen[-1]",
    ),
    Idiom(
        "context",
        "from openai_codex import Codex, CodexConfig\n"
        "with Codex(CodexConfig(**settings)) as c: c.thread_start(ephemeral=True)\n"
        "c.close()",
    ),
    Idiom(
        "context",
        "from openai_codex import AsyncCodex, CodexConfig\n"
        "c = AsyncCodex(CodexConfig(**settings))\n"
        "said = (await (await c.thread_start(ephemeral=True)).run('Hello')).final_response\n"
        "await c.close()\nsaid",
    ),
    Idiom(
        "aclose",
        "import contextlib; from openai_codex import AsyncCodex, CodexConfig\n"
        "async with AsyncCodex(CodexConfig(**settings)) as c:\n"
        "    turn = await (await c.thread_start()).turn('Hello')\n"
        "    async with contextlib.aclosing(turn.stream()) as s:\n"
        "        first = (await s.__anext__()).method\n"
        "first",
    ),
    Idiom(
        "aclose",
        "from openai_codex import AsyncCodex, CodexConfig\n"
        "async with AsyncCodex(CodexConfig(**settings)) as c:\n"
        "    s = (await (await c.thread_start()).turn('Hello')).stream()\n"
        "    async for e in s: break\n"
        "    await s.aclose()\n"
        "e.method",
    ),
    Idiom("call", "from openai_codex import TextInput; thread.run([TextInput('Hello')], effort='low').final_response"),
    Idiom("call", "thread.set_name('A name'); thread.read().thread.name"),
    Idiom("call", "type(codex.thread_list(limit=1).data[0].id)"),
    Idiom(
        "call",
        "from openai_codex import AsyncCodex, AsyncThread, CodexConfig\n"
        "async with AsyncCodex(CodexConfig(**settings)) as c:\n"
        "    said = (await AsyncThread(c, (await c.thread_start()).id).run('Hello')).final_response\n"
        "said",
    ),
    Idiom(
        "private",
        f"{TYPES}; type(codex._client.request('thread/loaded/list', {{}}, response_model=ThreadLoadedListResponse).data)",
    ),
    Idiom(
        "private",
        f"{TYPES}; codex._client.request('model/list', {{}}, response_model=ModelListResponse).data[0].id != ''",
    ),
    Idiom("private", "from openai_codex import Thread; Thread(codex._client, thread.id).run('Hello').final_response"),
    Idiom("private", "from openai_codex.client import CodexClient; type(CodexClient(approval_handler=None))"),
    Idiom("private", "codex._client._approval_handler = lambda method, params: {'decision': 'accept'}; 'set'"),
    Idiom("private", "codex._client.thread_start({}).model"),
    Idiom(
        "private",
        "from openai_codex import CodexConfig, Thread; from openai_codex.client import CodexClient\n"
        "made = CodexClient(CodexConfig(**settings), approval_handler=lambda *_: {'decision': 'accept'})\n"
        "made.start(); made.initialize()\n"
        "said = Thread(made, made.thread_start({}).thread.id).run('Hello').final_response\n"
        "made.close()\nsaid",
    ),
    Idiom("private", "codex._client._proc.pid > 0"),
    # -------------------------------------------------------------------------------------------------------- errors
    Idiom("error", "thread.run('Fail, please')"),
    Idiom("error", "try: thread.run('Fail, please')\nexcept RuntimeError as e: said = str(e)\nsaid"),
    Idiom(
        "error",
        "from openai_codex import InvalidRequestError, JsonRpcError\n"
        "try: codex.thread_resume('00000000-0000-7000-8000-000000000000')\n"
        "except JsonRpcError as e: found = [isinstance(e, InvalidRequestError), e.code, 'no rollout found' in str(e)]\n"
        "found",
    ),
    Idiom(
        "error",
        "from openai_codex import ServerBusyError, is_retryable_error; is_retryable_error(ServerBusyError(-32001, 'busy'))",
    ),
    Idiom(
        "error",
        "from openai_codex import CodexError, TransportClosedError; issubclass(TransportClosedError, CodexError)",
    ),
    Idiom("error", f"{TYPES}; Turn.model_validate({{'id': 1}})"),
)
