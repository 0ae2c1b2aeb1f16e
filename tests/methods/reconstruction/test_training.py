"""Training as a whole: what it writes, what it says, and what it refuses."""

import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from footage import DrawnVideo, walking_square
from pixelfast.errors import ModelError, OutputError
from pixelfast.flip.network import load_flip_classifier
from pixelfast.jobs.train import run_training
from pixelfast.methods.reconstruction.loop import CHECKPOINT
from pixelfast.methods.reconstruction.network import load_autoencoder
from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.methods.reconstruction.training import learned
from pixelfast.methods.registry import find_method, find_recipe
from pixelfast.methods.trained import Recipe, TrainingJob, TrainingRequest
from pixelfast.progress import Progress
from pixelfast.training.cache import FrameCache

FILES = ("ae.safetensors", "ae.onnx", "flip.safetensors", "flip.onnx")


def tiny(recipe: str = "default", **changes: object) -> Recipe:
    """A recipe that takes a second: four channels, few steps."""
    whole = RECIPES[recipe]
    autoencoder = replace(whole.own, channels=4, epochs=3, least_steps=None, window_stride=2, patience=None)
    flip = replace(whole.flip, epochs=1, least_steps=4, batch=16, strangers=0.0)
    return Recipe(recipe, replace(autoencoder, **changes), flip)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    videos = [DrawnVideo(name, walking_square(44, seed)) for seed, name in enumerate(("01", "02"))]
    return FrameCache.build(videos, tmp_path_factory.mktemp("cache") / "frames.u8", threads=1)


def train(
    cache: FrameCache,
    folder: Path,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    epochs: int | None = None,
    precision: str | None = "fp32",
    batch: int | None = 4,
    resume: bool = False,
    threads: int = 1,
    progress: Callable[[Progress], None] | None = None,
) -> SimpleNamespace:
    folder.mkdir(exist_ok=True)
    request = TrainingRequest(
        recipe=recipe or tiny(),
        epochs=epochs,
        seed=seed,
        precision=precision,
        batch=batch,
        resume=resume,
        progress=progress,
    )
    request.check()
    spec = find_method("reconstruction")
    found, options = find_recipe(spec, request)
    job = TrainingJob(request, found, options, cache, folder, threads=threads)
    training = run_training(spec, job, ["footage"]).training
    assert training is not None
    return SimpleNamespace(**training.report)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


class InterruptedError_(Exception):  # noqa: N801, N818 - a name that no built-in has
    """What the tests stop a training with."""


def interrupt_at(step: int) -> Callable[[Progress], None]:
    def progress(told: Progress) -> None:
        if told.phase == "train" and told.done == step:
            raise InterruptedError_

    return progress


# Outcome


@pytest.fixture(scope="module")
def trained(
    cache: FrameCache, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, SimpleNamespace, list[Progress]]:
    """One training that learns: folder, report, what the progress callback was told."""
    folder, told = tmp_path_factory.mktemp("trained"), list[Progress]()
    report = train(cache, folder, recipe=tiny(learning_rate=1e-2, epochs=12), progress=told.append)
    return folder, report, told


def test_training_learns(trained: tuple[Path, SimpleNamespace, list[Progress]]) -> None:
    _, report, _ = trained
    assert report.train_losses[-1] < report.train_losses[0] / 2
    assert report.held_out_loss == pytest.approx(min(report.held_out_losses))
    assert report.beats_mean_image_by == pytest.approx(1 - report.held_out_loss / report.mean_image_error)
    assert report.epochs == report.planned_epochs == len(report.held_out_losses) == 12
    assert (report.videos, report.train_frames, report.held_out_frames, report.windows) == (2, 56, 32, 14)


def test_training_writes_a_whole_model(trained: tuple[Path, SimpleNamespace, list[Progress]]) -> None:
    folder, report, _ = trained
    assert load_autoencoder(folder / "ae.safetensors").channels == 4
    load_flip_classifier(folder / "flip.safetensors")
    assert all(len(content) > 10_000 for content in contents(folder).values())
    assert set(report.onnx_differences) == {"ae.onnx", "flip.onnx"}
    assert max(report.onnx_differences.values()) < 1e-5
    assert not list(folder.glob(".*"))  # no temporary file is left


def test_progress_tells_epoch_and_loss(trained: tuple[Path, SimpleNamespace, list[Progress]]) -> None:
    _, _, told = trained
    steps = [step for step in told if step.phase == "train"]
    assert [step.done for step in steps] == list(range(1, 12 * 4 + 1))
    assert {step.total for step in steps} == {48}
    assert "epoch 12/12, loss 0." in steps[-1].note
    assert "held-out 0." in steps[-1].note
    assert {step.phase for step in told} == {"train", "flip", "export", "calibrate"}


def test_report_is_plain_values(trained: tuple[Path, SimpleNamespace, list[Progress]]) -> None:
    _, report, _ = trained
    again = json.loads(json.dumps(vars(report), allow_nan=False))
    assert again["settings"]["autoencoder"]["channels"] == 4
    assert again["settings"]["flip"]["noise_sigma"] == RECIPES["default"].flip.noise_sigma
    assert "seconds" not in again, "a model that is trained again has the same bytes"
    assert "mean training image" in learned(report.held_out_loss, report.mean_image_error)


def test_what_the_user_must_know_is_said_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    video = DrawnVideo("only", walking_square(24))  # too short for held-out frames; and the network learns nothing
    cache = FrameCache.build([DrawnVideo("short", video.drawn[:9]), video], tmp_path / "frames.u8", threads=1)
    with caplog.at_level(logging.WARNING, "pixelfast"):
        report = train(cache, tmp_path, recipe=tiny("source", learning_rate=1e-9), epochs=1)
    assert report.beats_mean_image_by < 0
    assert report.blend_error > report.mean_image_error  # the source's recipe turns frames
    assert report.flip_held_out_accuracy is None
    for words in ("short (9)", "too short to hold frames out", "has not learned"):
        (note,) = [note for note in report.notes if words in note]
        assert note in caplog.messages


# The same again


def test_same_seed_gives_the_same_files_resumed_or_not(cache: FrameCache, tmp_path: Path) -> None:
    train(cache, tmp_path / "whole", epochs=2, precision="bf16", threads=2)
    with pytest.raises(InterruptedError_):
        train(cache, tmp_path / "parts", epochs=2, precision="bf16", threads=2, progress=interrupt_at(6))
    assert not (tmp_path / "parts" / "ae.onnx").exists()
    # The choice of precision and batch is taken from the checkpoint.
    report = train(cache, tmp_path / "parts", epochs=2, precision=None, batch=None, threads=2, resume=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert (report.precision, report.batch, report.channels_last) == ("bf16", 4, True)


def test_training_leaves_torch_as_it_was(cache: FrameCache, tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    torch.set_num_threads(2)
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with pytest.raises(InterruptedError_):
        train(cache, tmp_path, threads=1, progress=interrupt_at(2))
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert torch.equal(torch.rand(1), expected)


# Checkpoints that cannot be gone on from


@pytest.fixture(scope="module")
def begun(cache: FrameCache, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint of a first epoch (seed 0, batch 4)."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.raises(InterruptedError_):
        train(cache, folder, progress=interrupt_at(5))
    return folder


def test_resuming_with_other_settings_is_refused(cache: FrameCache, begun: Path) -> None:
    with pytest.raises(ModelError, match=r"begun with other settings \(batch 4, now 2; seed 0, now 1\)"):
        train(cache, begun, seed=1, batch=2, resume=True)
    with pytest.raises(ModelError, match=r"recipe's noise_probability 0\.3, now 0\.4"):
        train(cache, begun, recipe=tiny(noise_probability=0.4), resume=True)


def test_resuming_on_other_footage_is_refused(begun: Path, tmp_path: Path) -> None:
    other = FrameCache.build([DrawnVideo("01", walking_square(44, 9))], tmp_path / "frames.u8", threads=1)
    with pytest.raises(ModelError, match="footage"):
        train(other, begun, resume=True)


def test_other_number_of_threads_is_said_aloud(
    cache: FrameCache, begun: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "pixelfast"), pytest.raises(InterruptedError_):
        train(cache, begun, threads=2, resume=True, progress=interrupt_at(6))
    assert any("begun with 1 threads and goes on with 2" in message for message in caplog.messages)


def test_training_begins_anew_without_resume(cache: FrameCache, begun: Path, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes((begun / CHECKPOINT).read_bytes())
    with pytest.raises(InterruptedError_):
        train(cache, tmp_path, seed=3, progress=interrupt_at(1))
    assert not (tmp_path / CHECKPOINT).exists()


class Planted:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "planted", "other version", "no dictionary"])
def test_damaged_checkpoints_are_refused(cache: FrameCache, begun: Path, tmp_path: Path, damage: str) -> None:
    path, planted = tmp_path / CHECKPOINT, tmp_path / "planted"
    whole = (begun / CHECKPOINT).read_bytes()
    contents = {"cut": whole[: len(whole) // 2], "text": b"hello", "empty": b""}
    objects = {"planted": {"format": Planted(planted)}, "other version": {"format": 0}, "no dictionary": [1]}
    if damage in contents:
        path.write_bytes(contents[damage])
    else:
        torch.save(objects[damage], path)
    with pytest.raises(ModelError, match=rf"{CHECKPOINT} is damaged or of another version"):
        train(cache, tmp_path, resume=True)
    assert not planted.exists()


def test_planted_code_would_run_if_it_were_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Planted(tmp_path / "planted")))
    assert (tmp_path / "planted").exists()


# Arguments


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": -1}, "seed must be 0 or more"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"precision": "fp16"}, "precision must be fp32 or bf16, not 'fp16'"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"recipe": "fast"}, "there is no recipe 'fast': choose one of default, source"),
        ({"recipe": tiny(learning_rate=1e38, normalisation="none", warmup=0.0)}, "training diverged: the loss of step"),
    ],
)
def test_what_cannot_be_trained_gets_a_sentence(
    cache: FrameCache, tmp_path: Path, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        train(cache, tmp_path, **arguments)  # type: ignore[arg-type]


def test_missing_folder_is_named(cache: FrameCache, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no folder"):
        TrainingJob(TrainingRequest(), tiny(), {}, cache, tmp_path / "nowhere")


def test_recipes_are_the_documented_ones() -> None:
    source = RECIPES["source"]
    assert (source.own.epochs, source.own.batches, source.own.learning_rate) == (
        40,
        (32,),
        1e-3,
    )
    assert (source.flip.frames, source.flip.epochs, source.flip.batch, source.flip.least_steps) == (3000, 5, 64, 0)
    default = RECIPES["default"]
    assert default.flip.least_steps >= 300
    assert default.flip.gain is not None
    assert default.flip.gain[0] < 0.6
    assert default.flip.gain[1] > 1.5
    assert default.flip.noise_sigma > 0.3
    assert np.isfinite(default.own.learning_rate)
