"""Get the answer as a value of your own type."""

from dataclasses import dataclass

from openai_codex import Codex, OutputError


@dataclass
class Finding:
    """One thing that should be changed."""

    file: str
    line: int
    advice: str


@dataclass
class Report:
    """The result of a code review."""

    summary: str
    findings: list[Finding]


with Codex() as codex:
    thread = codex.thread_start(sandbox="read-only")
    try:
        report = thread.run("Review this directory.", output_type=Report).output
    except OutputError as error:
        print(error.problems, error.text)
    else:
        print(report.summary)
        for finding in report.findings:
            print(f"{finding.file}:{finding.line}: {finding.advice}")
