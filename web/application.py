"""The application: which page answers at which address."""

from __future__ import annotations

from importlib import resources

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web import api_operations, film_pages, sign_in, worklist_pages
from web.guard import Application, Guard
from web.page_request import answering
from web.site import Site

_ASSETS = {
    "room.css": "text/css", "room.svg": "image/svg+xml", "film.js": "text/javascript", "window.js": "text/javascript",
    "worklist.js": "text/javascript",
}  # fmt: skip


def application(site: Site) -> Application:
    """Return the reading room, behind its guard."""
    film = "/lists/{list:int}/films/{film}"
    routes = [
        Route("/sign-in", sign_in.show_form, methods=["GET"]),
        Route("/sign-in", sign_in.sign_in, methods=["POST"]),
        Route("/sign-out", answering(sign_in.sign_out), methods=["POST"]),
        Route("/", answering(worklist_pages.begin), methods=["GET"]),
        Route("/lists", answering(worklist_pages.make_list), methods=["POST"]),
        Route("/lists/run", answering(worklist_pages.list_of_run), methods=["POST"]),
        Route("/lists/{list:int}", answering(worklist_pages.show_list), methods=["GET"]),
        Route("/runs", answering(worklist_pages.show_runs), methods=["GET"]),
        Route("/runs/{run:int}/cancel", answering(worklist_pages.cancel, "manage"), methods=["POST"]),
        Route(film, answering(film_pages.show_film), methods=["GET"]),
        Route(f"{film}/facts", answering(film_pages.film_facts, page=False), methods=["GET"]),
        Route(f"{film}/map.png", answering(film_pages.film_map, page=False, picture=True), methods=["GET"]),
        Route(f"{film}/reviews", answering(film_pages.add, "review", page=False), methods=["POST"]),
        Route("/films/{film}/values", answering(film_pages.film_values, page=False, picture=True), methods=["GET"]),
        Route("/films/{film}/thumb.png", answering(film_pages.film_thumb, page=False, picture=True), methods=["GET"]),
        Route(
            "/films/{film}/as-read.png", answering(film_pages.film_as_read, page=False, picture=True), methods=["GET"]
        ),
        Route("/api", answering(api_operations.show_page), methods=["GET"]),
        *api_operations.api_routes(),
        Route("/assets/{name}", _asset, methods=["GET"]),
    ]
    inner = Starlette(routes=routes)
    inner.state.site = site
    return Guard(inner, site.doors)


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        return PlainTextResponse("no such file\n", 404)
    return Response(resources.files("web").joinpath("assets", name).read_bytes(), media_type=_ASSETS[name])
