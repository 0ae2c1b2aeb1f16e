"""Where frames come from. A source gives videos; a video gives its frames forward, in chunks."""

from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.harmless import harmless_note
from pixelfast.sources.lost import LossGuard
from pixelfast.sources.opening import Source, open_source
from pixelfast.sources.picture_file import PictureFile
from pixelfast.sources.repair import Repair
from pixelfast.sources.turned import turned_note
from pixelfast.sources.video import READ, TRUNCATED, UNREADABLE, Chunk, Color, Video
from pixelfast.sources.video_file import VideoFile

__all__ = [
    "READ",
    "TRUNCATED",
    "UNREADABLE",
    "Chunk",
    "Color",
    "FolderVideo",
    "LossGuard",
    "PictureFile",
    "Repair",
    "Source",
    "Video",
    "VideoFile",
    "harmless_note",
    "open_source",
    "turned_note",
]
