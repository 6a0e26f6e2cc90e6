"""The settings of Sphinx: `make docs` builds these pages without a network, and a warning is an error."""

import sys
from pathlib import Path

from openai_codex import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "openai-codex"
release = version = __version__
copyright = "the authors of openai-codex"
html_title = f"openai-codex {release}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_llm.txt", "site_pages"]
exclude_patterns = ["_build"]
nitpicky = True
# Names of the standard library, type variables, and private types that an annotation shows: they have no page here.
nitpick_ignore_regex = [
    ("py:.*", r"(asyncio|_asyncio|collections|concurrent|enum|os|pathlib|re|types|typing|typing_extensions)\..+"),
    ("py:.*", r"(openai_codex\.)?(\w+\.)*~?[A-Z]|.*\.OutputT"),
    ("py:.*", r"openai_codex\.(\w+\.)*_.+|ToolSettings"),
]

default_role = "py:obj"
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": "object"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Nothing is asked from elsewhere: neither fonts nor inventories of other sites.
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False

# One Markdown builder writes llms.txt, llms-full.txt and a Markdown file beside each page. It reuses what was read.
llms_txt_description = (
    "Threads, turns, streams, approvals and tools of OpenAI's Codex for Python programs, sync and async."
)
llms_txt_full_build = True
llms_txt_build_parallel = False
llms_txt_suffix_mode = "replace"
llms_txt_nested_enabled = False
llms_txt_exclude = ["api/types/*"]
# Brackets around optional parameters of a built-in, and the description of a page.
llms_txt_suppress_unknown_node_warnings = ["desc_optional", "meta"]
