"""Watches a camera, or a file as if it were one, and prints each unusual moment as it ends.

python examples/camera.py rtsp://camera/stream model/      (or 0, a camera of this machine, or a video file)
"""

import sys

import pixelfast


def main(camera: str, model: str) -> None:
    """Prints events until the footage ends, or Ctrl-C."""
    with pixelfast.watch(camera, model, alarm_rate="3/day", save_events="events") as watch:
        for event in watch:
            print(f"{event.line()}; saved as {event.saved}")
        print(f"{watch.standing().frames:,} frames watched")


if __name__ == "__main__":
    main(*sys.argv[1:])
