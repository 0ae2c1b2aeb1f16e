"""The page of the last events: what it shows, to whom, and how it looks in Chromium."""

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import pixelfast
from pixelfast.jobs.watching.board import MOST_EVENTS, Board, Standing
from pixelfast.jobs.watching.events import WatchEvent
from pixelfast.jobs.watching.server import PageServer

EVIL = "rtsp://cam/<script>alert(1)</script>"


def event(start: int, **changes: Any) -> WatchEvent:
    time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = WatchEvent(EVIL, start, start + 9, start + 4, start / 25, 0.4, time, 5.0, 2.0, "2 times as <b>fast</b>")
    return made._replace(where=(0.9, 0.1), **changes)


def picture() -> bytes:
    return cv2.imencode(".jpg", np.full((90, 160, 3), 90, np.uint8))[1].tobytes()


@pytest.fixture
def board() -> Board:
    made = Board(Standing(EVIL, 2.0, live=True))
    made.tell(frames=1234, connected=True, last=1.0, dropped=7, reconnects=2)
    return made


@pytest.fixture
def server(board: Board) -> Iterator[PageServer]:
    served = PageServer(board, 0)
    yield served
    served.close()


def ask(server: PageServer, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    port = int(server.address.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers
    connection.close()
    return found


def test_it_shows_how_it_stands_and_the_last_events(server: PageServer, board: Board) -> None:
    assert b"Nothing unusual so far" in ask(server)[1]
    board.show(event(100), picture())
    board.show(event(300, end=None), None)
    code, page, headers = ask(server)
    text = page.decode()
    assert code == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    assert "<script>alert" not in text and "<b>fast" not in text and "&lt;b&gt;fast" in text
    for said in ("1,234", "<dd>7</dd>", "<dd>2</dd>", "2.5 times the threshold", "top right", "frames 100 to 109"):
        assert said in text, said
    assert text.index("frames 300 to now") < text.index("frames 100 to 109"), "the newest comes first"
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    parts = json.loads(ask(server, "/now")[1])
    assert parts["events"] in text and sorted(parts) == ["events", "standing"]
    assert ask(server, "/picture/100?104")[1] == picture()
    assert ask(server, "/picture/300")[0] == ask(server, "/picture/1")[0] == ask(server, "/etc/passwd")[0] == 404


def test_what_becomes_of_an_event_takes_its_place(board: Board) -> None:
    board.show(event(1, end=None), None)
    board.show(event(1), picture())
    board.show(event(50), None)
    assert [one.start for one in board.events()] == [50, 1]
    assert board.standing.events == 2


def test_it_keeps_few_events(board: Board) -> None:
    for start in range(0, 2000, 20):
        board.show(event(start), picture())
    assert len(board.events()) == MOST_EVENTS
    assert board.picture(0) is None and board.standing.events == 100


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "0.0.0.0", ""])
def test_who_asks_by_another_name_sees_nothing(server: PageServer, host: str) -> None:
    for path in ("/", "/now", "/picture/1"):
        code, body, _ = ask(server, path, Host=host)
        assert (code, body) == (403, b"this page is for this machine alone\n")


def test_its_own_names_are_known(server: PageServer) -> None:
    port = server.address.rstrip("/").rpartition(":")[2]
    assert ask(server, Host=f"localhost:{port}")[0] == ask(server, Host=f"127.0.0.1:{port}")[0] == 200
    assert ask(server, method="POST")[0] == 501


def test_it_is_served_to_this_machine_alone(server: PageServer) -> None:
    assert server._server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_said_before_the_work(watching: Path, new: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(pixelfast.OutputError, match="the page cannot be shown at port"):
            pixelfast.watch(new, watching / "density", page=taken.getsockname()[1])


def test_the_page_of_a_watch(watching: Path, new: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pixelfast.watch(new, watching / "density", page=0) as watch:
        address = re.findall(r"http://127\.0\.0\.1:\d+/", caplog.text)[0]
        first = next(watch)
        connection = http.client.HTTPConnection(address.split("/")[2], timeout=10)
        connection.request("GET", f"/picture/{first.start}")
        jpeg = connection.getresponse().read()
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (96, 144, 3)
        connection.close()
    with pytest.raises(OSError):
        http.client.HTTPConnection(address.split("/")[2], timeout=2).request("GET", "/")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_in_a_browser(server: PageServer, board: Board, browser: Any, width: int, scheme: str) -> None:
    board.show(event(100, saved="events/a_b"), picture())
    complaints = list[str]()
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    abroad = lambda url: not url.startswith((server.address, "data:"))  # noqa: E731
    page.route(abroad, lambda route: complaints.append(route.request.url))
    page.goto(server.address)
    assert page.locator(".events li").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".events img").first.evaluate("one => one.naturalWidth") == 160
    page.evaluate("window.kept = document.querySelector('.events img')")
    board.tell(frames=1, last=3.0)
    page.locator(".state", has_text="Something unusual").wait_for(timeout=8000)
    assert page.evaluate("window.kept === document.querySelector('.events img')"), "what has not changed stays"
    board.show(event(400), picture())
    page.locator(".events li").nth(1).wait_for(timeout=8000)
    time.sleep(0.1)
    assert complaints == []
    context.close()


def test_it_refreshes_without_scripts(server: PageServer, board: Board, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address)
    board.show(event(100), picture())
    page.locator(".events li").wait_for(timeout=10_000)
    context.close()
