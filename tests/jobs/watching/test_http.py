"""What comes over HTTP: a file that ends, and a stream of JPEGs that does not."""

import functools
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import pixelfast
from cameras import with_results
from street import street


@contextmanager
def served(handler: Any) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://me:secret@127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Jpegs(Quiet):
    """An old camera: JPEGs, one after the other, without times."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for frame in street(60, 9, "fast"):
            data = cv2.imencode(".jpg", frame)[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            with suppress(ConnectionError):  # who only looks at what it is has gone
                self.wfile.write(head.encode() + data + b"\r\n")
            time.sleep(0.05)
        self.close_connection = True


def test_a_file_of_the_web_ends_and_nothing_of_it_is_dropped(watching: Path, new: Path) -> None:
    handler = functools.partial(Quiet, directory=str(new.parent))
    with served(handler) as address, pixelfast.watch(address + "new.mp4", watching / "density") as watch:
        results, events = with_results(watch), list(watch)
    scores = pixelfast.score(new, watching / "density")
    np.testing.assert_array_equal(np.array([one.raw for one in results], np.float32), scores.raw)
    assert [(one.start, one.end) for one in events] == [(one.start, one.end) for one in scores.events()]
    assert events[0].video.startswith("http://127.0.0.1:") and watch.standing().dropped == 0


def test_a_stream_of_jpegs_goes_on(watching: Path) -> None:
    with served(Jpegs) as address, pixelfast.watch(address, watching / "reconstruction", threshold=0.0) as watch:
        results = with_results(watch)
        for _ in watch:  # the stretch ends with the connection
            watch.stop()
    assert len(results) == 60 and watch.standing().live
    steps = np.diff([one.seconds for one in results if one.seconds is not None])
    assert 0.045 < steps.mean() < 0.07, "by the clock, as nobody else tells the times"
