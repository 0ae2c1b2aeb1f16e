"""What is done with scores: the page to look at, and the comparison with labels.

A function imports what it needs when it is called: scoring starts in half a second.
"""

from typing import TYPE_CHECKING

from pixelfast.api.given import StrPath
from pixelfast.arguments import checked, path
from pixelfast.progress import ProgressCallback

if TYPE_CHECKING:
    from pixelfast.evaluation import Evaluation
    from pixelfast.files.places import AnyPath
    from pixelfast.scores import Scores
    from pixelfast.sources import Source


@checked()
def report(
    scores: "Scores | StrPath",
    source: "Source",
    out: StrPath,
    *,
    labels: StrPath | None = None,
    parts: StrPath | None = None,
    moments: int = 50,
    title: str | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> "AnyPath":
    """Writes the page that a person looks at: one HTML file that holds all it shows, and needs no network.

    It lists the runs of frames above the threshold, the highest first (without a threshold, or where nothing is above
    it, the frames that stand out most), each with pictures, how rare it is, why and where; and draws a timeline a
    video. Needs the extra `report` (Plotly and Jinja2).

    Args:
        scores: scores, or the `.parquet` that they were written to.
        source: the footage that was scored, for the pictures; what it lacks is said in the page.
        out: the `.html` to write.
        labels: as in `evaluate`; on the timelines, with a precision-recall and an ROC curve.
        parts: the folder of parts of these scores, whose error maps (`score(..., maps=True)`) are laid over the
            pictures; None takes `<scores>.parts/` where it is there.
        moments: how many are listed, at most, up to 500; each takes about 0.2 MB of the page.
        title: of the page; None says "Unusual moments".
        threads: that decode pictures; None takes the cores that this process may use.
        progress: told as moments get their pictures.

    Returns:
        The file that was written.

    Raises:
        ScoresError: scores or labels cannot be read, or are not of the same frames.
        OutputError: `out` cannot be written, or Plotly or Jinja2 is missing.
        ArgumentError: an argument is of a wrong type.

    Examples:
        >>> pixelfast.report("scores.parquet", "new", "report.html", labels="labels.csv").name
        'report.html'
    """
    from pixelfast.reporting.job import Wanted, write_report

    return write_report(scores, source, out, Wanted(labels, parts, moments, title, threads, progress))


@checked(masks=path)
def evaluate(
    scores: "Scores | StrPath", labels: StrPath, *, parts: StrPath | None = None, masks: StrPath | None = None
) -> "Evaluation":
    """Compares scores with labels: average precision and AUROC, over all frames and for each video.

    With masks, also where the error maps point: RBDC and TBDC, the detection criteria by region and by track of Street
    Scene (Ramachandra and Jones, 2020).

    Args:
        scores: scores, or the `.parquet` or `.csv` that they were written to.
        labels: what data sets publish. Over all videos, in natural order: an `Id,Label` CSV (in UTF-8 or UTF-16); a
            `.npy` of one label a frame; a `.mat` (needs SciPy; version 7 or older): `gt` with a cell a video of [2, K]
            first and last frames or of 0 and 1, structs whose `gt_frame` lists frames, a vector or a volume; UCSD's
            `.m`. Frames count from 1 there. Or a folder with, of each video, `<video>.npy` (labels, or masks
            [N, H, W]), `<video>.mat` (the same as above, or a volume [H, W, N]), `<video>_label.mat` of Avenue, or
            masks as pictures (`<video>/*.png` or `.bmp`, also in `<video>_gt/`): a frame is abnormal where any pixel
            is. Labels are 0 and 1, True and False, or 0 and 255.
        parts: the folder of parts of these scores, with their error maps (`score(..., maps=True)`); goes with `masks`.
        masks: a folder of the abnormal pixels: of each video a folder of one PNG or BMP a frame (`<video>/*.png` in
            natural order, white where abnormal; or `<video>_gt/`), a `<video>.npy` of [N, H, W], a `<video>.mat` with a
            volume [H, W, N], or a `<video>_label.mat` as Avenue publishes them (both need SciPy). A video without an
            abnormal label may be missing.

    Raises:
        ScoresError: a file cannot be read, or labels, parts, masks and scores do not fit.
        ArgumentError: an argument is of a wrong type, or only one of `parts` and `masks` is given.

    Examples:
        >>> found = pixelfast.evaluate("scores.parquet", "labels.csv")
        >>> found.frames, found.rbdc
        (80, None)
    """
    from pixelfast.jobs.evaluate import evaluate_run

    return evaluate_run(scores, labels, parts, masks)
