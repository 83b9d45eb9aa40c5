"""The site of docs/: `make docs` builds it, and every warning is an error."""

from importlib.metadata import version as version_of
from pathlib import Path

project = "bgpreflector"
author = "the authors of bgpreflector"
version = release = version_of("bgpreflector")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]

# `--config` is what is typed: no dash, and no quotes but those that a shell knows.
smartquotes = False

# What is copied of a transcript is what was typed, without prompts and answers.
copybutton_prompt_text = r"[$#] |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_here_doc_delimiter = "END"
html_static_path = ["_static"]
html_css_files = ["prompts.css"]
html_theme = "furo"
html_title = f"bgpreflector {version}"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False

# Anchors as a forge makes them, so that links work in both places.
myst_heading_anchors = 3

# `make bench OUT=docs` draws it; until then the page on performance is without.
if not Path(__file__).with_name("performance.svg").exists():
    suppress_warnings = ["image.not_readable"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
