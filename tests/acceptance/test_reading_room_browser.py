"""The reading room in Debian's Chromium: by keyboard alone, pixel by pixel, and from pages of others."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.program import Program, with_model
from tests.servers.reading_room import PASSWORD, drawn_films, opened_room
from wetread.imaging.opencv import cv2

CHROMIUM = shutil.which("chromium")
PATIENCE = 60_000
"""Milliseconds."""

UGLY = "<img src=x onerror=document.title='hacked'>"


PIXELS = """() => {
    const film = document.getElementById("film");
    const data = film.getContext("2d").getImageData(0, 0, film.width, film.height).data;
    return [film.height, film.width, [...data].filter((_, at) => at % 4 === 0)];
}"""

FETCHED = "(address) => fetch(address, {credentials: 'include'}).then(() => 'read', () => 'refused')"

OVERLAPPING = """() => {
    const boxes = [...document.querySelectorAll("button, a, input, textarea")]
        .filter((one) => one.checkVisibility())
        .map((one) => [one, one.getBoundingClientRect()]).filter(([, box]) => box.width && box.height);
    return boxes.flatMap(([one, a], at) => boxes.slice(at + 1)
        .filter(([other, b]) => !one.contains(other) && !other.contains(one)
            && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
        .map(([other]) => `${one.outerHTML.slice(0, 60)} / ${other.outerHTML.slice(0, 60)}`));
}"""


@dataclass
class Site:
    program: Program
    archive: Path
    port: int
    browser: Any
    signed_in: dict[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def page(self, name: str | None, width: int = 1280, height: int = 800) -> Iterator[Any]:
        """Give a page of a reader who signed in, the first time by keyboard; no script of it may fail."""
        kept = self.signed_in.get(name or "")
        context = self.browser.new_context(viewport={"width": width, "height": height}, storage_state=kept)
        context.set_default_timeout(PATIENCE)
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        if name is not None and kept is not None:
            page.goto(self.address)
        elif name is not None:
            page.goto(f"{self.address}/sign-in")
            page.wait_for_selector("[name=name]:focus")
            page.keyboard.type(name)
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_selector("h1:has-text('Films')")
            self.signed_in[name] = context.storage_state()
        try:
            yield page
        finally:
            context.close()
        assert faults == []

    def reviews(self) -> list[tuple[Any, ...]]:
        return self.program.rows(
            "SELECT readers.name, verdict, label, comment, blinded, supersedes FROM reviews"
            " JOIN readers ON readers.id = reader_id ORDER BY reviews.id"
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium not found: install it to run this test")
        pytest.skip("chromium not found: install it to run this test")
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("browser")
    program = with_model(folder / "home")
    archive = drawn_films(folder / "archive")
    ramp = np.linspace(900, 3300, 300 * 240).reshape(300, 240).astype(np.uint16)
    (archive / UGLY).mkdir()
    (archive / UGLY / f"{UGLY}.png").write_bytes(cv2.imencode(".png", ramp)[1].tobytes())
    (archive / "cut.png").write_bytes((archive / UGLY / f"{UGLY}.png").read_bytes()[:2000])
    assert program.run("screen", archive).returncode == 0
    with opened_room(program) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Site(program, archive, port, browser)
        browser.close()


def ready(page: Any) -> str:
    """Wait until a film is shown and the next one is there, and return its key."""
    page.wait_for_selector("body[data-ready]")
    film: str = page.evaluate("document.body.dataset.ready")
    page.wait_for_selector("#next:disabled, body[data-ahead]")
    return film


def after(page: Any, film: str) -> str:
    """Wait for another film than `film`, and for the one behind it."""
    page.wait_for_selector(f"body[data-ready]:not([data-ready='{film}'])")
    now: str = page.evaluate("document.body.dataset.ready")
    page.wait_for_selector(f"#next:disabled, body[data-ahead]:not([data-ahead='{now}'])")
    return now


def test_keyboard_alone_goes_through_the_films_and_back(site: Site) -> None:
    begun = len(site.reviews())
    with site.page("roe") as page:
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        film = first = ready(page)
        shown = []
        for key in "au1x":
            page.keyboard.press(key)
            film = after(page, film)
            shown.append(float(page.evaluate("document.body.dataset.shownIn")))
        assert min(shown) < 100, f"ms until a film that was fetched ahead is shown: {shown}"
        page.keyboard.press("c")
        page.keyboard.type("faint, a n x")
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        then = after(page, film)
        page.keyboard.press("z")
        assert after(page, then) == film
        page.wait_for_selector("#said:has-text('Taken back')")
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
            film = after(page, film)
        assert film == first
        assert page.locator("#verdicts [aria-pressed=true]").inner_text().startswith("Agree")
    said = site.reviews()[begun:]
    assert [verdict for _, verdict, *_ in said[:2]] == ["agree", "unsure"]
    assert said[2][1] in ("agree", "disagree") and said[2][2] == "covid"
    assert [(verdict, comment) for _, verdict, _, comment, *_ in said[3:]] == [
        ("not_a_film", ""), ("unsure", "faint, a n x"), ("withdrawn", ""),
    ]  # fmt: skip
    assert said[5][5] == begun + 5
    assert site.program.run("reviews", "verify").returncode == 0


def test_a_blinded_second_reader_sees_the_answer_after_their_own_label(site: Site) -> None:
    with site.page("zoe") as page:
        page.locator("summary").press("Enter")
        page.get_by_label("Blinded").press("Space")
        page.get_by_role("button", name="Show").press("Enter")
        page.wait_for_selector("summary:has-text('blinded')")
        assert page.locator(".film b").count() == 0
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        ready(page)
        assert page.locator(".bar").count() == 0
        page.keyboard.press("a")
        page.wait_for_selector("#said:has-text('Your own label first')")
        page.keyboard.press("2")
        page.wait_for_selector(".bar")
        assert page.locator(".bar").count() == 3
    name, _, label, _, blinded, _ = site.reviews()[-1]
    assert (name, label, bool(blinded)) == ("zoe", "normal", True)


def pixels(page: Any) -> np.ndarray:
    found = page.evaluate(PIXELS)
    return np.array(found[2], np.uint8).reshape(found[0], found[1])


def test_the_window_is_exact_and_what_is_written_in_a_name_does_nothing(site: Site) -> None:
    ugly = site.archive / UGLY
    values = cv2.imread(str(ugly / f"{UGLY}.png"), cv2.IMREAD_UNCHANGED).astype(float)
    with site.page("roe") as page:
        page.locator("summary").press("Enter")
        page.get_by_label("Path begins").fill(str(ugly))
        page.get_by_role("button", name="Show").press("Enter")
        page.wait_for_selector(".film")
        assert page.locator(".film").count() == 1 and UGLY in page.locator(".name").inner_text()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        ready(page)
        assert np.array_equal(pixels(page), np.floor((values - 900) * (255 / 2400) + 0.5))
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("i")
        low, high = 2100 - 48 - 1080, 2100 - 48 + 1080
        wanted = 255 - np.clip(np.floor((values - low) * (255 / (high - low)) + 0.5), 0, 255)
        assert np.abs(pixels(page) - wanted).max() <= 1
        page.keyboard.press("c")
        page.keyboard.insert_text(UGLY)
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        page.wait_for_selector("#said:has-text('Saved')")
        assert UGLY in page.locator("#more").inner_text()
        assert page.title() == "Film - wetread"
        assert page.locator("aside img, aside script").count() == 0


def test_the_magnifier_shows_the_film_twice_as_large_and_the_map_says_its_method(site: Site) -> None:
    with site.page("roe") as page:
        page.locator(".film").first.press("Enter")
        ready(page)
        page.keyboard.press("o")
        page.keyboard.press("g")
        same = page.evaluate(
            """() => {
              const box = stage.getBoundingClientRect(), side = lens.width, seen = lens.getContext("2d");
              const level = (x, y) => canvas.getContext("2d").getImageData(x, y, 1, 1).data[0];
              const x = (box.width / 2 - view.x) / view.scale, y = (box.height / 2 - view.y) / view.scale;
              return [-20, 0, 15].map((far) => [
                seen.getImageData(side / 2 + far * 2 * view.scale, side / 2, 1, 1).data[0], level(x + far, y),
              ]);
            }"""
        )
        assert all(abs(one - other) <= 8 for one, other in same), same
        page.keyboard.press("g")
        assert page.locator("#lens").is_hidden()
        page.keyboard.press("v")
        page.wait_for_selector("#map:not([hidden])")
        page.wait_for_selector("#said:has-text('additive')")


def test_a_map_that_comes_late_is_laid_over_no_other_film(site: Site) -> None:
    with site.page("roe") as page:
        page.locator(".film").first.press("Enter")
        film = ready(page)
        held: list[Any] = []
        page.evaluate(
            """() => {
              const own = Response.prototype.blob;
              Response.prototype.blob = function () {
                const found = own.call(this);
                found.then(() => setTimeout(() => { document.body.dataset.came = this.url; }));
                return found;
              };
            }"""
        )
        page.route(f"**/films/{film}/map.png", lambda route: held.append(route))
        with page.expect_request(f"**/films/{film}/map.png"):
            page.keyboard.press("v")
        page.keyboard.press("ArrowRight")
        after(page, film)
        page.keyboard.press("v")
        page.wait_for_selector("#map:not([hidden])")
        own = page.evaluate("map.src")
        held[0].continue_()
        page.wait_for_selector(f"body[data-came*='{film}']")
        assert page.evaluate("map.src") == own
        page.keyboard.press("m")
        page.wait_for_selector("#as-read[src]:not([hidden])")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector(f"body[data-ready='{film}']")
        assert page.locator("#as-read").get_attribute("src") is None


def test_a_film_that_cannot_be_shown_leaves_the_page_alive(site: Site) -> None:
    with site.page("roe") as page:
        page.locator("summary").press("Enter")
        page.get_by_label("State").select_option("rejected")
        page.get_by_role("button", name="Show").press("Enter")
        page.wait_for_selector(".state")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        ready(page)
        page.wait_for_selector("#fault:has-text('cannot be shown')")
        for key in ("i", "m", "+", "ArrowUp", "f"):
            page.keyboard.press(key)
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("b")
        page.wait_for_selector("h1:has-text('Films')")


@contextmanager
def page_of_others(html: str) -> Iterator[str]:
    """Serve a page on another port of this machine, which browsers take for the same site and another origin."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_page_of_others_can_neither_ask_nor_change_nor_show_anything(site: Site) -> None:
    with site.page("roe") as page:
        begun = site.program.rows("SELECT count(*) FROM reading_lists")
        csrf = page.locator("header [name=csrf]").get_attribute("value")
        html = (
            f"<form id=f method=post action='{site.address}/lists'><input name=csrf value='{csrf}'>"
            f"<input name=run value=77></form><img id=i src='{site.address}/films/1-1/thumb.png'>"
        )
        with page_of_others(html) as address:
            page.goto(address)
            assert (
                page.evaluate("new Promise(d => setTimeout(() => d(document.getElementById('i').naturalWidth), 500))")
                == 0
            )
            values = f"{site.address}/films/1-1/values"
            assert page.evaluate(FETCHED, values) == "refused"
            with page.expect_navigation() as moved:
                page.evaluate("document.getElementById('f').submit()")
            assert moved.value.status == 403
        assert site.program.rows("SELECT count(*) FROM reading_lists") == begun


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (2560, 1440)])
def test_nothing_is_cut_or_overlaps_and_everything_has_a_name(site: Site, width: int, height: int) -> None:
    kept = os.environ.get("READING_ROOM_PICTURES")
    with site.page("roe", width, height) as page:
        for name, address in (("films", "/lists/1"), ("runs", "/runs"), ("film", None)):
            if address is not None:
                page.goto(site.address + address)
            else:
                page.goto(f"{site.address}/lists/1")
                page.locator(".film").first.press("Enter")
                ready(page)
            wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], f"{name}: {wide}"
            nameless = page.evaluate(
                "[...document.querySelectorAll('button, a, input:not([type=hidden]), select, textarea')]"
                ".filter(e => !e.textContent.trim() && !e.labels?.length && !e.getAttribute('aria-label')).length"
            )
            assert nameless == 0, name
            overlapping = page.evaluate(OVERLAPPING)
            assert overlapping == [], name
            if kept:
                page.screenshot(path=f"{kept}/{name}-{width}.png")
