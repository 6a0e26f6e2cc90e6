"""Threads as bytes: exported from one Codex home, kept in a store, imported into another.

The runtime stores a thread in rollout files, of which only the newest grows: a fork or a reverted thread begins at a byte
of another file. `rollouts` knows that format, `package` the one of the bytes, `placing` writes files into a home. It also
holds the errors of all this.
"""

# First, as it has the errors of this package among its names: a process that unpickles one begins with this package.
import openai_codex.errors  # noqa: F401  # pyright: ignore[reportUnusedImport]  for its effect
