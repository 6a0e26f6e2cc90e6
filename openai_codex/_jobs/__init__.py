"""Jobs: conversations as values that any process can carry out, and what a pool of them needs beside waiting."""

# First, as it has the error of this package among its names: a process that unpickles one begins with this package.
import openai_codex.errors  # noqa: F401  # pyright: ignore[reportUnusedImport]  for its effect
