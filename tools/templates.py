"""Pages from templates, one way for every command that writes HTML: whatever is put in is escaped."""

from pathlib import Path
from typing import Any

import jinja2


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def page_of(folder: Path, name: str, /, **values: Any) -> str:
    """A page that a template makes.

    Args:
        folder: of the templates.
        name: the template's file name in it.
        values: by the names that the template uses; a name that is not given is an error.

    Raises:
        jinja2.UndefinedError: the template uses a name that is not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters["capitalize_first"] = _capitalize_first
    return environment.get_template(name).render(**values)
