"""Tells PyInstaller, by the entry point `pyinstaller40`, where the hook is that it runs for this package.

Nothing else imports it, and it imports nothing of the package.
"""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """Return the directory with the hook."""
    return [str(Path(__file__).parent)]
