"""Writes the corrected frames of a source under their own names: what `pixelfast.clean` does."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from pixelfast.cleaning.frame_files import Change, write_frame_files
from pixelfast.cleaning.stage import CLEANING_THREADS, CleanSettings, CleanStage, clean_video
from pixelfast.errors import OutputError, SourceError
from pixelfast.files.folders import check_new_folder, new_folder
from pixelfast.flip.engine import load_flip_engine
from pixelfast.flip.opening import choose_flip_correction
from pixelfast.machine.readahead import Readahead
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import FolderVideo, Source, Video, open_source
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.video import FrameFormat


@dataclass(frozen=True)
class CleanReport:
    """What `pixelfast.clean` did.

    Attributes:
        out: the folder of corrected frames.
        videos: how many.
        frames: how many; the sum of the five counts below.
        unchanged: frames linked or copied byte for byte, truncated ones among them.
        turned: frames turned without loss.
        reencoded: JPEG frames turned and encoded again, because their size allows no lossless turn.
        replaced: unreadable frames, replaced by the nearest earlier readable one, else by the next.
        left: upside-down frames whose file is too damaged to be turned.
        refused: videos whose correction was refused.
        notes: what was said aloud.
        phases: seconds of each phase.

    Examples:
        >>> report = pixelfast.clean("new", "model", "fixed")
        >>> report.unchanged + report.turned + report.reencoded + report.replaced + report.left
        80
    """

    out: Path
    videos: int
    frames: int
    unchanged: int
    turned: int
    reencoded: int
    replaced: int
    left: int
    refused: tuple[str, ...]
    notes: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, for JSON.

        Examples:
            >>> pixelfast.clean("new", "model", "cleaned").to_dict()["out"]
            'cleaned'
        """
        return {**vars(self), "out": str(self.out), "refused": list(self.refused)}


def correct(
    source: Source,
    model: str | PathLike[str],
    out: str | PathLike[str],
    settings: Settings,
    *,
    threads: int | None,
    progress: ProgressCallback | None,
) -> CleanReport:
    """Corrects a source; see `pixelfast.clean`."""
    settings.check()
    notes, watch, count = Notes(), Stopwatch(), usable_threads(threads)
    target = Path(out)
    videos = _folders(open_source(source, notes))
    _refuse_inside(target, source, videos)
    check_new_folder(target)
    classifier = _open_classifier(Model.load(Path(model)), settings, count, watch, notes)
    folders = _places(source, videos)
    cleaner = _Cleaner(classifier, watch=watch, notes=notes, progress=progress)
    with new_folder(target) as temporary:
        for video, folder in zip(videos, folders, strict=True):
            cleaner.clean(video, temporary / folder)
    return cleaner.report(target)


@dataclass(frozen=True)
class _Classifier:
    mode: FlipMode
    clean: CleanSettings
    decode: DecodeSettings


def _open_classifier(model: Model, settings: Settings, threads: int, watch: Stopwatch, notes: Notes) -> _Classifier:
    flip = choose_flip_correction(model, model.folder, settings.flip, notes)
    size = (model.manifest.height, model.manifest.width)
    engine = None if flip.classifier is None else load_flip_engine(flip.classifier, *size, CLEANING_THREADS)
    stage = CleanSettings(engine, settings.on_error, bridge_noisy=False, stopwatch=watch)
    decode = DecodeSettings(lambda _: FrameFormat(*size), size[0] * size[1], threads, watch)
    return _Classifier(flip.mode, stage, decode)


class _Cleaner:
    """Goes through the videos, one after another."""

    def __init__(
        self,
        classifier: _Classifier,
        *,
        watch: Stopwatch,
        notes: Notes,
        progress: ProgressCallback | None,
    ) -> None:
        self._classifier = classifier
        self._watch = watch
        self._notes = notes
        self._progress = progress
        self._changes: list[Change] = []
        self._refused: list[str] = []
        self._videos = 0

    def clean(self, video: FolderVideo, folder: Path) -> None:
        """Writes the corrected frames of one video into `folder`."""
        stage = self._judge(video)
        if stage.refusal is not None:
            self._refused.append(video.name)
        for note in stage.notes():
            self._notes.say(note)
        with self._watch.phase("write"):
            folder.mkdir(parents=True, exist_ok=True)
            self._changes += write_frame_files(video.paths, folder, stage.record().flipped, stage.status())
        self._videos += 1
        if self._progress is not None:
            self._progress(Progress("clean", len(self._changes), None, f"video {video.name}"))

    def report(self, out: Path) -> CleanReport:
        """The counts."""
        counts = Counter(self._changes)
        return CleanReport(
            out=out,
            videos=self._videos,
            frames=len(self._changes),
            unchanged=counts[Change.UNCHANGED],
            turned=counts[Change.TURNED],
            reencoded=counts[Change.REENCODED],
            replaced=counts[Change.REPLACED],
            left=counts[Change.LEFT],
            refused=tuple(self._refused),
            notes=list(self._notes),
            phases=self._watch.seconds(),
        )

    def _judge(self, video: Video) -> CleanStage:
        """The stage that has the record of the whole video."""
        mode, settings, decode = self._classifier.mode, self._classifier.clean, self._classifier.decode
        with Readahead(lambda: decode.chunks(video), decode.depth) as chunks:
            steps = clean_video(video, settings, mode, chunks, lambda: decode.chunks(video))
            ((last, _),) = deque(steps, maxlen=1)
        return last


def _folders(videos: Sequence[Video]) -> list[FolderVideo]:
    folders = [video for video in videos if isinstance(video, FolderVideo)]
    if len(folders) < len(videos):
        raise SourceError("clean writes files, so it takes folders of images only: extract the frames first")
    return folders


def _places(source: Source, videos: Sequence[FolderVideo]) -> Iterator[Path]:
    """Where each video's frames go: as in the source where it is one folder, else under the video's name."""
    root = Path(source) if isinstance(source, str | PathLike) and Path(source).is_dir() else None
    for video in videos:
        yield Path(video.name) if root is None else video.folder.relative_to(root)


def _refuse_inside(out: Path, source: Source, videos: Sequence[FolderVideo]) -> None:
    target = out.resolve()
    folders = {video.folder.resolve() for video in videos}
    if isinstance(source, str | PathLike) and Path(source).is_dir():
        folders.add(Path(source).resolve())
    for folder in folders:
        if target == folder or folder in target.parents or target in folder.parents:
            raise OutputError(f"{out} lies in the source or holds it ({folder}): name a folder apart from it")
