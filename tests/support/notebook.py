"""Runs a notebook from top to bottom: `python -m tests.support.notebook PATH DIRECTORY` prints it with its outputs.

A program of its own, as the libraries leave sockets to the garbage collector. The sockets are files of the directory, not
ports.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config


def main(path: str, directory: str) -> None:
    """Run it in a directory."""
    notebook = nbformat.read(path, as_version=4)
    sockets = Config({"KernelManager": {"transport": "ipc", "ip": str(Path(directory) / "kernel")}})
    NotebookClient(notebook, config=sockets, resources={"metadata": {"path": directory}}).execute()
    sys.stdout.write(nbformat.writes(notebook))


if __name__ == "__main__":
    main(*sys.argv[1:])
