"""JPEGs of the corpus."""

import struct
from collections.abc import Iterable

HUGE = 65535

# JPEG. A code for each of 0 to 11, of four bits, in the DC table; in the AC table the end of a block, sixteen zeros and
# a few runs.
DC_TABLE = (bytes([0, 0, 0, 12, *[0] * 12]), bytes(range(12)))
AC_TABLE = (bytes([0, 0, 4, 4, *[0] * 12]), bytes([0x00, 0x01, 0x02, 0x11, 0xF0, 0x21, 0x03, 0x31]))
GREY, COLOR = ((1, 0x11, 0),), ((1, 0x22, 0), (2, 0x11, 0), (3, 0x11, 0))


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def quantisation(steps: Iterable[int] = (1,) * 64) -> bytes:
    return segment(0xDB, bytes([0, *steps]))


def huffman(kind: int, table: tuple[bytes, bytes]) -> bytes:
    return segment(0xC4, bytes([kind]) + table[0] + table[1])


def frame(height: int, width: int, components=GREY, kind: int = 0xC0) -> bytes:
    named = b"".join(bytes(one) for one in components)
    return segment(kind, struct.pack(">BHHB", 8, height, width, len(components)) + named)


def scan(components=GREY, first: int = 0, last: int = 63, bits: int = 0) -> bytes:
    named = b"".join(bytes([one[0], 0]) for one in components)
    return segment(0xDA, bytes([len(components)]) + named + bytes([first, last, bits]))


def coded(bits: str) -> bytes:
    """Bits as bytes: filled up by ones, a zero after each 0xff."""
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")


def block(level: int, rest: str = "") -> str:
    """A block whose first coefficient differs by `level` from the last one's; `rest` are codes of others."""
    size = abs(level).bit_length()
    number = level if level >= 0 else level + (1 << size) - 1
    return f"{size:04b}" + (f"{number:0{size}b}" if size else "") + rest + "000"


TABLES = quantisation() + huffman(0, DC_TABLE) + huffman(0x10, AC_TABLE)
JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
START, END = b"\xff\xd8", b"\xff\xd9"
WAVES = block(300, "0011" + "01010") + block(-200) + block(90, "0010" + "0111") + block(-400)
EXIF_TURN = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"


def jpeg(*pieces: bytes) -> bytes:
    return START + JFIF + b"".join(pieces) + END


def jpegs() -> dict[str, bytes]:
    grey = TABLES + frame(16, 16) + scan() + coded(WAVES)
    six = WAVES + block(5) + block(-5)
    color = TABLES + frame(32, 16, COLOR) + scan(COLOR) + coded(six * 2)
    first, second = coded(block(300) + block(10)), coded(block(-300) + block(20))
    restarts = TABLES + segment(0xDD, b"\0\2") + frame(16, 16) + scan() + first + b"\xff\xd0" + second
    progressive = TABLES + frame(16, 16, kind=0xC2) + scan(last=0)
    progressive += (
        coded("".join(block(level)[:-3] for level in (300, -200, 90, -400))) + scan(first=1) + coded("000" * 4)
    )
    endless = TABLES + frame(1000, 1000, kind=0xC2) + (scan(last=0) + coded("0" * 64)) * 200
    empty = (bytes(16), b"")
    crowded = (bytes([0, 4, 4, *[0] * 13]), bytes(8))
    long_codes = (bytes([0] * 15 + [200]), bytes(200))
    many = tuple((number, 0x44, 0) for number in range(255))
    return {
        "grey": jpeg(grey),
        "color_of_four_blocks_of_luma": jpeg(color),
        "restart_markers": jpeg(restarts),
        "progressive": jpeg(progressive),
        "turned_by_exif": START + segment(0xE1, EXIF_TURN) + grey + END,
        "stray_bytes_before_a_marker": jpeg(grey, b"\0" * 9),
        "no_end": jpeg(grey)[:-2],
        "cut_in_the_pixels": jpeg(color)[:-14],
        "announces_65535_by_65535": jpeg(TABLES + frame(HUGE, HUGE) + scan() + coded(WAVES)),
        "announces_65535_by_65535_progressive": jpeg(TABLES + frame(HUGE, HUGE, kind=0xC2) + scan(last=0) + coded("0" * 9)),
        "announces_a_million_pixels": jpeg(TABLES + frame(1000, 1000) + scan() + coded(WAVES)),
        "huffman_table_is_empty": jpeg(quantisation() + huffman(0, empty) + huffman(0x10, empty) + frame(8, 8) + scan() + b"\0"),
        "huffman_table_has_too_many_codes": jpeg(quantisation() + huffman(0, crowded) + huffman(0x10, crowded) + frame(8, 8) + scan() + b"\0"),
        "huffman_codes_are_all_long": jpeg(quantisation() + huffman(0, DC_TABLE) + huffman(0x10, long_codes) + frame(8, 8) + scan() + b"\0" * 8),
        "huffman_tables_again_and_again": jpeg(huffman(0, DC_TABLE) * 40 + grey),
        "quantisation_of_zeros": jpeg(quantisation([0] * 64) + grey[len(quantisation()) :]),
        "quantisation_of_the_largest_steps": jpeg(quantisation([255] * 64) + grey[len(quantisation()) :]),
        "no_quantisation": jpeg(grey[len(quantisation()) :]),
        "no_pixels": jpeg(TABLES + frame(0, 0) + scan() + coded(WAVES)),
        "no_scan": jpeg(TABLES + frame(16, 16)),
        "two_frames": jpeg(TABLES + frame(16, 16) + frame(HUGE, 1) + scan() + coded(WAVES)),
        "component_of_255_by_255_blocks": jpeg(TABLES + frame(16, 16, ((1, 0xFF, 0),)) + scan() + coded(WAVES)),
        "255_components": jpeg(TABLES + frame(64, 64, many, 0xC2) + scan(last=0) + coded(WAVES)),
        "scan_of_a_stranger": jpeg(TABLES + frame(16, 16) + scan(((9, 0x11, 0),)) + coded(WAVES)),
        "a_run_beyond_the_block": jpeg(TABLES + frame(8, 8) + scan() + coded("0000" + "1000" * 5 + "000")),
        "restart_markers_without_pixels": jpeg(TABLES + segment(0xDD, b"\0\1") + frame(16, 16) + scan() + b"".join(bytes([0xFF, 0xD0 + at % 8]) for at in range(400))),
        "segment_longer_than_the_file": jpeg(TABLES) [:-2] + b"\xff\xdb\xff\xff\0",
        "two_hundred_scans_of_nothing": jpeg(endless),
        "exif_points_at_itself": START + segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff\1\0") + grey + END,
        "only_its_start": START,
    }  # fmt: skip
