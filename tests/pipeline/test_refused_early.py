"""A stride that no window has is refused before any engine is loaded."""

from pathlib import Path

import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import PixelfastError
from pixelfast.jobs import line
from pixelfast.methods.base import EngineChoice
from pixelfast.methods.registry import find_method
from pixelfast.methods.settings import Settings
from tiny_engines import write_frame_engine, write_model


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(line, "open_stages", None)  # what would load them
    write_video(tmp_path / "source" / "a", walking_square(20))
    return tmp_path / "source"


@pytest.mark.parametrize("stride", [0, 17, -1, 10**9])
@pytest.mark.parametrize("engine", ["", "ae.onnx", "ae.s4.onnx"])
def test_of_a_model(source: Path, tmp_path: Path, stride: int, engine: str) -> None:
    model = write_model(tmp_path / "model", strides=(1, 4)).folder
    with pytest.raises(pixelfast.EngineError, match=f"stride must be 1 to 16, the engine's window, not {stride}"):
        pixelfast.score(source, model / engine, stride=stride)


def test_of_a_lone_file(source: Path, tmp_path: Path) -> None:
    engine = write_frame_engine(tmp_path / "ae.onnx")
    with pytest.raises(pixelfast.EngineError, match="stride must be at least 1, not 0"):
        pixelfast.score(source, engine, stride=0)


@pytest.mark.parametrize("settings", [Settings(stride=2), Settings(how="max")])
def test_of_a_method_without_windows(settings: Settings) -> None:
    choice = EngineChoice(Path("model/motion.onnx"), "", None, "motion", [])
    with pytest.raises(PixelfastError, match="leave out stride and how"):
        find_method("motion").check(choice, settings)
