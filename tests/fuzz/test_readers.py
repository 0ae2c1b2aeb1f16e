"""No bytes of a stranger's file make a reader raise anything but a PixelfastError; `make fuzz` tries for longer."""

import random
from pathlib import Path

import pytest

from fuzz_inputs import seeds
from fuzz_readers import TARGETS

INPUTS = 300


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_whatever_is_in_a_file_comes_back_as_a_sentence(name: str, tmp_path: Path) -> None:
    target, sound = TARGETS[name], seeds(name, tmp_path)
    rng = random.Random(name)
    for data in sound:
        target(data, tmp_path)
    for _ in range(INPUTS):
        target(rng.randbytes(40) if name.endswith("_facts") else damaged(rng.choice(sound), rng), tmp_path)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut off, or with bytes and numbers of four bytes replaced."""
    if rng.random() < 0.1:
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed))
        new = rng.choice([rng.randbytes(1), b"\xff\xff\xff\x7f", bytes(4), b"\xff"])
        changed[at : at + len(new)] = new
    return bytes(changed)
