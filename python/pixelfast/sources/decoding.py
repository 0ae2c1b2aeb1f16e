"""The decoding of a whole run: a video's frames, a few at a time, in the size and color that the method wants."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.picture_file import PictureFile
from pixelfast.sources.several import AHEAD_BYTES
from pixelfast.sources.video import Chunk, FrameFormat, Video

# Frames that wait to be cleaned at most, and as many wait for the engine: 8 MiB each at 128x128.
AHEAD = 512
# Frames that a decoding thread gets at a time; few, so that the decoder stops soon after it is told to.
PIECE_PER_THREAD = 8


@dataclass(frozen=True)
class DecodeSettings:
    """How the frames of every video of a run are decoded.

    Attributes:
        frames: the size and color that a video's frames must have.
        frame_bytes: the size of a frame in memory, about.
        threads: how many the decoder uses.
        stopwatch: gets the times of the `decode` phase.
    """

    frames: Callable[[Video], FrameFormat]
    frame_bytes: int
    threads: int
    stopwatch: Stopwatch

    def chunks(self, video: Video, *, digests: bool = False) -> Iterator[Chunk]:
        """Yields a video's frames, decoded a few at a time; with `digests`, what tells a folder's files is gathered.

        Raises:
            SourceError: frames have several sizes, and the method cannot bear it; or none can be read.
        """
        with self.stopwatch.phase("decode"):
            wanted = self.frames(video)
            if wanted.one_size and isinstance(video, FolderVideo | PictureFile):
                video.check_one_size()
            how = wanted.height, wanted.width, wanted.color, self.piece, self.threads
            chunks = video.chunks(*how, digests=digests) if isinstance(video, FolderVideo) else video.chunks(*how)
        while True:
            with self.stopwatch.phase("decode"):
                chunk = next(chunks, None)
            if chunk is None:
                return
            self.stopwatch.add("decode", nbytes=chunk.frames.nbytes)
            yield chunk

    @property
    def piece(self) -> int:
        """Returns how many frames are decoded at a time.

        A few for each thread; of large frames fewer, so that two pieces take no more than `AHEAD_BYTES`, but one for
        each thread at least.
        """
        threads = max(2, self.threads)
        return max(threads, min(PIECE_PER_THREAD * threads, AHEAD_BYTES // (2 * self.frame_bytes)))

    @property
    def depth(self) -> int:
        """Returns how many pieces wait at most, to be cleaned or for the engine."""
        return max(2, min(AHEAD, AHEAD_BYTES // self.frame_bytes) // self.piece)
