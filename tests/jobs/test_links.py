"""`clean` says which of its files are the source's own, and copies them where that is asked for."""

from pathlib import Path

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.model import Flip
from tiny_engines import write_model


def test_links_are_counted_and_copies_are_apart(tmp_path: Path) -> None:
    write_video(tmp_path / "new" / "01", walking_square(20))
    dangling = tmp_path / "new" / "01" / "frame_9999.png"
    dangling.symlink_to(tmp_path / "gone.png")
    model = write_model(tmp_path / "model", flip=Flip(1.0, trusted=True)).folder
    linked = pixelfast.clean(tmp_path / "new", model, tmp_path / "linked", flip="never")
    copied = pixelfast.clean(tmp_path / "new", model, tmp_path / "copied", flip="never", copy=True)
    assert (linked.unchanged, linked.linked) == (20, 20)
    assert (copied.unchanged, copied.linked) == (20, 0)
    for source in sorted((tmp_path / "new" / "01").iterdir())[:-1]:
        ours, apart = (tmp_path / folder / "01" / source.name for folder in ("linked", "copied"))
        assert ours.samefile(source)
        assert not apart.samefile(source)
        assert apart.read_bytes() == source.read_bytes()
