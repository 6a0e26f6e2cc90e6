"""Run many turns at once on one client, without a thread per turn or an executor."""

import asyncio

from openai_codex import AsyncCodex, TurnFailedError


async def main() -> None:
    """Ask ten questions at once."""
    async with AsyncCodex() as codex:

        async def ask(question: str) -> str:
            thread = await codex.thread_start(ephemeral=True)
            try:
                result = await thread.run(question, timeout=300)
            except TurnFailedError as error:
                return f"failed: {error}"
            return result.final_response or "(no answer)"

        questions = [f"What is {number} squared?" for number in range(10)]
        for question, answer in zip(questions, await asyncio.gather(*map(ask, questions)), strict=True):
            print(question, "→", answer)


asyncio.run(main())
