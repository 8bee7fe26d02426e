"""Rendering: templates for text and HTML, checked when they are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateError,
    select_autoescape,
)

from corral.errors import InvalidOption
from corral.tasks.email.contract import FromTemplate, Invitation, Notification, PasswordReset, Welcome
from corral.tasks.email.wanted import missing_names
from corral.tasks.errors import TemplateBroken

__all__ = ["Rendered", "Templates"]

NAMES: Final[Mapping[type[FromTemplate], str]] = {
    Welcome: "welcome",
    Invitation: "invitation",
    PasswordReset: "password_reset",
    Notification: "notification",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's words."""

    subject: str
    text: str
    html: str


class Templates:
    """The templates of mails: `welcome.txt`, whose first line is the subject, and `welcome.html` in `layout.html`; the
    same for `invitation`, `password_reset` and `notification`.

    A file of the same name in ``folder`` takes the place of Corral's. What a template may use is the fields of its
    payload, and ``variables``. All are compiled here: `TemplateBroken` is raised for one that does not parse, or that
    uses a name which nobody gives, and `InvalidOption` where there is no such folder. HTML is escaped.
    """

    def __init__(self, folder: Path | str | None = None, variables: Mapping[str, Any] | None = None) -> None:
        if folder is not None and not Path(folder).is_dir():
            raise InvalidOption("folder", str(folder), "there is no such folder")
        ours = PackageLoader("corral.tasks.email")
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder), ours]) if folder else ours,
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._variables = dict(variables or {})
        self._environment.globals |= self._variables
        self._environment.filters["when"] = lambda at: f"{at:%-d %B %Y, %H:%M} {at:%Z}".strip()
        self._compiled = {
            f"{name}.{kind}": self._compile(f"{name}.{kind}", payload)
            for payload, name in NAMES.items()
            for kind in ("txt", "html")
        }

    def render(self, payload: FromTemplate) -> Rendered:
        """The words of one mail. Raises `TemplateBroken`."""
        name = NAMES[type(payload)]
        values = {field: getattr(payload, field) for field in type(payload).model_fields}
        subject, _, text = self._render(f"{name}.txt", values).partition("\n")
        html = self._render(f"{name}.html", values | {"subject": subject.strip()})
        return Rendered(subject.strip(), text.strip() + "\n", html)

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        try:
            return self._compiled[template].render(values)
        except Exception as error:  # a template is a program: what it raises, it raises again
            raise TemplateBroken(template, f"{type(error).__name__}: {error}") from error

    def _compile(self, template: str, payload: type[FromTemplate]) -> Template:
        given = payload.model_fields.keys() | self._variables.keys()
        if template.endswith(".html"):
            given |= {"subject"}
        try:
            missing = missing_names(self._environment, template, given | self._environment.globals.keys())
            compiled = self._environment.get_template(template)
        except (TemplateError, UnicodeDecodeError) as error:
            raise TemplateBroken(template, str(error)) from error
        if missing:
            raise TemplateBroken(
                template,
                f"nobody gives it {', '.join(sorted(missing))}; there are: {', '.join(sorted(given))}",
            )
        return compiled
