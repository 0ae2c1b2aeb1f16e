"""From what a user gives (a folder, a list, a pattern) to videos, or a sentence that says why not."""

import logging
import os
from collections import Counter
from collections.abc import Iterable
from copy import copy
from glob import glob, has_magic
from pathlib import Path

from pixelfast.errors import SourceError
from pixelfast.files.natural import natural_key
from pixelfast.options import USUAL_READING, Reading
from pixelfast.sources.folder import FolderVideo, video_name
from pixelfast.sources.listing import FRAME_SUFFIXES, Contents, is_ours, list_folder, walk
from pixelfast.sources.picture_file import ANIMATION_SUFFIXES, MANY_SUFFIXES, PictureFile, count_pictures, several
from pixelfast.sources.picture_file import suffix as _suffix
from pixelfast.sources.refusals import no_folder, no_frames, some_of
from pixelfast.sources.video import Video
from pixelfast.sources.video_file import VIDEO_SUFFIXES, VideoFile

Opened = FolderVideo | PictureFile | VideoFile
"""The kinds of videos that a source is found to hold."""

Source = str | os.PathLike[str] | Video | Iterable[str | os.PathLike[str] | Video]

_logger = logging.getLogger("pixelfast")


def open_source(
    source: Source,
    notes: list[str] | None = None,
    *,
    reading: Reading = USUAL_READING,
    outputs: Iterable[Path] = (),
) -> list[Video]:
    """Finds the videos of a source, naturally sorted by name; no frame is opened.

    Args:
        source: a folder of video files or of folders of frames at any depth, one of these, a pattern (`cam*/*.mp4`), a
            `Video`, or a list of those. A video has the name of its folder or of its file without the suffix, below a
            folder its path there (`2026-11-01/cam1`); so have those of a pattern that are called the same.
        notes: receives what is said aloud (files passed over, folders without frames, frames numbered by position),
            one sentence each.
        reading: how the pictures become pixels, those of a `Video` too that was opened as usual.
        outputs: files that the run will write, about which nothing is said where they lie among the frames.

    Raises:
        SourceError: there are no frames, or the layout cannot be understood; the message says what to do.

    Examples:
        >>> [video.name for video in pixelfast.open_source("new")]
        ['01', '02']
    """
    finds = _Finds(reading, outputs)
    for item in _items(source):
        finds.add(item)
    if not finds.videos:
        raise SourceError("the list of sources is empty: give at least one video file or folder of frames")
    _name_files_in_full(finds.videos)
    videos = sorted(finds.videos, key=lambda video: natural_key(video.name))
    _refuse_duplicates(videos)
    for note in finds.notes():
        _logger.warning(note)
        if notes is not None:
            notes.append(note)
    return videos


def _items(source: Source) -> list[str | os.PathLike[str] | Video]:
    if isinstance(source, str | os.PathLike | Video):
        return [source]
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return list(source)
    raise SourceError(f"a source is a path, a pattern, or a list of paths, not {type(source).__name__}: {source!r}")


class _Finds:
    """What was found so far, and what was passed over on the way."""

    def __init__(self, reading: Reading, outputs: Iterable[Path]) -> None:
        self._reading = reading
        self._outputs = {path.resolve() for path in outputs}
        self.videos: list[Video] = []
        self._others: list[Path] = []
        self._without_frames: list[Path] = []

    def add(self, item: str | os.PathLike[str] | Video) -> None:
        """Adds one item of a source."""
        if isinstance(item, Video):
            if isinstance(item, Opened) and item.reading == USUAL_READING != self._reading:
                item = copy(item)
                item.reading = self._reading
            self.videos.append(item)
            return
        path = _path(item)
        there = _is_there(path)
        if not there and has_magic(str(path)):
            self._add_pattern(path)
        elif there and not path.is_dir() and _suffix(path.name) in VIDEO_SUFFIXES:
            self.videos.append(VideoFile(path, None, self._reading))
        elif there and not path.is_dir():
            if not _is_several(path):
                raise SourceError(no_folder(path))
            self.videos.append(PictureFile(path, None, self._reading))
        else:
            self._add_folder(path, list_folder(path))

    def notes(self) -> list[str]:
        """Returns one sentence for each kind of thing that was passed over or cannot be taken as it is."""
        notes, names = [], {path.name for path in self._outputs}
        others = [path for path in self._others if path.name not in names or path.resolve() not in self._outputs]
        if others:
            notes.append(f"files that are no frames were passed over: {len(others)}, such as {others[0]}")
        if self._without_frames:
            notes.append(f"folders without frames were passed over: {some_of(self._without_frames)}")
        if files := [video for video in self.videos if isinstance(video, PictureFile)]:
            more = f"; {len(files)} such files" if len(files) > 1 else ""
            first = min(files, key=lambda video: natural_key(video.name))
            notes.append(f"{first.path} holds {first.length} pictures, the frames of video {first.name}{more}")
        folders = [video for video in self.videos if isinstance(video, FolderVideo)]
        folders.sort(key=lambda video: natural_key(video.name))
        if strays := [video.folder / name for video in folders for name in video.strays]:
            notes.append(f"pictures that are not of the series of frames around them were left out: {some_of(strays)}")
        if unnumbered := [video for video in folders if video.by_position is not None]:
            notes.append(
                "frames are numbered by their position from 0 where their names hold no numbers that rise "
                f"({unnumbered[0].by_position}), in: {some_of([video.folder for video in unnumbered])}"
            )
        return notes

    def _add_pattern(self, pattern: Path) -> None:
        # Path.glob takes no absolute pattern.
        matches = sorted(map(Path, glob(str(pattern), recursive=True)), key=lambda path: natural_key(str(path)))  # noqa: PTH207
        folders = [path for path in matches if path.is_dir()]
        files = [path for path in matches if not path.is_dir()]
        frames = [path for path in files if _suffix(path.name) in FRAME_SUFFIXES]
        films = [path for path in files if _suffix(path.name) in VIDEO_SUFFIXES]
        stacks = films + [path for path in files if _is_several(path)]
        if not matches:
            raise SourceError(f"nothing matches {pattern}: check the pattern, or give a folder of frames")
        if not folders and not stacks:
            raise SourceError(no_folder(files[0]))
        if loose := [path for path in frames if path not in stacks]:
            video, kind = (folders[0], "folders") if folders else (stacks[0], "files that are videos")
            raise SourceError(
                f"{pattern} matches both {kind}, such as {video}, and loose frames, such as {loose[0]}: "
                f"give a pattern that matches {kind} alone"
            )
        listings = {folder: list_folder(folder) for folder in folders}
        empty = [folder for folder, listing in listings.items() if not listing.holds_videos(folder)]
        if len(empty) == len(folders) and not stacks:
            raise SourceError(no_frames(empty[0], listings[empty[0]], {}))
        before = len(self.videos)
        for folder in folders:
            if folder not in empty:
                self._add_folder(folder, listings[folder])
        kinds = [VideoFile if path in films else PictureFile for path in stacks]
        self.videos += [kind(path, None, self._reading) for kind, path in zip(kinds, stacks, strict=True)]
        _tell_apart([video for video in self.videos[before:] if isinstance(video, Opened)])
        self._without_frames += [folder for folder in empty if not is_ours(folder)]
        self._others += sorted(path for path in files if path not in stacks)

    def _add_folder(self, folder: Path, listing: Contents) -> None:
        """Adds a folder of frames, or all such folders below it."""
        below = dict(walk(folder, listing))
        stacks = {
            path: several(path, inside.frames, [] if inside.folders else inside.others)
            for path, inside in below.items()
            if not is_ours(path)
        }
        if not any(inside.frames or inside.films for inside in below.values()) and not any(stacks.values()):
            raise SourceError(no_frames(folder, listing, below))
        others = list[Path]()
        for path, inside in below.items():
            if is_ours(path):
                continue
            files = [path / name for name in sorted(inside.others) if name not in stacks[path]]
            name = None if path == folder else path.relative_to(folder).as_posix()
            frames, films = inside.own_frames(), inside.films
            if len(frames) < len(inside.frames):
                files += [path / name for name in sorted(set(inside.frames) - {*frames, *stacks[path]})]
            if frames:
                _refuse_mixed(path, inside)
                files, films = files + [path / film for film in sorted(films)], []
            for film in films:
                stem = Path(film).stem
                self.videos.append(VideoFile(path / film, f"{name}/{stem}" if name else stem, self._reading))
            if stacks[path]:
                self._add_stacks(path, stacks[path], name)
                self._others += files
            elif frames:
                self.videos.append(FolderVideo(path, frames, name, self._reading))
                self._others += files
            elif inside.folders or films:
                others += files
            else:
                self._without_frames.append(path)
        self._others += others

    def _add_stacks(self, folder: Path, names: list[str], name: str | None) -> None:
        """Adds files of several pictures: a lone one as the folder's video, others under names of their own."""
        for file in names:
            stem = Path(file).stem
            own = name or video_name(folder) if len(names) == 1 else f"{name}/{stem}" if name else stem
            self.videos.append(PictureFile(folder / file, own, self._reading))


def _is_several(file: Path) -> bool:
    """Whether a file that stands alone is a video."""
    kind = _suffix(file.name)
    return kind in MANY_SUFFIXES | ANIMATION_SUFFIXES and count_pictures(file) >= (1 if kind == "gif" else 2)


def _name_files_in_full(videos: "list[Video]") -> None:
    """Names video files with their suffixes where there is another video of the name without it."""
    names = Counter(video.name for video in videos)
    for video in videos:
        if isinstance(video, VideoFile) and names[video.name] > 1:
            video.name += video.path.suffix


def _tell_apart(videos: list[Opened]) -> None:
    """Names the videos of a pattern by their paths where their names alone do not tell them apart."""
    places = [_place(video) for video in videos]
    if len({video.name for video in videos}) < len(videos) == len(set(places)):
        above = os.path.commonpath(places)
        for video, place in zip(videos, places, strict=True):
            video.name = place.relative_to(above).as_posix()


def _place(video: Opened) -> Path:
    """What a video's name comes from."""
    if isinstance(video, FolderVideo):
        return video.folder
    return video.path.with_suffix("") if video.name == video.path.stem else video.path.parent


def _refuse_mixed(folder: Path, listing: Contents) -> None:
    """Raises a SourceError where a folder holds both frames and folders."""
    if beside := [name for name in listing.folders if not is_ours(folder / name)]:
        frames, folders = (some_of(sorted(names, key=natural_key), 1) for names in (listing.frames, beside))
        raise SourceError(
            f"{folder} holds both loose frames ({frames}) and folders ({folders}): "
            "move the frames into a folder of their own, or give one of the folders"
        )


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise SourceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return True


def _path(item: str | os.PathLike[str]) -> Path:
    if not isinstance(item, str | os.PathLike) or isinstance(os.fspath(item), bytes):
        raise SourceError(f"a source is a path or a pattern, not {type(item).__name__}: {item!r}")
    text = os.fspath(item)
    if not text.strip():
        raise SourceError("the source is an empty text: give a folder of frames")
    if "://" in text:
        raise SourceError(f"{text} is an address; pixelfast reads folders of frames on this machine")
    return Path(text)


def _refuse_duplicates(videos: list[Video]) -> None:
    by_name: dict[str, Video] = {}
    for video in videos:
        other = by_name.setdefault(video.name, video)
        if other is not video:
            places = [getattr(one, "folder", getattr(one, "path", one.describe(0))) for one in (other, video)]
            raise SourceError(
                f"two videos have the name {video.name}: {places[0]} and {places[1]}. Rename one, score them "
                "apart, or give the folder above both"
            )
