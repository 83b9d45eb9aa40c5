"""What the site has beside the pages of docs/: papers of the repository's top, and linked files.

A link out of docs/ works where the repository is browsed. In the site it leads to a copy of the
file; where there is no such file, the build fails.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAPERS = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files of the top that are pages of the site."""

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)[^)\s#]+")
ROLE = re.compile(r":(?:attr|class|func|meth|mod):<code>~?\.*")
"""A reference in a docstring, as it comes out of Markdown."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the papers, and every file that a page links."""
    for paper, place in PAPERS.items():
        text = (ROOT / paper).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=text))
    for page in list(files.documentation_pages()):
        for target in LINK.findall(page.content_string):
            path = _in_repository(page.src_uri, target)
            place = _in_site(path)
            if not place.startswith("files/") or files.get_file_from_path(place):
                continue
            if not (ROOT / path).is_file():
                raise PluginError(f"{page.src_uri}: there is no file {path}")
            files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Have the links lead to where the files are in the site."""
    source = page.file.src_uri
    here = posixpath.dirname(source) or "."
    return LINK.sub(
        lambda link: posixpath.relpath(_in_site(_in_repository(source, link[0])), here), markdown
    )


def on_page_content(html: str, **_: object) -> str:
    """Take Sphinx's roles out of docstrings."""
    return ROLE.sub("<code>", html)


def _in_repository(page: str, target: str) -> str:
    papers = {place: paper for paper, place in PAPERS.items()}
    source = papers.get(page, f"docs/{page}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _in_site(path: str) -> str:
    if path in PAPERS:
        return PAPERS[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}"
