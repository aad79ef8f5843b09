"""However many pictures are waited for, a page is answered."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from web import page_request
from web.page_request import PICTURES_AT_ONCE, answering


def request() -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)


def test_a_page_waits_for_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    read, begun = threading.Event(), []

    def answer(handler: Any, *_: Any) -> Response:
        if handler == "picture":
            begun.append(1)
            read.wait(60)
        return PlainTextResponse(handler)

    monkeypatch.setattr(page_request, "_answer", answer)
    monkeypatch.setattr(page_request, "_PICTURES", asyncio.Semaphore(PICTURES_AT_ONCE))
    picture, page = answering("picture", picture=True), answering("page")  # type: ignore[arg-type]  # names do here

    async def many() -> None:
        pictures = [asyncio.create_task(picture(request())) for _ in range(100)]
        while len(begun) < PICTURES_AT_ONCE:
            await asyncio.sleep(0.01)
        assert (await asyncio.wait_for(page(request()), 30)).body == b"page"
        assert len(begun) == PICTURES_AT_ONCE
        read.set()
        assert [one.body for one in await asyncio.gather(*pictures)] == [b"picture"] * 100

    asyncio.run(many())
