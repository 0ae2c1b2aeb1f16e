"""Tries an installed pixelfast as its user would, with what `pip install pixelfast` brings and no more.

Draws a film, learns from it, scores another one and looks for what moves there that moved nowhere before.
`--extension` tries the extension alone, where only NumPy is installed.
"""

import importlib.machinery
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np

FRAMES, HEIGHT, WIDTH = 200, 96, 128
ODD = slice(120, 150)


def draw(path: Path, seed: int, odd: slice | None) -> None:
    """Writes a film of a square that walks to the right; in odd frames a second one rushes down."""
    import av

    still = np.random.default_rng(0).integers(60, 120, (HEIGHT, WIDTH), dtype=np.uint8)
    noise = np.random.default_rng(seed)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 2_000_000
        for index in range(FRAMES):
            picture = still + noise.integers(0, 4, still.shape, dtype=np.uint8)
            left = (2 * index + 17 * seed) % (WIDTH - 16)
            picture[60:76, left : left + 16] = 230
            if odd is not None and odd.start <= index < odd.stop:
                top = 5 * (index - odd.start) % (HEIGHT - 20)
                picture[top : top + 20, 40:60] = 10
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.repeat(picture[..., None], 3, 2), format="rgb24")))
        file.mux(stream.encode())


def command(*arguments: object) -> str:
    """What a command prints; its failure is ours."""
    done = subprocess.run(
        [sys.executable, "-m", "pixelfast", *map(str, arguments)], capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(f"pixelfast {arguments[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def whole() -> None:
    """Everything, from a film to its odd moment."""
    print(command("--version").strip())
    assert "score" in command("--help")
    assert "pixelfast" in command("doctor")
    with tempfile.TemporaryDirectory(prefix="pixelfäst ") as name:
        folder = Path(name)
        (folder / "normal").mkdir()
        for seed in (1, 2, 3):
            draw(folder / "normal" / f"{seed}.mp4", seed, None)
        draw(folder / "new.mp4", 4, ODD)
        command("train", folder / "normal", "--out", folder / "model")
        for out in ("scores.csv", "again.csv"):
            command("score", folder / "new.mp4", "--engine", folder / "model", "--out", folder / out)
        lines = (folder / "scores.csv").read_bytes()
        assert lines == (folder / "again.csv").read_bytes(), "the same twice"
        assert b"\r" not in lines, "the same bytes on every system"
        predicted = np.array([float(line.split(b",")[1]) for line in lines.splitlines()[1:]])
        assert len(predicted) == FRAMES, f"{len(predicted)} scores of {FRAMES} frames"
        top = np.argsort(predicted)[-10:]
        assert all(ODD.start - 5 <= frame < ODD.stop + 5 for frame in top), f"the most unusual frames are {top}"
    print("found what was odd, twice the same")


def extension() -> None:
    """The extension alone, by its file: the package around it imports what is not there."""
    folder = Path(sysconfig.get_path("platlib")) / "pixelfast"
    file = next(one for one in folder.glob("_core*") if one.suffix in (".so", ".pyd"))
    loader = importlib.machinery.ExtensionFileLoader("pixelfast._core", str(file))
    core = importlib.util.module_from_spec(importlib.util.spec_from_loader("pixelfast._core", loader))
    loader.exec_module(core)
    ranks = core.rank(np.array([3.0, 1.0, 2.0, 2.0]))
    assert np.array_equal(ranks, [1.0, 0.25, 0.625, 0.625]), ranks
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert locked == (not sysconfig.get_config_var("Py_GIL_DISABLED")), "the extension brought the lock back"
    print(f"{file.name} ranks, {'with' if locked else 'without'} the lock")


if __name__ == "__main__":
    extension() if "--extension" in sys.argv else whole()
