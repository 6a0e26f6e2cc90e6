"""The packages that are run, and what each needs of the index. Everything else reads this table."""

from __future__ import annotations

import attrs


@attrs.frozen
class Package:
    """A package that uses the SDK.

    Attributes:
        requirement: What pip is asked for, without the extra that names the SDK if its range excludes 0.163.0.
        programs: The modules in `programs` that drive it.
        wants: Its requirement of the SDK.
        others: What else it needs, where its own requirements cannot be used.
    """

    requirement: str
    programs: tuple[str, ...]
    wants: str
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name on the index."""
        return self.requirement.partition("[")[0].partition("=")[0]

    @property
    def is_alone(self) -> bool:
        """Whether it is installed without its requirements, because its range of the SDK excludes 0.163.0."""
        return "==" in self.wants or "<0.163" in self.wants


PACKAGES = (
    Package("agno[codex]==3.1.10", ("agno_agent",), "openai-codex"),
    Package("agent-runtime-kit[codex]==0.5.5", ("runtime_kit",), "openai-codex>=0.157.1,<0.164"),
    Package("almanac-yoke[codex]==0.1.7", ("yoke_sessions",), "openai-codex"),
    Package(
        "callva-harness-runner==0.10.1", ("callva_turns",), "openai-codex==0.159.0", ("claude-agent-sdk==0.2.174",)
    ),
    Package(
        "dataframeit[codex]==0.10.0",
        ("dataframeit_rows",),
        "openai-codex==0.1.0b3",
        ("dataframeit==0.10.0", "filelock>=3.13"),
    ),
    Package(
        "vidbyte-sdk[codex]==0.4.0",
        ("vidbyte_agent", "vidbyte_host"),
        "openai-codex>=0.162.1,<0.163.0",
        ("vidbyte-sdk==0.4.0",),
    ),
)
"""Versions are pinned, so that a difference is one of ours, and not of a new release of theirs."""

LINES = "lines"
"""The program of single lines; it needs no package."""
