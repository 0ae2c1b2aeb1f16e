"""An epoch of the autoencoder's training, from frame files on, against the source's loop with the same network.

Ours decodes the footage (once, whatever the number of epochs: here it is all counted to this one), shows every window
of the recipe `source`, measures the held-out loss and writes the checkpoint. The plain loop does some steps of the
same epoch, and its time is scaled up.
"""

import os
from pathlib import Path

import pytest
import torch

from made_frames import write_large_frames
from oracles.plain_training import BATCH, PlainTraining, file_windows
from pixelfast.methods.reconstruction.batches import windows_per_epoch
from pixelfast.methods.reconstruction.loop import AutoencoderTraining, choose, train_autoencoder
from pixelfast.methods.reconstruction.recipe import RECIPES, AutoencoderRecipe
from pixelfast.sources import open_source
from pixelfast.training.cache import FrameCache
from pixelfast.training.speed import Choice
from threads import THREADS


@pytest.fixture(scope="module")
def footage(frames: list[Path], size, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The first frames of the video, as many as make 256 or 64 training windows of the source's."""
    folder = tmp_path_factory.mktemp("footage") / "01"
    folder.mkdir()
    for path in frames[: size(584, 158)]:
        os.link(path, folder / path.name)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def large_footage(footage: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """As many frames of 1920x1080 as make 64 windows."""
    folder = tmp_path_factory.mktemp("large") / "01"
    folder.mkdir()
    return write_large_frames(footage[:158], folder)


@pytest.fixture(scope="module")
def choices() -> dict[str, Choice]:
    """What each recipe is trained with on this machine, measured as `train` measures it."""
    return {
        name: choose(RECIPES[name].own, precision=None, batch=None, threads=THREADS) for name in ("source", "default")
    }


@pytest.mark.versus("training", peer="the source's loop", gated=False, short=False)
def test_training(contest, footage: list[Path], choices: dict[str, Choice], tmp_path: Path) -> None:
    """From frames of 640x360, with the same network: the source's loop decodes each of them eight times an epoch."""
    against_plain_epoch(contest, footage, "source", choices, tmp_path, note="the plain loop ran one step, scaled")


@pytest.mark.versus("training_1080p", peer="the source's loop", gated=False, short=False, repeats=1)
def test_training_on_large_frames(
    contest, large_footage: list[Path], choices: dict[str, Choice], tmp_path: Path
) -> None:
    """The same from frames of 1920x1080: the source's loop decodes each of them eight times an epoch."""
    against_plain_epoch(contest, large_footage, "source", choices, tmp_path, note="the plain loop ran one step, scaled")


@pytest.mark.versus("training_default", peer="the source's loop", gated=False, short=False, repeats=1)
def test_training_default(contest, footage: list[Path], choices: dict[str, Choice], tmp_path: Path) -> None:
    """The default recipe, of half the width and with batch normalisation, window for window."""
    against_plain_epoch(contest, footage, "default", choices, tmp_path, note="another network, as many windows")


def against_plain_epoch(
    contest, footage: list[Path], name: str, choices: dict[str, Choice], folder: Path, *, note: str
) -> None:
    recipe, choice = RECIPES[name].own, choices[name]
    contest(
        ours=lambda: epoch(footage, recipe, choice, folder),
        plain=lambda: part_of_plain_epoch(footage),
        plain_share=BATCH / windows(footage, recipe),
        warmup_rounds=0,
        note=f"recipe {name}, {described(choice)}; {note}",
    )


def epoch(footage: list[Path], recipe: AutoencoderRecipe, choice: Choice, folder: Path) -> None:
    cache = FrameCache.build(open_source(footage[0].parent), folder / "frames.u8", threads=THREADS)
    train_autoencoder(AutoencoderTraining(cache, recipe, choice, 1, seed=0), folder, resume=False, progress=None)


def windows(footage: list[Path], recipe: AutoencoderRecipe) -> int:
    """How many windows an epoch of ours shows: a tenth of the frames (16 at least) is held out."""
    training = len(footage) - max(-(-len(footage) // 10), 16)
    return windows_per_epoch(recipe, (training - 16) // recipe.window_stride + 1)


def part_of_plain_epoch(footage: list[Path]) -> None:
    """One step of an epoch, on windows from all over the footage, as in a random order."""
    torch.set_num_threads(THREADS)
    every = file_windows(footage)
    PlainTraining(seed=0).step([every[index * len(every) // BATCH] for index in range(BATCH)])


def described(choice: Choice) -> str:
    layout = "channels last" if choice.channels_last else "contiguous"
    return f"{choice.precision}, {layout}, batches of {choice.batch} by {choice.piece or choice.batch}"
