"""What harm to the footage does to scores: AUROC of a model before and after, one kind of harm at a time.

    python benches/robustness.py ../shared/data/ped2 MODEL [MODEL ...] --work /tmp/harmed

DATA holds `training/`, `testing/` (folders of frames a video) and `labels.csv`. Frames are changed at full size and
written without loss. The burnt-in clock is in the training footage too: for it each model is trained anew.
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import pixelfast

Frames = list[NDArray[np.uint8] | None]  # None: cannot be read
Harm = Callable[[Frames, np.random.Generator], Frames]


def some(frames: Frames, rng: np.random.Generator, share: float) -> set[int]:
    return set(rng.choice(len(frames), int(share * len(frames)), replace=False).tolist())


def flipped(frames: Frames, rng: np.random.Generator) -> Frames:
    chosen = some(frames, rng, 0.10)
    return [frame[::-1] if index in chosen else frame for index, frame in enumerate(frames)]


def noisy(frames: Frames, rng: np.random.Generator) -> Frames:
    chosen = some(frames, rng, 0.05)
    return [
        np.clip(frame + 25 * rng.standard_normal(frame.shape), 0, 255).astype(np.uint8) if index in chosen else frame
        for index, frame in enumerate(frames)
    ]


def unreadable(frames: Frames, rng: np.random.Generator) -> Frames:
    chosen = some(frames, rng, 0.05) - {0}
    return [None if index in chosen else frame for index, frame in enumerate(frames)]


def frozen(frames: Frames, rng: np.random.Generator) -> Frames:
    """One run of equal frames a video, as long as 2% of it, at least 4 frames."""
    count = max(4, round(0.02 * len(frames)))
    start = int(rng.integers(10, len(frames) - count - 10))
    return [*frames[:start], *[frames[start]] * count, *frames[start + count :]]


def nudged(frames: Frames, _: np.random.Generator) -> Frames:
    half = len(frames) // 2
    moved = np.float32([[1, 0, 3], [0, 1, 0]])
    height, width = frames[0].shape[:2]
    return [
        frame if index < half else cv2.warpAffine(frame, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
        for index, frame in enumerate(frames)
    ]


def dimmed(frames: Frames, _: np.random.Generator) -> Frames:
    """Light that goes down to 60% over the video."""
    return [(frame * (1 - 0.4 * index / len(frames))).astype(np.uint8) for index, frame in enumerate(frames)]


def clocked(frames: Frames, _: np.random.Generator) -> Frames:
    """A clock in the corner that counts tenths of a second."""
    out = []
    for index, frame in enumerate(frames):
        text = f"12:{index // 600:02}:{index // 10 % 60:02}.{index % 10}"
        place = (4, 14)
        out.append(cv2.putText(frame.copy(), text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA))
    return out


HARMS: dict[str, Harm] = {
    "10% of the frames flipped": flipped,
    "5% with noise of 25 grey levels": noisy,
    "5% unreadable": unreadable,
    "2% in a frozen run": frozen,
    "camera nudged by 3 pixels half-way": nudged,
    "light down to 60%": dimmed,
    "a burnt-in clock, in training too": clocked,
}


def harmed_copy(source: Path, target: Path, harm: Harm) -> Path:
    """A copy of videos of frames, each harmed."""
    shutil.rmtree(target, ignore_errors=True)
    for number, video in enumerate(sorted(path for path in source.iterdir() if path.is_dir())):
        paths = sorted(video.iterdir())
        frames = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
        (target / video.name).mkdir(parents=True)
        for path, frame in zip(paths, harm(frames, np.random.default_rng(number)), strict=True):
            to = target / video.name / f"{path.stem}.png"
            if frame is None:
                to.touch()
            else:
                cv2.imwrite(str(to), frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return target


def auroc(source: Path, model: Path, labels: Path) -> float:
    return pixelfast.evaluate(pixelfast.score(source, model), labels).auroc


def trained_on_clocks(data: Path, model: Path, work: Path) -> Path:
    manifest = pixelfast.Model.load(model).manifest
    footage = harmed_copy(data / "training", work / "training", clocked)
    pixelfast.train(footage, work / "model", method=manifest.method, recipe=manifest.recipe)
    return work / "model"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="folder for the harmed footage; removed afterwards")
    arguments = parser.parse_args()
    data, work, labels = arguments.data, arguments.work, arguments.data / "labels.csv"
    names = " | ".join(model.name for model in arguments.models)
    print(f"| harm | {names} |\n| --- | {' | '.join('---' for _ in arguments.models)} |")
    row = [f"{auroc(data / 'testing', model, labels):.3f}" for model in arguments.models]
    print(f"| none | {' | '.join(row)} |", flush=True)
    for name, harm in HARMS.items():
        footage = harmed_copy(data / "testing", work / "testing", harm)
        models = arguments.models
        if harm is clocked:
            models = [trained_on_clocks(data, model, work / model.name) for model in models]
        row = [f"{auroc(footage, model, labels):.3f}" for model in models]
        print(f"| {name} | {' | '.join(row)} |", flush=True)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
