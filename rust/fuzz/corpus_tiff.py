"""TIFFs of the corpus."""

import struct
import zlib

HUGE = 65535

# TIFF.


def stored(data: bytes) -> bytes:
    """A zlib stream that compresses nothing, the same with every zlib; of less than 64 KiB."""
    return (
        b"\x78\x01\x01"
        + struct.pack("<HH", len(data), len(data) ^ 0xFFFF)
        + data
        + struct.pack(">I", zlib.adler32(data))
    )


def tiff(entries, data: bytes = b"", big: bool = False, next_at: int = 0, little: bool = True) -> bytes:
    """One directory after the data, which begins at byte 8 (16 of a BigTIFF)."""
    order, word, mark = "<" if little else ">", "Q" if big else "I", (43, 8, 0) if big else (42,)
    start = (b"II" if little else b"MM") + struct.pack(f"{order}{len(mark)}H", *mark)
    size, at = (8, 16) if big else (4, 8)
    body = b""
    for tag, kind, count, value in entries:
        field = value if isinstance(value, bytes) else struct.pack(order + word, value)
        if len(field) > size:
            field, data = struct.pack(order + word, at + len(data)), data + field
        body += struct.pack(f"{order}HH{word}", tag, kind, count) + field.ljust(size, b"\0")
    beyond = at + len(data)
    number = struct.pack(order + ("Q" if big else "H"), len(entries))
    return start + struct.pack(order + word, beyond) + data + number + body + struct.pack(order + word, next_at)


def plain(width: int, height: int, offset: int = 8, **other):
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: offset, 277: 1, 278: height}
    values |= {int(tag[1:]): value for tag, value in other.items()}
    return [(tag, 4, 1, value) for tag, value in sorted(values.items())]


def tiffs() -> dict[str, bytes]:
    pixels = bytes((7 * at) % 256 for at in range(30))
    palette = struct.pack("<768H", *range(768))
    over = [(320, 1, 4000, 8)] * 400
    return {
        "grey": tiff(plain(6, 5), pixels),
        "big_tiff": tiff(plain(6, 5, 16), pixels, big=True),
        "big_endian": tiff(plain(6, 5), pixels, little=False),
        "palette": tiff([*plain(6, 5, _262=3), (320, 3, 768, palette)], pixels),
        "tiled": tiff([(256, 4, 1, 6), (257, 4, 1, 5), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1), (322, 4, 1, 16), (323, 4, 1, 16), (324, 4, 1, 8), (325, 4, 1, 256)], bytes(256)),
        "deflated": tiff([*plain(6, 5, _259=8), (279, 4, 1, len(stored(pixels)))], stored(pixels)),
        "packed_12_bits": tiff(plain(4, 5, _258=12), pixels),
        "floats": tiff(sorted([*plain(3, 2, _258=32), (339, 3, 1, 3)]), struct.pack("<6f", 0, 0.5, 1, float("nan"), -1, 1e30)),
        "cut_in_the_pixels": tiff(plain(6, 50), pixels),
        "announces_65535_by_65535": tiff(plain(HUGE, HUGE), pixels),
        "announces_65535_by_65535_deflated": tiff(plain(HUGE, HUGE, _259=8), stored(pixels)),
        "announces_four_billion_by_four_billion": tiff(plain(2**32 - 1, 2**32 - 1), pixels),
        "announces_65535_samples_a_pixel": tiff(plain(6, 5, _277=65535), pixels),
        "announces_the_largest_of_big_tiff": tiff([(tag, 16, 1, 2**64 - 1) for tag in (256, 257, 258, 273, 277, 278)], pixels, big=True),
        "announces_tiles_of_65535_by_65535": tiff([(256, 4, 1, 6), (257, 4, 1, 5), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1), (322, 4, 1, 65520), (323, 4, 1, 65520), (324, 4, 1, 8), (325, 4, 1, 30)], pixels),
        "announces_a_strip_of_four_billion_rows": tiff(plain(6, 5, _278=2**32 - 1), pixels),
        "no_bits": tiff(plain(6, 5, _258=0), pixels),
        "no_rows_in_a_strip": tiff(plain(6, 5, _278=0), pixels),
        "four_hundred_palettes_over_the_same_bytes": tiff([*plain(6, 5), *over], bytes(4000)),
        "strips_over_each_other": tiff([*(one for one in plain(6, 100) if one[0] not in (273, 278)), (273, 4, 100, struct.pack("<100I", *[8] * 100)), (278, 4, 1, 1), (279, 4, 100, struct.pack("<100I", *[500] * 100))], bytes(500)),
        "directory_points_at_itself": b"II*\0\x08\0\0\0\2\0" + b"\0\1\4\0\1\0\0\0\6\0\0\0\1\1\4\0\1\0\0\0\5\0\0\0\x08\0\0\0",
        "directory_beyond_the_file": b"II*\0\xff\xff\xff\x7f",
        "directories_over_each_other": b"II*\0\x08\0\0\0" + b"\xff\x0f" * 3000,
        "palette_that_is_too_short": tiff(sorted([*plain(6, 5, _262=3), (320, 3, 2, 5)]), pixels),
        "jpeg_that_is_none": tiff(plain(6, 5, _259=7), pixels),
        "old_jpeg": tiff(plain(6, 5, _259=6), pixels),
        "only_its_start": b"II*\0",
    }  # fmt: skip
