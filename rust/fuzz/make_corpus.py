"""Writes the corpus: small files of every kind, sound and hostile, byte by byte; `python rust/fuzz/make_corpus.py`.

Each hostile file has a test that says what must come out of it, in rust/pixelfast-core/tests/hostile and in
rust/pixelfast-jpeg/tests/hostile.rs. A file that the fuzzer found is added here by the bytes that matter.
"""

import struct
import sys
import zlib
from pathlib import Path

from corpus_jpeg import jpegs
from corpus_tiff import stored, tiffs

HUGE = 65535

# PNG.
PASSES = ((1, 1), (1, 1), (2, 1), (1, 2), (3, 1), (3, 3), (6, 2))  # of an interlaced picture of 6 x 5
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def expanding(count: int) -> bytes:
    """A zlib stream of zeros in fixed codes: one, and `count` times 258 more of it, in 13 bits each."""
    bits = "110" + "00110000" + ("11000101" + "00000") * count + "0000000"
    body = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    return b"\x78\x01" + body + struct.pack(">I", (258 * count + 1) % 65521 << 16 | 1)


def head(width: int, height: int, depth: int = 8, color: int = 0, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))


def control(sequence: int, width: int, height: int, x: int = 0, y: int = 0, how: bytes = b"\0\0") -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHH", sequence, width, height, x, y, 1, 10) + how)


def rows(width: int, height: int, pixel: int = 1) -> bytes:
    return b"".join(b"\0" + bytes((40 * row + 9 * at) % 256 for at in range(width * pixel)) for row in range(height))


def png(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND")


def pngs() -> dict[str, bytes]:
    pixels, more = stored(rows(6, 5)), struct.pack(">I", 2) + stored(rows(6, 5))
    count = chunk(b"acTL", struct.pack(">II", 2, 0))
    animation = [head(6, 5), count, control(0, 6, 5), chunk(b"IDAT", pixels), control(1, 6, 5, how=b"\2\1")]
    outside = control(1, 6, 5, 4_000_000_000, 4_000_000_000)
    return {
        "grey": png(head(6, 5), chunk(b"IDAT", pixels)),
        "color_of_16_bits": png(head(6, 5, 16, 2), chunk(b"sBIT", b"\x0c\x0c\x0c"), chunk(b"IDAT", stored(rows(6, 5, 6)))),
        "interlaced": png(head(6, 5, interlaced=1), chunk(b"IDAT", stored(b"".join(rows(*size) for size in PASSES)))),
        "palette": png(head(6, 5, 8, 3), chunk(b"PLTE", bytes(range(30))), chunk(b"IDAT", stored(rows(6, 5)))),
        "animation": png(*animation, chunk(b"fdAT", more)),
        "cut_in_the_pixels": png(head(6, 5), chunk(b"IDAT", pixels))[:-34],
        "announces_65535_by_65535": png(head(HUGE, HUGE, 16, 6), chunk(b"IDAT", pixels)),
        "announces_the_largest_sides": png(head(2**31 - 1, 2**31 - 1), chunk(b"IDAT", pixels)),
        "announces_one_very_long_row": png(head(2**31 - 1, 1, 16, 6), chunk(b"IDAT", pixels)),
        "a_row_of_70000_pixels": png(head(70_000, 1), chunk(b"IDAT", expanding(272))),
        "animation_announces_65535_by_65535": png(head(HUGE, HUGE), *animation[1:], chunk(b"fdAT", more)),
        "announces_four_billion_pictures": png(head(6, 5), chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)), *animation[2:]),
        "announces_a_million_pictures": png(head(6, 5), chunk(b"acTL", struct.pack(">II", 10**6, 0)), *animation[2:]),
        "picture_outside_its_canvas": png(*animation[:4], outside, chunk(b"fdAT", more)),
        "no_pixels": png(head(0, 0), chunk(b"IDAT", pixels)),
        "chunk_longer_than_the_file": png(head(6, 5)) + b"\xff\xff\xff\xffIDAT",
        "text_that_expands_to_two_megabytes": png(head(6, 5), chunk(b"zTXt", b"a\0\0" + expanding(9000)), chunk(b"IDAT", pixels)),
        "rows_that_expand_to_two_megabytes": png(head(6, 5), chunk(b"IDAT", expanding(9000))),
        "no_pixels_at_all": png(head(6, 5)),
        "exif_chunk_ends_beyond_the_file": SIGNATURE + head(6, 5) + b"\x7f\xff\xff\xffeXIfII*\0",
        "only_its_start": SIGNATURE,
    }  # fmt: skip


# GIF, BMP, WebP.


def gif(width: int, height: int, *pictures: bytes) -> bytes:
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\x80\x40" + b"".join(pictures) + b";"
    )


def gif_picture(width: int, height: int, x: int = 0, y: int = 0, flags: int = 0, codes: bytes = b"\x84\x51") -> bytes:
    told = b"\x21\xf9\4" + struct.pack("<BHB", flags, 10, 0) + b"\0"
    return told + struct.pack("<BHHHHB", 0x2C, x, y, width, height, 0) + b"\2" + bytes([len(codes)]) + codes + b"\0"


def gifs() -> dict[str, bytes]:
    one = gif_picture(2, 2)
    return {
        "two_pictures": gif(2, 2, one, gif_picture(2, 2, flags=9)),
        "restored": gif(2, 2, one, gif_picture(1, 1, flags=0x0C, codes=b"\x4c\1"), one),
        "announces_65535_by_65535": gif(HUGE, HUGE, one, one),
        "picture_announces_65535_by_65535": gif(2, 2, gif_picture(HUGE, HUGE), one),
        "picture_outside_its_canvas": gif(2, 2, one, gif_picture(2, 2, HUGE, HUGE)),
        "picture_lacks_its_end": gif(2, 2, one, gif_picture(200, 200)),
        "no_palette": b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0, 0, 0) + one + b";",
        "no_pixels": gif(0, 0, one, one),
        "code_size_of_255": gif(2, 2, one, one).replace(b"\2\2\x84", b"\xff\2\x84"),
        "only_its_start": b"GIF89a",
    }


def bmp(width: int, height: int, bits: int = 24, kind: int = 0, pixels: bytes = b"", colors: int = 0) -> bytes:
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, kind, len(pixels), 0, 0, colors, 0)
    table = bytes(range(4 * min(colors, 16)))
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54 + len(table)) + about + table + pixels


def bmps() -> dict[str, bytes]:
    return {
        "color": bmp(3, 2, pixels=bytes(range(24))),
        "palette": bmp(4, 2, 8, pixels=bytes(range(8)), colors=16),
        "run_lengths": bmp(4, 2, 8, 1, b"\4\1\0\0\4\2\0\1", 16),
        "from_the_top_down": bmp(3, -2, pixels=bytes(range(24))),
        "cut_in_the_pixels": bmp(3, 20, pixels=bytes(range(24))),
        "announces_65535_by_65535": bmp(HUGE, HUGE, pixels=bytes(24)),
        "announces_the_largest_sides": bmp(2**31 - 1, -(2**31), pixels=bytes(24)),
        "announces_run_lengths_of_65535_by_65535": bmp(HUGE, HUGE, 8, 1, b"\0\2\xff\xff\0\1", 16),
        "announces_four_billion_colors": bmp(3, 2, 8, pixels=bytes(24), colors=2**32 - 1),
        "no_pixels": bmp(0, 0),
        "no_bits": bmp(3, 2, 0, pixels=bytes(24)),
        "only_its_start": b"BM",
    }


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def solid(width: int, height: int) -> bytes:
    """A lossless picture of one color, whatever its size: each of its five codes has a single symbol."""
    fields = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 4), (0, 3)]
    fields += [part for symbol in (9, 200, 90, 255) for part in ((1, 2), (1, 1), (symbol, 8))] + [(1, 2), (0, 2)]
    number = at = 0
    for value, bits in fields:
        number, at = number | value << at, at + bits
    return number.to_bytes((at + 7) // 8 + 2, "little")


def extended(flags: int, width: int, height: int) -> tuple[bytes, bytes]:
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def moving(width: int, height: int, data: bytes, x: int = 0) -> tuple[bytes, bytes]:
    sides = b"".join(number.to_bytes(3, "little") for number in (x, 0, width - 1, height - 1, 100))
    return b"ANMF", sides + b"\0" + data


def piece(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webps() -> dict[str, bytes]:
    one = piece(b"VP8L", solid(6, 5))
    lossy = b"\x30\0\0\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383) + bytes(40)
    masked = piece(b"ALPH", b"\0" + bytes(8)) + piece(b"VP8 ", lossy)
    clock = (b"ANIM", bytes(6))
    return {
        "one_color": riff((b"VP8L", solid(6, 5))),
        "animation": riff(extended(2, 6, 5), clock, moving(6, 5, one), moving(6, 5, one)),
        "animation_that_is_cut": riff(extended(2, 6, 5), clock, moving(6, 5, one), moving(6, 5, one))[:-9],
        "announces_16383_by_16383": riff((b"VP8L", solid(16383, 16383))),
        "announces_16383_by_16383_lossy": riff((b"VP8 ", lossy)),
        "announces_the_largest_canvas": riff(extended(0, 2**24, 2**24), (b"VP8L", solid(6, 5))),
        "announces_65535_by_65535_animated": riff(extended(2, HUGE, HUGE), clock, moving(6, 5, one), moving(6, 5, one)),
        "picture_announces_16383_by_16383": riff(extended(2, 6, 5), clock, moving(16383, 16383, piece(b"VP8L", solid(16383, 16383)))),
        "masked_picture_announces_65535_by_65535": riff(extended(2, 6, 5), clock, moving(HUGE, HUGE, masked)),
        "masked_picture_announces_the_largest_sides": riff(extended(2, 6, 5), clock, moving(2**24, 2**24, masked)),
        "announces_a_row_of_16_million": riff(extended(2, 2**24, 1), clock, moving(6, 1, one), moving(6, 1, one)),
        "picture_outside_its_canvas": riff(extended(2, 6, 5), clock, moving(6, 5, one, 2**24 - 1), moving(6, 5, one)),
        "chunk_longer_than_the_file": riff((b"VP8L", solid(6, 5)))[:16] + b"\xff\xff\xff\xff",
        "exif_ends_beyond_the_file": riff(extended(8, 6, 5), (b"VP8L", solid(6, 5))) + b"EXIF\xff\xff\xff\xffII*\0",
        "only_its_start": b"RIFF\0\0\0\0WEBP",
    }  # fmt: skip


# Planes: bytes between rows, height, width, the frame's height and width, flags, orientation (targets/planes.rs).


def plane(line: int, height: int, width: int, into: tuple[int, int], flags: int, turn: int, pixels: bytes) -> bytes:
    return struct.pack(">HHHBBBB", line, height, width, *into, flags, turn) + pixels


def planes() -> dict[str, bytes]:
    pixels = bytes((5 * at) % 256 for at in range(200))
    return {
        "luma": plane(12, 8, 10, (4, 5), 4, 1, pixels),
        "luma_of_10_bits": plane(20, 8, 10, (4, 5), 2 | 10 << 3, 6, pixels),
        "colors": plane(30, 6, 10, (3, 5), 3, 1, pixels),
        "rows_shorter_than_the_picture": plane(5, 8, 10, (4, 5), 0, 1, pixels),
        "announces_65535_by_65535": plane(HUGE, HUGE, HUGE, (4, 5), 0, 1, pixels),
        "orientation_of_255": plane(12, 8, 10, (4, 5), 0, 255, pixels),
        "no_pixels": plane(0, 0, 0, (0, 0), 0, 1, b""),
    }


def main(corpus: Path) -> None:
    kinds = (("jpeg", jpegs), ("png", pngs), ("tiff", tiffs), ("gif", gifs), ("bmp", bmps), ("webp", webps))
    for kind, files in (*kinds, ("planes", planes)):
        folder = corpus / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files().items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("corpus"))
