"""Let the model call functions of this program; their docstrings and annotations are the declaration."""

from typing import Literal

from openai_codex import Codex, tool

STOCK = {"apple": 12, "pear": 0}
MOST = 100


@tool
def stock(fruit: Literal["apple", "pear"]) -> dict[str, int]:
    """Return how many of a fruit are left."""
    return {fruit: STOCK[fruit]}


@tool(timeout=10)
def order(fruit: str, amount: int = 10) -> str:
    """Order more of a fruit."""
    if amount > MOST:
        raise ValueError(f"at most {MOST} at a time")  # the model gets this text and can correct the call
    STOCK[fruit] += amount
    return f"{amount} on their way"


with Codex() as codex:
    thread = codex.thread_start(tools=[stock, order])
    print(thread.run("We are out of something. Order it.").final_response)
print(STOCK)
