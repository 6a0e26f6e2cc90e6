"""What a frozen program needs of this package beyond the imports that PyInstaller sees: run by PyInstaller when it builds one.

Modules are imported by name at first use, and the runtime is data of another package. Its directory is kept as it is, as
the runtime looks for its other programs beside itself.
"""

from __future__ import annotations

# It is there when PyInstaller runs this.
from PyInstaller.utils.hooks import collect_data_files, collect_submodules  # pyright: ignore[reportMissingModuleSource, reportMissingImports]

# The plugin is for pytest only, and would bring pytest along.
_LEFT_OUT = ("openai_codex._pyinstaller", "openai_codex.testing.pytest_plugin")

hiddenimports = [
    *collect_submodules("openai_codex", filter=lambda name: not name.startswith(_LEFT_OUT)),
    "codex_cli_bin",
    "shutil",  # imported by name as well
]

# PyInstaller tells programs from data by their first bytes, and keeps them executable.
datas = [*collect_data_files("openai_codex"), *collect_data_files("codex_cli_bin")]
