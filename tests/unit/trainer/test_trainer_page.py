from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

from trainer.card.page import model_page

PLOT = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (600).to_bytes(4, "big") + (500).to_bytes(4, "big") + b"rest"
CARD = """# chest

> Research software: **not for diagnostic use**.

## Figures on test patients

| label | films |
| --- | --- |
| a \\| b | 3 |

![ROC of <each> label](roc.png)
"""


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_page_says_first_what_it_is_not_for() -> None:
    text = Page(model_page(CARD, {})).text
    assert text.index("not for diagnostic use") < text.index("Figures on test patients")
    assert "<title>chest: model card</title>" in model_page(CARD, {}).decode()


def test_a_page_holds_its_plots_and_fetches_nothing() -> None:
    page = Page(model_page(CARD, {"roc.png": PLOT}))
    (image,) = page.all("img")
    assert image["alt"] == "ROC of <each> label"
    assert image["src"] == "data:image/png;base64," + base64.b64encode(PLOT).decode()
    assert (image["width"], image["height"]) == ("600", "500")
    assert not page.all("script") and not page.all("link")
    sources = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert all(source and source.startswith(("data:image/png", "#")) for source in sources)
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_tables_and_headings_are_ones() -> None:
    page = Page(model_page(CARD, {}))
    assert len(page.all("table")) == 1 and "a | b" in page.text
    assert {"href": "#figures-on-test-patients"} in page.all("a")
    assert {"id": "figures-on-test-patients"} in page.all("h2")


def test_words_of_others_stay_words() -> None:
    card = CARD + (
        "\n<script>alert(1)</script> <img src=x onerror=alert(1)> [press](javascript:alert(1)) "
        "![far](https://example.org/x.png) ![near](data:image/svg+xml;base64,AAAA) $title $body\n"
        '\n| <b onclick="x()">licence</b> |\n| --- |\n| <i>CC BY</i> |\n'
    )
    html = model_page(card.replace("# chest", "# chest <b>&"), {})
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "b", "i", "img"}), tags
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "<script>alert(1)</script>" in page.text and "$title $body" in page.text
    assert "javascript" not in "".join(str(of.get("href")) for of in page.all("a"))
    assert "far" in page.text and "https://example.org" not in "".join(str(of) for of in page.tags)
    assert re.search(r"<title>chest &lt;b&gt;&amp;amp;|<title>chest &lt;b&gt;&amp;", html.decode())


def test_plots_that_the_card_does_not_show_come_at_the_end() -> None:
    page = Page(model_page(CARD, {"roc.png": PLOT, "history.png": PLOT}))
    assert [image["alt"] for image in page.all("img")] == ["ROC of <each> label", "history.png"]
    assert "Plots" in page.text


def test_a_wide_plot_is_marked() -> None:
    wide = PLOT.replace((600).to_bytes(4, "big"), (990).to_bytes(4, "big"))
    assert Page(model_page(CARD, {"roc.png": wide})).all("img")[0]["class"] == "wide"
    assert "class" not in Page(model_page(CARD, {"roc.png": PLOT})).all("img")[0]
