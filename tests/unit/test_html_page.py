"""The one way to make HTML: no value is taken for a tag, and none is missing in silence."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from wetread.html_page import render_file, render_text


def test_values_are_text_whatever_they_hold() -> None:
    value = "<script>\"'&"
    assert render_text('<p title="{{ of }}">{{ of }}</p>', of=value) == (
        '<p title="&lt;script&gt;&#34;&#39;&amp;">&lt;script&gt;&#34;&#39;&amp;</p>'
    )


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="title"):
        render_file("trainer.card", "page.html", {"headings": [], "body": ""})


def test_headings_are_escaped_and_the_rendered_card_is_not() -> None:
    values = {"title": "a & b", "headings": [("x", "<i>")], "body": "<p>said</p>\n"}
    page = render_file("trainer.card", "page.html", values).decode()
    assert "<title>a &amp; b: model card</title>" in page
    assert '<li><a href="#x">&lt;i&gt;</a></li>\n</ol>' in page
    assert "<main>\n<p>said</p>\n\n</main>" in page
