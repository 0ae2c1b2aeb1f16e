"""What a camera is by its name, and what of an address is never printed."""

from pathlib import Path
from typing import Any

import pytest

from films import walk, write_film
from pixelfast.errors import SourceError
from pixelfast.sources.belt import Belt
from pixelfast.sources.camera import camera_of


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("rtsp://10.0.0.7:554/stream1", "rtsp://10.0.0.7:554/stream1"),
        ("rtsp://admin:secret@10.0.0.7/stream1", "rtsp://10.0.0.7/stream1"),
        ("rtsp://admin:sec@ret@10.0.0.7/stream1", "rtsp://10.0.0.7/stream1"),
        ("rtsp://admin:sec/ret@10.0.0.7/stream1", "rtsp://…"),
        ("rtsp://admin:sec?ret@10.0.0.7/stream1", "rtsp://…"),
        ("rtsp://admin:sec#ret@10.0.0.7/stream1", "rtsp://…"),
        ("rtsp://cam/live?user=admin&password=secret", "rtsp://cam/live…"),
        ("rtsp://cam/live?password=sec@ret", "rtsp://…"),
        ("rtsp://cam/user=admin_password=secret_channel=1", "rtsp://cam/user…"),
        ("http://token:secret@cam/video.mjpg", "http://cam/video.mjpg"),
    ],
)
def test_no_password_is_in_a_name(address: str, name: str) -> None:
    camera = camera_of(address)
    assert (camera.name, camera.address, camera.live, camera.of_network) == (name, address, True, True)


def test_files_are_files_and_numbers_are_cameras(tmp_path: Path) -> None:
    film = write_film(tmp_path / "0.mp4", walk(2))
    for source in (film, str(film)):
        camera = camera_of(source)
        assert (camera.name, camera.live) == (str(film), False)
    for number in (99, "99"):
        with pytest.raises(SourceError, match=r"/dev/video99 does not exist: give rtsp"):
            camera_of(number)
    assert camera_of("/dev/null").live, "a device"


@pytest.mark.parametrize("several", [["a.mp4", "b.mp4"], ("a.mp4",), None, 1.5, True])
def test_one_source_at_a_time(several: Any) -> None:
    with pytest.raises(SourceError, match="watch looks at one camera, stream or file"):
        camera_of(several)


def test_a_belt_is_bounded_in_number_and_bytes() -> None:
    belt = Belt[str](3, 100)
    assert belt.put("a", 99, wait=False) and belt.put("b", 99, wait=False)
    assert not belt.put("c", 1, wait=False) and not belt.is_low()
    assert [belt.take(1), belt.take(1), belt.take(0.01)] == ["a", "b", None]
    assert belt.is_low()
    belt.close()
    assert not belt.put("d")
