"""Writes the corrected frames of a source under their own names: what `pixelfast.clean` does."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from pixelfast.cleaning.frame_files import Change, write_frame_files
from pixelfast.cleaning.stage import CLEANING_THREADS, CleanSettings, CleanStage, clean_video
from pixelfast.errors import LostFootageError, OutputError, SourceError
from pixelfast.files.folders import check_new_folder, new_folder
from pixelfast.flip.opening import choose_flip_correction
from pixelfast.machine.readahead import Readahead
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import (
    UNREADABLE,
    FolderVideo,
    PictureFile,
    Source,
    Video,
    VideoFile,
    harmless_note,
    open_source,
    turned_note,
)
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.depth import say_depth
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
        linked: how many of the files are hard links: the source's own files under another name.
        unwritten: how many frames are those of video files, which are judged and counted, but not written.
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
    linked: int
    refused: tuple[str, ...]
    unwritten: int = 0
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
    copy: bool,
    threads: int | None,
    progress: ProgressCallback | None,
) -> CleanReport:
    """Corrects a source; see `pixelfast.clean`."""
    settings.check()
    notes, watch, target, count = Notes(), Stopwatch(), Path(out), usable_threads(threads)
    videos = _that_clean_takes(open_source(source, notes))
    root = Path(source) if isinstance(source, str | PathLike) and Path(source).is_dir() else None
    folders = {video.folder for video in videos if isinstance(video, FolderVideo)}
    _refuse_inside(target, folders | ({root} if root and folders else set()))
    check_new_folder(target)
    loaded = Model.load(Path(model))
    reading = settings.reading(loaded.manifest.reading)
    for video in videos:
        video.reading = reading
    say_depth(videos, reading, notes, count)
    flip = choose_flip_correction(loaded, loaded.folder, settings.flip, notes)
    classifier = flip.open(loaded, CLEANING_THREADS)
    if classifier is not None:
        notes.say(*classifier.remarks)
    clean = CleanSettings(classifier, settings.on_error, bridge_noisy=False, stopwatch=watch)
    height, width = loaded.manifest.height, loaded.manifest.width
    decode = DecodeSettings(lambda _: FrameFormat(height, width), height * width, count, watch)
    changes, refused = list[Change](), list[str]()
    linked = unwritten = 0
    with new_folder(target) as temporary:
        for video in videos:
            try:
                stage = _judge(video, clean, flip.mode, decode)
            except LostFootageError as error:
                raise LostFootageError(f"{error}; --on-error insist (on_error='insist') repairs it anyway") from error
            if stage.refusal is not None:
                refused.append(video.name)
            notes.say(*stage.notes(), *(video.notes if isinstance(video, VideoFile) else []))
            if isinstance(video, VideoFile):
                judged = _judged(stage)
                changes, unwritten = changes + judged, unwritten + len(judged)
            else:
                with watch.phase("write"):
                    # As in the source where it is one folder, else under the video's name.
                    folder = temporary / (video.folder.relative_to(root) if root else video.name)
                    folder.mkdir(parents=True, exist_ok=True)
                    flipped, status = stage.record().flipped, stage.status()
                    changes += write_frame_files(
                        video.paths, folder, flipped, status,
                        copy=copy, orientation=video.reading.orientation, starts=video.starts,
                    )  # fmt: skip
                    linked += (
                        0 if copy else sum(path.exists() and path.samefile(folder / path.name) for path in video.paths)
                    )
            if progress is not None:
                progress(Progress("clean", len(changes), None, f"video {video.name}"))
    notes.say(*harmless_note(videos), *turned_note(videos))
    if unwritten:
        notes.say(
            f"{unwritten:,} frames of video files were judged and counted, but not written: score and train correct "
            "them on the way, without files"
        )
    counts = {change.name.lower(): changes.count(change) for change in Change}
    return CleanReport(
        target, len(videos), len(changes), **counts, linked=linked, unwritten=unwritten,
        refused=tuple(refused), notes=list(notes), phases=watch.seconds(),
    )  # fmt: skip


def _judge(video: Video, clean: CleanSettings, flip: FlipMode, decode: DecodeSettings) -> CleanStage:
    """The stage that has the record of the whole video."""
    with Readahead(lambda: decode.chunks(video), decode.depth) as chunks:
        steps = clean_video(video, clean, flip, chunks, lambda: decode.chunks(video))
        ((last, _),) = deque(steps, maxlen=1)
    return last


def _judged(stage: CleanStage) -> list[Change]:
    """What would become of the frames of a video file."""
    unreadable, flipped = stage.status() == UNREADABLE, stage.record().flipped
    kinds = np.where(unreadable, Change.REPLACED.name, np.where(flipped, Change.TURNED.name, Change.UNCHANGED.name))
    return [Change[kind] for kind in kinds.tolist()]


def _that_clean_takes(videos: Sequence[Video]) -> list[FolderVideo | VideoFile]:
    taken = [video for video in videos if isinstance(video, FolderVideo | VideoFile)]
    if others := [video for video in videos if not isinstance(video, FolderVideo | VideoFile)]:
        what = (
            f"and {others[0].path} is one file of several"
            if isinstance(others[0], PictureFile)
            else f"not {others[0]!r}"
        )
        raise SourceError(
            f"clean writes files, so it takes folders of images, {what}: extract the frames first (of video files it "
            "makes the report alone)"
        )
    return taken


def _refuse_inside(out: Path, folders: set[Path]) -> None:
    target = out.resolve()
    for folder in {folder.resolve() for folder in folders}:
        if target == folder or folder in target.parents or target in folder.parents:
            raise OutputError(f"{out} lies in the source or holds it ({folder}): name a folder apart from it")
