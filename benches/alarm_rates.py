"""How many alarms normal footage gives at a rate that was asked for: drawn scenes of several seeds, or real clips.

    python benches/alarm_rates.py --out /tmp/rates
    python benches/alarm_rates.py --out /tmp/rates ../shared/data/clips/*.mp4 ../shared/data/avenue_normal/11

Of a drawn scene the first half of the videos is learnt and the other half scored; of a clip (a video file, or a folder
of frames) the first 60% is learnt and the rest scored. Nothing in what is scored is abnormal, so that each event is a
false alarm. What lies in OUT already is taken as it is.
"""

import argparse
import logging
from pathlib import Path

import av
import cv2

import pixelfast
from pixelfast.demo.scene import SceneSpec, generate_scene
from pixelfast.methods.registry import all_methods
from pixelfast.model.events import EventRate

HEAD = ("footage", "method", "held out", "scored", "expected", "observed", "observed at 1/hour")
LEARNT = 0.6
FPS = 12.0


def drawn(out: Path, seed: int) -> tuple[list[Path], list[Path]]:
    """The videos of a drawn scene, normal throughout: those to learn and those to score."""
    spec = SceneSpec(seed=seed, height=180, width=320, train_videos=24, train_frames=175, test_videos=1, test_frames=1)
    videos = sorted(generate_scene(out / f"scene-{seed}", spec).train.iterdir())
    return videos[: len(videos) // 2], videos[len(videos) // 2 :]


def cut(out: Path, clip: Path) -> tuple[list[Path], list[Path]]:
    """The first 60% and the rest of a clip, as frames without loss."""
    first, rest = out / f"{clip.stem}-learnt", out / f"{clip.stem}-scored"
    if not rest.is_dir():
        frames = list(_frames(clip))
        for folder, some in ((first, frames[: int(LEARNT * len(frames))]), (rest, frames[int(LEARNT * len(frames)) :])):
            folder.mkdir(parents=True, exist_ok=True)
            for number, frame in enumerate(some):
                cv2.imwrite(str(folder / f"{number:05d}.png"), frame)
    return [first], [rest]


def _frames(clip: Path):
    if clip.is_dir():
        yield from (cv2.imread(str(path)) for path in sorted(clip.iterdir()))
        return
    with av.open(str(clip)) as file:
        yield from (frame.to_ndarray(format="bgr24") for frame in file.decode(video=0))


def row(name: str, learnt: list[Path], scored: list[Path], method: str, arguments: argparse.Namespace) -> list[float]:
    """Prints what one method does on one piece of footage; returns the events that were expected and observed."""
    folder = arguments.out / f"{name}-{method}"
    if not (folder / "model.json").exists():
        pixelfast.train(learnt, folder, method=method, fps=FPS, fresh=True)
    scores = pixelfast.score(scored, folder, fps=FPS)
    assert scores.curve is not None, "the model is calibrated"
    expected = len(scores) * EventRate.parse(arguments.rate).a_frame(scores.curve.pace)
    seen, usual = len(scores.events(alarm_rate=arguments.rate)), len(scores.events())
    cells = (name, method, f"{scores.curve.frames:,}", f"{len(scores):,}", f"{expected:.1f}", str(seen), str(usual))
    print(f"| {' | '.join(cells)} |", flush=True)
    return [expected, seen]


def main() -> None:
    """Prints the table, and the sums of each method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="*")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rate", default="1/500frames")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=list(all_methods()))
    arguments = parser.parse_args()
    logging.getLogger("pixelfast").setLevel(logging.ERROR)
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(HEAD)} |\n| {' | '.join('---' for _ in HEAD)} |")
    for method in arguments.methods:
        if arguments.clips:
            some = [(clip.stem, *cut(arguments.out, clip)) for clip in arguments.clips]
        else:
            some = [(f"drawn {seed}", *drawn(arguments.out, seed)) for seed in arguments.seeds]
        found = [row(*one, method, arguments) for one in some]
        expected, seen = (sum(column) for column in zip(*found, strict=True))
        print(f"| all | {method} | | | {expected:.1f} | {seen:.0f} | |", flush=True)


if __name__ == "__main__":
    main()
