"""Cameras for tests: an RTSP server that can be killed, and what a watch made of each frame."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import pixelfast
from pixelfast.jobs.watch import Watch
from pixelfast.pipeline.live import LiveFrame

PYTHON = "/usr/bin/python3"  # Debian's GStreamer is for its own Python
SERVER = Path(__file__).parent / "rtsp_server.py"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad python3-gi"


@cache
def _missing() -> str:
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer, Gst; "
    probe += "Gst.init(None); assert all(map(Gst.ElementFactory.find, ('qtdemux', 'h264parse', 'rtph264pay')))"
    try:
        done = subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


class RtspServer:
    """A server that sends one file, and keeps its port when it is started again."""

    def __init__(self, film: Path, kind: str = "h264") -> None:
        self._command, self._port = [PYTHON, str(SERVER)], "0"
        self._rest = [str(film), kind]
        self.start()

    @property
    def address(self) -> str:
        return f"rtsp://admin:secret@127.0.0.1:{self._port}/cam?password=secret"

    def start(self) -> None:
        command = [*self._command, self._port, *self._rest]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self._port = self.process.stdout.readline().strip()
        assert self._port.isdecimal(), "the server has not started"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def rtsp_server(film: Path, kind: str = "h264") -> Iterator[RtspServer]:
    """A server on loopback; skips the test aloud where GStreamer's is missing."""
    if said := _missing():
        pytest.skip(f"needs GStreamer's RTSP server ({said}): apt-get install {PACKAGES}")
    server = RtspServer(film, kind)
    try:
        yield server
    finally:
        server.kill()


def with_results(watch: Watch) -> list[LiveFrame]:
    """The results of a watch, as they will come while it is iterated."""
    results: list[LiveFrame] = []
    desk: Any = watch._desk
    push = desk.push

    def heard(result: LiveFrame) -> Any:
        results.append(result)
        return push(result)

    desk.push = heard
    return results


def watched(source: Any, model: Path, **settings: Any) -> tuple[list[Any], list[LiveFrame]]:
    """All events of a file, and the results of its frames."""
    with pixelfast.watch(source, model, **settings) as watch:
        results = with_results(watch)
        return list(watch), results
