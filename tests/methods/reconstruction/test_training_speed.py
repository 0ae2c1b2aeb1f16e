"""The choice of precision, layout and batch: measured once, remembered, fixed by the caller."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pixelfast.methods.reconstruction.loop import choose, machine_key
from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.training.speed import MEASURED, Choice

RECIPE = replace(RECIPES["default"].own, channels=4, batches=(1, 2), precisions=("bf16", "fp32"))


@pytest.fixture(autouse=True)
def own_cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def remember(rates: object, threads: int = 1) -> None:
    MEASURED.file.parent.mkdir(parents=True, exist_ok=True)
    MEASURED.file.write_text(json.dumps({machine_key(RECIPE, threads): rates}))


def known(**changes: float) -> dict[str, float]:
    rates = {"bf16 channels_last 1": 10.0, "bf16 contiguous 1": 10.0, "fp32 channels_last 1": 10.0}
    rates |= {"fp32 contiguous 1": 10.0, "bf16 channels_last 2": 10.0}
    return rates | {name.replace("_at_", " "): rate for name, rate in changes.items()}


def test_measurement_is_of_every_candidate_and_remembered(tmp_path: Path) -> None:
    assert MEASURED.file == tmp_path / "cache" / "pixelfast" / "training-speed.json"
    first = choose(RECIPE, precision=None, batch=None, threads=1)
    assert (first.precision in RECIPE.precisions, first.batch in RECIPE.batches, first.threads) == (True, True, 1)
    if not MEASURED.file.exists():
        pytest.skip("other programs took so much of the processor that nothing was remembered")
    rates = json.loads(MEASURED.file.read_text())[machine_key(RECIPE, 1)]
    assert {name.rsplit(" ", 1)[0] for name in rates} == {
        f"{precision} {layout}" for precision in ("bf16", "fp32") for layout in ("channels_last", "contiguous")
    }
    assert all(rate > 0 for rate in rates.values())
    assert choose(RECIPE, precision=None, batch=None, threads=1) == first
    assert json.loads(MEASURED.file.read_text())[machine_key(RECIPE, 1)] == rates


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (known(), Choice("bf16", True, 1, 1)),
        ({**known(), "bf16 channels_last 2": 11}, Choice("bf16", True, 1, 1)),  # not worth fewer steps
        ({**known(), "bf16 channels_last 2": 13}, Choice("bf16", True, 2, 1)),
        ({**known(), "fp32 channels_last 1": 11}, Choice("bf16", True, 1, 1)),  # within the measurement's error
        ({**known(), "fp32 channels_last 1": 20, "fp32 channels_last 2": 20}, Choice("fp32", True, 1, 1)),
        ({**known(), "bf16 contiguous 1": 20, "bf16 contiguous 2": 20}, Choice("bf16", False, 1, 1)),
    ],
)
def test_remembered_speeds_decide(rates: dict[str, float], expected: Choice) -> None:
    remember(rates)
    before = MEASURED.file.read_bytes()
    assert choose(RECIPE, precision=None, batch=None, threads=1) == expected
    assert MEASURED.file.read_bytes() == before


def test_pieces_are_chosen_by_speed_alone() -> None:
    plain = replace(RECIPE, normalisation="none", precisions=("fp32",), batches=(32,))
    rates = {"fp32 channels_last 32": 10.0, "fp32 contiguous 32": 10.0}
    pieces = {f"fp32 channels_last 32 by {piece}": 9.0 for piece in (4, 8, 16)}
    for faster, expected in ((9.0, None), (10.1, 8)):
        MEASURED.file.parent.mkdir(parents=True, exist_ok=True)
        known = {**rates, **pieces, "fp32 channels_last 32 by 8": faster}
        MEASURED.file.write_text(json.dumps({machine_key(plain, 1): known}))
        assert choose(plain, precision=None, batch=None, threads=1) == Choice("fp32", True, 32, 1, expected)


def test_what_the_caller_fixes_is_not_measured() -> None:
    assert choose(RECIPE, precision="fp32", batch=3, threads=2) == Choice("fp32", True, 3, 2)
    assert choose(RECIPE, precision="bf16", batch=1, threads=1) == Choice("bf16", True, 1, 1)
    assert not MEASURED.file.exists()


def test_source_recipe_keeps_its_batches_and_without_need_its_precision() -> None:
    source = RECIPES["source"].own
    assert choose(source, precision="fp32", batch=None, threads=1) == Choice("fp32", True, 32, 1, 8)
    assert (source.precisions, source.batches) == (("fp32", "bf16"), (32,))
    assert source.precisions[0] == "fp32"  # the first that is about as fast as the best is taken


@pytest.mark.parametrize("content", ["{", "[]", "3", "\x00"])
def test_damaged_memory_is_measured_again(content: str) -> None:
    MEASURED.file.parent.mkdir(parents=True)
    MEASURED.file.write_text(content)
    assert choose(RECIPE, precision="fp32", batch=None, threads=1).batch in RECIPE.batches


@pytest.mark.parametrize("rates", [[1], {"bf16 channels_last 1": "fast"}])
def test_odd_memory_is_measured_again(rates: object) -> None:
    remember(rates)
    assert choose(RECIPE, precision="bf16", batch=None, threads=1).precision == "bf16"


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert choose(RECIPE, precision="fp32", batch=None, threads=1).batch in RECIPE.batches


def test_machines_are_told_apart_by_what_matters() -> None:
    keys = {machine_key(RECIPE, 1), machine_key(RECIPE, 2), machine_key(replace(RECIPE, channels=8), 1)}
    assert len(keys) == 3
    assert machine_key(RECIPE, 1) == machine_key(replace(RECIPE, learning_rate=1.0), 1)
