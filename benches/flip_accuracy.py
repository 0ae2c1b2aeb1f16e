"""Trains a flip classifier on half of a normal video and prints how often the whole product is right on the other half.

    python benches/flip_accuracy.py ../shared/data/avenue_normal/11 --foreign ../shared/data/ped2/testing --out flips

A random tenth of the second half is turned upside down (half of it single frames, half in runs), as it is, at other
brightness and under noise; frames are changed at full size and written as JPEG again. FOREIGN is footage of another
scene, all upright: nothing there may be turned.
"""

import argparse
import shutil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import pixelfast

Frames = list[NDArray[np.uint8]]
CHANGES = {
    "as it is": (1.0, 0.0),
    "brightness 0.6": (0.6, 0.0),
    "brightness 1.5": (1.5, 0.0),
    "noise sigma 0.1": (1.0, 0.1),
    "noise sigma 0.3": (1.0, 0.3),
}


def trained(video: Path, out: Path, seed: int) -> Path:
    """A model of the first half of `video`; the autoencoder, which is not looked at here, gets one epoch."""
    model, half = out / f"model{seed}", out / "first_half" / "01"
    if not model.exists():
        half.mkdir(parents=True, exist_ok=True)
        paths = sorted(video.glob("*.jpg"))
        for path in paths[: len(paths) // 2]:
            shutil.copy(path, half / path.name)
        pixelfast.train(half, model, epochs=1, seed=seed)
    return model


def flipped_tenth(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """bool[count]: a tenth of the frames, half of them single, half in runs of 3 to 12."""
    chosen = np.zeros(count, np.bool_)
    chosen[rng.choice(count, count // 20, replace=False)] = True
    while chosen.sum() < count // 10:
        start = rng.integers(count - 12)
        chosen[start : start + rng.integers(3, 13)] = True
    return chosen


def changed(frame: NDArray[np.uint8], gain: float, sigma: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The frame brighter or darker, and under Gaussian noise of `sigma` (of a full range of 1)."""
    values = frame * gain + 255 * sigma * rng.standard_normal(frame.shape)
    return np.clip(values, 0, 255).round().astype(np.uint8)


def right(video: Path, model: Path, work: Path, gain: float, sigma: float) -> tuple[float, int, int, int]:
    """Share of frames that are dealt with rightly, frames, missed ones, and upright ones that were turned."""
    rng = np.random.default_rng(0)
    paths = sorted(video.glob("*.jpg"))
    paths = paths[len(paths) // 2 :]
    truth = flipped_tenth(len(paths), rng)
    folder = work / "01"
    folder.mkdir(parents=True)
    for path, flip in zip(paths, truth, strict=True):
        frame = changed(np.asarray(cv2.imread(str(path)), np.uint8), gain, sigma, rng)
        cv2.imwrite(str(folder / path.name), frame[::-1] if flip else frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
    turned = pixelfast.score(folder, engine=model, stride=16).flipped
    shutil.rmtree(work)
    return float((turned == truth).mean()), len(truth), int((truth & ~turned).sum()), int((turned & ~truth).sum())


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--foreign", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the model and the changed frames")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    arguments = parser.parse_args()
    model = trained(arguments.video, arguments.out, arguments.seed)
    print("| second half | frames right | frames | missed | turned though upright |\n| --- | --- | --- | --- | --- |")
    for name, (gain, sigma) in CHANGES.items():
        share, frames, missed, wrong = right(arguments.video, model, arguments.out / "changed", gain, sigma)
        print(f"| {name} | {share:.2%} | {frames} | {missed} | {wrong} |", flush=True)
    for flip, name in (("auto", "another scene"), ("always", "another scene, --flip always")):
        foreign = pixelfast.score(arguments.foreign, engine=model, stride=16, flip=flip).flipped
        print(f"| {name} | {(~foreign).mean():.2%} | {len(foreign)} | - | {int(foreign.sum())} |")


if __name__ == "__main__":
    main()
