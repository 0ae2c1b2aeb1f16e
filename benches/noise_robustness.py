"""What noise does to scores: a random 5% of the normal frames get Gaussian noise, and models score with and without.

    python benches/noise_robustness.py ../shared/data/ped2 MODEL [MODEL ...] --work /tmp/noise

Prints for each model the AUROC before and after, the share of the noisy frames that come out in the top 5%, and how
many of them the product marked as noisy. Frames are changed at full size and written without loss.
"""

import argparse
import csv
import shutil
from pathlib import Path

import cv2
import numpy as np

import pixelfast

SHARE = 0.05
Frame = tuple[str, str]


def noisy_copy(data: Path, folder: Path, sigma: float, chosen: set[Frame]) -> None:
    """A copy of the test footage in which the chosen frames (video, number) have noise of `sigma` grey levels."""
    rng = np.random.default_rng(1)
    for path in sorted((data / "testing").glob("*/*")):
        target = folder / path.parent.name / f"{path.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        frame = cv2.imread(str(path))
        if key(path.parent.name, path.stem) in chosen:
            frame = np.clip(frame + sigma * rng.standard_normal(frame.shape), 0, 255).round().astype(np.uint8)
        cv2.imwrite(str(target), frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def key(video: str, frame: str) -> Frame:
    """A frame's name in the labels: without leading zeros."""
    digits = frame[len(frame.rstrip("0123456789")) :]
    return video.lstrip("0") or "0", digits.lstrip("0") or "0"


def choose(labels: Path) -> set[Frame]:
    """A random 5% of the normal frames."""
    with labels.open(newline="") as file:
        rows = [row["Id"].rsplit("_", 1) for row in csv.DictReader(file) if row["Label"] == "0"]
    normal = [(video, frame) for video, frame in rows]
    picked = np.random.default_rng(0).choice(len(normal), round(SHARE * len(normal)), replace=False)
    return {normal[index] for index in picked}


def compare(name: str, clean: pixelfast.Scores, noisy: pixelfast.Scores, labels: Path, chosen: set[Frame]) -> str:
    """The rest of a line of the table."""
    videos = np.asarray(noisy.videos)[noisy.video_index]
    hit = np.array([key(video, str(frame)) in chosen for video, frame in zip(videos, noisy.frame, strict=True)])
    before, after = (pixelfast.evaluate(scores, labels).auroc for scores in (clean, noisy))
    top = float((noisy.rank[hit] > 1 - SHARE).mean())
    return (
        f"| {name} | {before:.3f} | {after:.3f} | {after - before:+.3f} | {top:.1%} "
        f"| {int(noisy.noisy[hit].sum())} of {int(hit.sum())} (and {int(noisy.noisy[~hit].sum())} others) |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="folder for the noisy footage; removed afterwards")
    arguments = parser.parse_args()
    labels = arguments.data / "labels.csv"
    chosen = choose(labels)
    print("| model | AUROC | with noise | change | noisy frames in the top 5% | marked noisy |")
    print("| --- | --- | --- | --- | --- | --- |")
    for sigma in (25.0, 50.0):
        noisy_copy(arguments.data, arguments.work, sigma, chosen)
        for model in arguments.models:
            clean, noisy = (pixelfast.score(source, model) for source in (arguments.data / "testing", arguments.work))
            print(compare(f"{model.name}, sigma {sigma:.0f}", clean, noisy, labels, chosen), flush=True)
        shutil.rmtree(arguments.work)


if __name__ == "__main__":
    main()
