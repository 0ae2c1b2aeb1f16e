"""The choice of precision, layout and batch: by what the processor can do, fixed by the caller, never by a timing."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from pixelfast.machine import processor
from pixelfast.methods.reconstruction.loop import choose
from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.training import speed
from pixelfast.training.speed import Choice, usual_precision

RECIPE = replace(RECIPES["default"].own, channels=4, batches=(1, 2), precisions=("bf16", "fp32"))


def on(monkeypatch: pytest.MonkeyPatch, *, bf16: bool) -> None:
    monkeypatch.setattr(speed, "multiplies_bf16", lambda: bf16)


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_the_processor_decides(monkeypatch: pytest.MonkeyPatch, bf16: bool, precision: str) -> None:
    on(monkeypatch, bf16=bf16)
    assert usual_precision() == precision
    default, source = RECIPES["default"].own, RECIPES["source"].own
    assert choose(default, precision=None, batch=None, threads=1) == Choice(precision, True, 4, 1)  # type: ignore[arg-type]
    assert choose(source, precision=None, batch=None, threads=2) == Choice(precision, True, 32, 2, 8)  # type: ignore[arg-type]
    assert usual_precision(("fp32",)) == "fp32"
    assert usual_precision(("bf16",)) == "bf16"


def test_nothing_is_timed_and_nothing_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = choose(RECIPE, precision=None, batch=None, threads=1)
    for clock in ("perf_counter", "process_time", "monotonic"):
        monkeypatch.setattr(time, clock, lambda: pytest.fail("a clock was looked at"))
    assert choose(RECIPE, precision=None, batch=None, threads=1) == first
    assert not (tmp_path / "cache").exists()


def test_what_the_caller_fixes_is_taken() -> None:
    assert choose(RECIPE, precision="fp32", batch=3, threads=2) == Choice("fp32", True, 3, 2)
    assert choose(RECIPE, precision="bf16", batch=1, threads=1) == Choice("bf16", True, 1, 1)


def test_only_a_batch_without_normalisation_goes_in_pieces() -> None:
    plain = replace(RECIPE, normalisation="none", precisions=("fp32",), batches=(32,))
    assert choose(plain, precision=None, batch=None, threads=1) == Choice("fp32", True, 32, 1, 8)
    assert choose(plain, precision=None, batch=8, threads=1) == Choice("fp32", True, 8, 1)
    assert choose(RECIPE, precision="fp32", batch=32, threads=1).piece is None


def test_source_recipe_keeps_its_batches_and_without_need_its_precision() -> None:
    source = RECIPES["source"].own
    assert choose(source, precision="fp32", batch=None, threads=1) == Choice("fp32", True, 32, 1, 8)
    assert (source.precisions, source.batches) == (("fp32", "bf16"), (32,))


@pytest.mark.parametrize(
    ("text", "bf16"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 avx512_vnni\n", True),
        ("flags\t\t: fpu amx_bf16\n\nflags\t\t: fpu amx_bf16\n", True),
        ("Features\t: fp asimd bf16\n", True),
        ("flags\t\t: fpu avx512f avx512_bf16x\n", False),
        ("", False),
        (None, False),
    ],
)
def test_what_a_processor_says_of_itself(
    text: str | None, bf16: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    found = processor.abilities(path)
    monkeypatch.setattr(processor, "abilities", lambda: found)
    assert processor.multiplies_bf16() == bf16
