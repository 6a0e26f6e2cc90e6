"""What the pages take from the code: a cookbook of the examples, a page for each domain of the protocol, public names.

It knows nothing of the text of the pages. The files that it writes, `api/types/*.md`, are not in git.
"""

from __future__ import annotations

import ast
import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from docutils import nodes

import openai_codex
from openai_codex import _protocol, errors, testing, types

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[2]

# Where the pages have a name, in the order in which a name is looked for.
_PUBLIC = (openai_codex, errors, testing, types)

# What is not public and may be in the signature of a class that programs make: the type of `LATER`, and type variables.
_IN_SIGNATURES = {"Later", "OutputT", "R"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the events of Sphinx."""
    app.connect("config-inited", write_domains)
    app.connect("source-read", add_examples)
    app.connect("source-read", add_domains)
    # Before napoleon, which knows the sections of a docstring.
    app.connect("autodoc-process-docstring", prepare, priority=400)
    app.connect("autodoc-process-signature", hide_signature)
    app.connect("missing-reference", find_public)
    app.connect("doctree-read", describe)
    app.connect("doctree-resolved", spell_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


# ------------------------------------------------------------------------------------------------------------ cookbook


def add_examples(app: Sphinx, docname: str, content: list[str]) -> None:
    """Append a section for each example to the page `cookbook`: its docstring, and its source."""
    if docname != "cookbook":
        return
    for path in sorted((ROOT / "examples").glob("*.py")):
        content[0] += section(path, title_of(path.stem))
    content[0] += "\n## In other libraries\n"
    for path in sorted((ROOT / "examples" / "recipes").glob("*.py")):
        if not path.stem.startswith("test_"):
            content[0] += section(path, title_of(path.stem), level=3)


def add_domains(app: Sphinx, docname: str, content: list[str]) -> None:
    """Put links to the pages of the domains into the page `api/protocol`. They would be too many for the sidebar."""
    if docname == "api/protocol":
        links = ", ".join(f"[{domain.replace('_', ' ')}](types/{domain}.md)" for domain in domains())
        content[0] = content[0].replace("<!-- domains -->", links)


def title_of(stem: str) -> str:
    """Return the title of an example: the name of its file, without the number."""
    return re.sub(r"^\d+_", "", stem).replace("_", " ").capitalize()


def section(path: Path, title: str, level: int = 2) -> str:
    """Return the Markdown of one example. The source follows without the docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree)
    assert text is not None, f"{path} has no docstring"
    first = tree.body[0].end_lineno or 0
    where = path.relative_to(ROOT).as_posix()
    include = f"```{{literalinclude}} ../{where}\n:language: python\n:lines: {first + 2}-\n```"
    return f"\n{'#' * level} {title}\n\n{text}\n\n{include}\n"


# -------------------------------------------------------------------------------------------------------- descriptions


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Give a page the first sentence of its text as its description, which `llms.txt` shows."""
    text = next((each.astext() for each in doctree.findall(nodes.paragraph)), "")
    sentence = re.split(r"(?<=\.)\s", text.replace("\n", " "), maxsplit=1)[0]
    doctree.insert(0, nodes.meta(name="description", content=sentence))


# --------------------------------------------------------------------------------------------------------- the protocol


def write_domains(app: Sphinx, config: Any) -> None:
    """Write a page for each module of the generated protocol types; those that are right stay untouched."""
    folder = Path(app.srcdir) / "api" / "types"
    folder.mkdir(exist_ok=True)
    pages = {f"{domain}.md": page_of(domain, names) for domain, names in domains().items()}
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def domains() -> dict[str, list[str]]:
    """Return the public types by the module that has them."""
    found: dict[str, list[str]] = {}
    for name, home in _protocol.HOMES.items():
        found.setdefault(home, []).append(name)
    return found


def page_of(domain: str, names: list[str]) -> str:
    """Return the page of a domain."""
    body = "\n".join(map(entry, names))
    return f"---\norphan: true\n---\n\n# {domain.replace('_', ' ').capitalize()}\n\n```{{eval-rst}}\n{body}```\n"


def entry(name: str) -> str:
    """Return the entry of a type: a record with its fields, an enum with its values, or the members of a union."""
    item = getattr(types, name)
    if not isinstance(item, type):
        members = ", ".join(f":py:obj:`{each.__name__}`" for each in get_args(item))
        return f".. py:data:: openai_codex.types.{name}\n\n   One of {members}.\n"
    shown = "members:\n   :undoc-members:" if issubclass(item, Enum) else "no-members:"
    return f".. autoclass:: openai_codex.types.{name}\n   :no-inherited-members:\n   :{shown}\n"


# ----------------------------------------------------------------------------------------------------------- docstrings


def prepare(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Change a docstring where napoleon or reStructuredText would take its text for something else."""
    # With nothing before its first colon, a text is taken for no type: that of an attribute, and that of a result.
    if what in {"attribute", "data", "property"} and lines:
        lines[0] = ": " + lines[0]
    for number, line in enumerate(lines):
        if line in {"Returns:", "Yields:"} and lines[number + 1 :]:
            lines[number + 1] = re.sub(r"^    (?=\S)", "    : ", lines[number + 1])
        # A letter after the quotation mark, as of a plural, has to be told.
        lines[number] = re.sub(r"(?<![`\w])(`[\w.]+`)(?=\w)", r"\1\\ ", lines[number])
    lines[:] = with_literals(lines)


def with_literals(lines: list[str]) -> list[str]:
    """Return a docstring whose indented paragraphs are code, and not quotations."""
    found: list[str] = []
    is_code = False
    for line in lines:
        begins = line.startswith("    ") and found[-1:] == [""] and not is_code
        before = next((each for each in reversed(found) if each), " ")
        if begins and not before.startswith(" "):
            found += ["::", ""]
            is_code = True
        elif line and not line.startswith(" "):
            is_code = False
        found.append(line)
    return found


def hide_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    """Leave out the signature of a class that only this package makes: a parameter has a type that is not public."""
    names = re.findall(r"openai_codex\._[\w.]+", signature or "") if what == "class" else []
    is_made = any(each.rpartition(".")[2] not in _IN_SIGNATURES and not candidates(each) for each in names)
    return ("", None) if is_made else None


def spell_out(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the star of a signature as text for Markdown, whose builder leaves out what has a tooltip."""
    if app.builder.name != "html":
        for node in [*doctree.findall(nodes.abbreviation)]:
            node.replace_self(nodes.Text(node.astext()))


def find_public(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element) -> nodes.Node | None:
    """Lead a name of a private module, or one without a module, to where the pages have it."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains.python_domain
    for name in candidates(str(node["reftarget"])):
        if name in domain.objects:
            return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)
    # What stands between single backticks in a docstring may be a name of the protocol, or a file; it is shown as code.
    return contnode if node["reftype"] == "obj" else None


def candidates(target: str) -> list[str]:
    """Return the public names that a name may stand for."""
    last = target.removeprefix("protocol.").rpartition(".")[2] if "._" in target or "." not in target else target
    return [f"{module.__name__}.{last}" for module in _PUBLIC if last.partition(".")[0] in dir(module)]
