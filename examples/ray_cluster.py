"""Scores footage on a Ray cluster: workers share the videos, long ones in segments; the scores are those of one run.

On the first machine `ray start --head`, on the others `ray start --address=FIRST:6379`; then, on any of them:
python examples/ray_cluster.py /shared/new /shared/model /shared/scores.parquet
"""

import sys

import pixelfast
import pixelfast.ray


def told(step: pixelfast.Progress) -> None:
    """Prints a line as videos and segments come back."""
    print(f"{step.done:,} of {step.total or 0:,} frames, last of {step.note}")


def main(source: str, model: str, out: str) -> None:
    """Says how long it would take one worker, lets all of them do it, and prints what stands out."""
    work = pixelfast.dry_run(source, engine=model, threads=1)
    print(f"one worker would take {work.hours() or 0:.2f} hours ({work.rate:,.0f} frames/s, as measured)")
    # What a worker finishes is kept in OUT.parts/, and the same call goes on from there.
    scores = pixelfast.ray.score(source, engine=model, out=out, num_cpus=1, progress=told)
    for moment in scores.top(3):
        print(f"most unusual: {moment.video} frame {moment.frame}, rank {moment.rank:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
