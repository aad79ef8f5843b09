"""A model's card as one HTML page that includes its plots and fetches nothing.

The card is markdown that holds words of others: labels, sources, licences, notes on the data. Html in it is shown
as text, a picture is one of the model's plots or its description alone, and the page's policy lets no browser
run or fetch anything besides.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from wetread.html_page import render_file, render_text

Plots = Mapping[str, bytes]
"""File name -> PNG."""

_PNG_SIZE = 16
"""Where a PNG has its width and height: after its signature and the length and name of its first chunk."""
_IMAGE = (
    '<img alt="{{ text }}" width="{{ width }}" height="{{ height }}"'
    '{% if width > 1.5 * height %} class="wide"{% endif %}'
    ' src="data:image/png;base64,{{ data }}">'
)


def model_page(card: str, plots: Plots) -> bytes:
    """Return the page of a model. card: MODEL_CARD.md. plots: those that the card does not show come at the end."""
    unseen = [name for name in plots if f"]({name})" not in card]
    if unseen:
        card += "\n## Plots\n\n" + "\n\n".join(f"![{name}]({name})" for name in unseen) + "\n"
    markdown = _markdown(plots)
    tokens = markdown.parse(card)
    headings = _number(tokens)
    body = markdown.renderer.render(tokens, markdown.options, {})
    values = {"title": _title(tokens), "headings": headings, "body": body}
    return render_file("trainer.card", "page.html", values) + b"\n"


def _markdown(plots: Plots) -> MarkdownIt:
    """Return what renders a card that shows `plots`."""

    def image(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        token = tokens[index]
        data = plots.get(str(token.attrGet("src")))
        if data is None:
            return render_text("{{ text }}", text=token.content)
        width, height = struct.unpack_from(">II", data, _PNG_SIZE)
        return render_text(_IMAGE, text=token.content, width=width, height=height, data=base64.b64encode(data).decode())

    def table_open(*_of_renderer: Any) -> str:
        # A table too wide for a telephone is moved by itself, and by the keyboard too.
        return '<div class="table" role="region" aria-label="table" tabindex="0"><table>'

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("image", image)
    markdown.add_render_rule("table_open", table_open)
    markdown.add_render_rule("table_close", lambda *_of_renderer: "</table></div>")
    return markdown


def _number(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Give each section's heading an anchor; return the anchors with the headings' text."""
    found = []
    for opening, text in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            anchor = re.sub(r"[^a-z0-9]+", "-", text.content.lower()).strip("-")
            opening.attrSet("id", anchor)
            found.append((anchor, text.content))
    return found


def _title(tokens: Sequence[Token]) -> str:
    titles = (text.content for opening, text in pairwise(tokens) if opening.tag == "h1")
    return next(titles, "model card")
