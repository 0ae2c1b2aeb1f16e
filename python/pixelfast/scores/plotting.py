"""One timeline of scores, by Plotly."""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError
from pixelfast.notes import shown
from pixelfast.scores.moments import runs_above
from pixelfast.scores.selecting import rows_of_video

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from pixelfast.scores.table import Scores

_MOST: Final = 20_000
"""Points of a line; of more frames each point is the highest of its neighbours, so that no peak is lost."""


def plot(scores: "Scores") -> "go.Figure":
    """Returns a Plotly figure; see `Scores.plot`."""
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise ScoresError("a plot needs Plotly: pip install 'pixelfast[report]'") from error
    smoothed, figure = scores.smoothed_raw(), go.Figure()
    rows = _peaks(smoothed)
    names = [f"video {shown(name)}" for name in scores.videos]
    places = [f"{names[scores.video_index[row]]}, frame {scores.frame[row]}" for row in rows.tolist()]
    figure.add_scatter(x=rows, y=smoothed[rows], text=places, hoverinfo="text+y", name="smoothed raw score")
    if scores.threshold is not None:
        figure.add_hline(scores.threshold, line_dash="dash", annotation_text=f"threshold {scores.threshold:.6g}")
        events = runs_above(scores, scores.threshold)
        firsts = {name: rows_of_video(scores, name) for name in {event.video for event in events}}
        at = [
            video.start + int(np.flatnonzero(scores.frame[video] == event.peak_frame)[0])
            for event in events
            for video in [firsts[event.video]]
        ]
        said = [
            f"video {shown(one.video)}, frames {one.start} to {one.end}" + (f"<br>{one.reason}" if one.reason else "")
            for one in events
        ]
        peaks = [event.peak_value for event in events]
        figure.add_scatter(x=at, y=peaks, text=said, hoverinfo="text", mode="markers", name="events")
    starts = np.searchsorted(scores.video_index, np.arange(len(names))).tolist()
    figure.update_xaxes(title_text="video", tickvals=starts, ticktext=list(map(shown, scores.videos)))
    figure.update_yaxes(title_text="smoothed raw score", rangemode="tozero")
    return figure


def _peaks(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of the highest of each few values, in order: all, where there are not too many."""
    step = max(1, -(-len(values) // _MOST))
    padded = np.full(-(-len(values) // step) * step, -np.inf)
    padded[: len(values)] = values
    blocks = padded.reshape(-1, step)
    rows: NDArray[np.intp] = np.arange(len(blocks)) * step + blocks.argmax(1)
    return rows
