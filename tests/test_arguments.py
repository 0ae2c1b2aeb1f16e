"""Arguments that cannot be: one sentence of our own, before any work, whatever the function."""

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from made_scores import make_scores
from pixelfast import api
from pixelfast.arguments import checked, number, whole
from pixelfast.demo.job import run_demo
from pixelfast.errors import ArgumentError, PixelfastError
from pixelfast.jobs.export_raft import export_raft_alone
from pixelfast.model import Model
from pixelfast.verify.run import verify
from tiny_engines import SIZE

Call = Callable[..., Any]
HUGE = 10**12 + 1
NO_WHOLE = ("2", 2.0, math.nan, math.inf, True, np.True_, [2], np.array([1, 2]), b"2", object())


@pytest.fixture(scope="module")
def nowhere() -> dict[str, Call]:
    """The functions on things that are not there: a sentence about an argument comes before one about these."""
    return {
        "train": lambda **named: pixelfast.train(
            "nowhere", **{"out": "nowhere/model", "method": "reconstruction", **named}
        ),
        "motion": lambda **named: pixelfast.train("nowhere", "nowhere/model", method="motion", **named),
        "score": lambda **named: pixelfast.score("nowhere", **{"engine": "nowhere", **named}),
        "clean": lambda **named: pixelfast.clean("nowhere", **{"model": "nowhere", "out": "nowhere/out", **named}),
        "export": lambda **named: pixelfast.export(**{"model": "nowhere", **named}),
        "convert": lambda **named: pixelfast.convert(**{"weights": "nowhere", "out": "nowhere/model", **named}),
        "merge": lambda **named: pixelfast.merge(**{"parts": "nowhere", **named}),
        "evaluate": lambda **named: pixelfast.evaluate(**{"scores": "nowhere", "labels": "nowhere", **named}),
        "report": lambda **named: pixelfast.report(
            **{"scores": "nowhere", "source": "nowhere", "out": "/proc/nowhere", **named}
        ),
        "verify": lambda **named: verify("nowhere", **named),
        "demo": lambda **named: run_demo("/proc/nowhere", **named),
        "raft": lambda **named: export_raft_alone(Path("nowhere.onnx"), **{"height": 128, "width": 128, **named}),
    }


def wrong(nowhere: dict[str, Call], name: str, argument: str, value: Any) -> PixelfastError:
    with pytest.raises(PixelfastError) as caught:
        nowhere[name](**{argument: value})
    sentence = str(caught.value)
    assert argument in sentence, sentence
    assert "nowhere" not in sentence
    assert "\n" not in sentence
    return caught.value


WHOLE = {
    "train": ("depth", "epochs", "seed", "batch", "threads"),
    "score": ("depth", "stride", "smooth", "threads", "chunk"),
    "clean": ("depth", "threads"),
    "export": ("stride", "threads"),
    "report": ("moments", "threads"),
    "verify": ("frames", "threads"),
    "demo": ("seed", "epochs", "threads"),
    "raft": ("height", "width", "updates"),
}
WHOLES = [(name, argument) for name, arguments in WHOLE.items() for argument in arguments]


@pytest.mark.parametrize(("name", "argument"), WHOLES)
def test_what_is_no_whole_number(nowhere: dict[str, Call], name: str, argument: str) -> None:
    for value in NO_WHOLE:
        error = wrong(nowhere, name, argument, value)
        assert isinstance(error, TypeError), value
        assert "must be a whole number, not" in str(error)


@pytest.mark.parametrize(("name", "argument"), [one for one in WHOLES if one[1] not in ("stride", "seed")])
def test_numbers_beyond_memory_or_sense(nowhere: dict[str, Call], name: str, argument: str) -> None:
    for value in (HUGE, 10**400 + 1, -1, -HUGE, 0):
        assert isinstance(wrong(nowhere, name, argument, value), ValueError)


@pytest.mark.parametrize("name", ["train", "demo"])
def test_seeds_are_what_an_int64_holds_from_0(nowhere: dict[str, Call], name: str) -> None:
    for value in (-1, 2**63):
        assert isinstance(wrong(nowhere, name, "seed", value), ValueError)


def test_every_whole_number_of_the_functions_is_tried() -> None:
    for name in ("train", "score", "clean", "export", "convert", "merge", "evaluate", "report"):
        parameters = inspect.signature(getattr(api, name)).parameters.values()
        found = {one.name for one in parameters if str(one.annotation).removesuffix(" | None") == "<class 'int'>"}
        found |= {one.name for one in parameters if str(one.annotation) == "int | None"}
        assert found == set(WHOLE.get(name, ())), name


WRONG_TYPES: list[tuple[str, str, Any, str]] = [
    ("score", "out", 5, "a path or several, not 5 (int)"),
    ("score", "out", ["a.csv", 5], "a path, not 5 (int)"),
    ("score", "out", b"a.csv", "a path, not b'a.csv' (bytes)"),
    ("score", "engine", 5, "a path"),
    ("score", "engine", None, "a path, not None (NoneType)"),
    ("score", "engine", "", "a path, not ''"),
    ("score", "engine", "a\0b", r"a path, not 'a\x00b'"),
    ("score", "parts", 5, "a path"),
    ("score", "shard", 2, "a text, not 2 (int)"),
    ("score", "shard", (1, 2), "a text"),
    ("score", "maps", "no", "True or False, not 'no' (str)"),
    ("score", "progress", 5, "a function, not 5 (int)"),
    ("score", "profile", "yes", "a function"),
    ("score", "report", 5, "a path"),
    ("report", "title", 5, "a text"),
    ("report", "labels", 5, "a path"),
    ("report", "parts", 5, "a path"),
    ("report", "progress", "bar", "a function"),
    ("score", "how", ["mean"], "mean, max or median, not ['mean']"),
    ("score", "pool", np.zeros(2), "mean, worst or rare, not array"),
    ("score", "flip", True, "auto, always or never, not True"),
    ("score", "on_error", None, "repair, insist or raise, not None"),
    ("train", "out", 5, "a path"),
    ("train", "out", ["a", "b"], "a path"),
    ("train", "method", 5, "a text"),
    ("train", "recipe", ["default"], "no recipe \"['default']\""),
    ("train", "precision", 32, "a text"),
    ("train", "resume", 1, "True or False, not 1 (int)"),
    ("train", "width_share", "0.5", "a number, not '0.5' (str)"),
    ("train", "width", math.nan, "a positive number, not nan"),
    ("train", "width", 10**400, "a number that a float can hold"),
    ("train", "width", True, "a number, not True (bool)"),
    ("train", "width", -1, "a positive number, not -1"),
    ("train", "progress", "bar", "a function"),
    ("motion", "raft_weights", 5, "a path"),
    ("motion", "flow", ["dis"], "dis or raft, not ['dis']"),
    ("clean", "out", 5, "a path"),
    ("clean", "model", 5, "a path"),
    ("export", "model", 5, "a path"),
    ("export", "to", None, "a text"),
    ("export", "precision", 16, "a text"),
    ("export", "compute_capability", 8.6, "a text, not 8.6 (float)"),
    ("export", "call_sizes", 16, "3 whole numbers, not 16 (int)"),
    ("export", "call_sizes", (16, 32), "3 whole numbers, not (16, 32) (tuple)"),
    ("export", "call_sizes", (16, "32", 64), "a whole number, not '32' (str)"),
    ("convert", "out", 5, "a path"),
    ("convert", "weights", 5, "a path or several"),
    ("convert", "frame_size", 640, "2 whole numbers"),
    ("convert", "frame_size", (640, math.nan), "a whole number, not nan (float)"),
    ("convert", "frame_size", (640, -1), "at least 1, not -1"),
    ("convert", "frame_size", (640, HUGE), "at most 65,535"),
    ("merge", "parts", 5, "a path or several"),
    ("merge", "out", 5, "a path or several"),
    ("evaluate", "labels", 5, "a path"),
    ("evaluate", "scores", 5, "a Scores or the path of one, not int"),
    ("verify", "seconds", math.nan, "a finite number, not nan"),
    ("verify", "seconds", math.inf, "a finite number, not inf"),
    ("verify", "seconds", -1, "0 to 3600, not -1"),
    ("verify", "seconds", "1", "a number, not '1' (str)"),
    ("verify", "budget", math.inf, "a finite number, not inf"),
    ("verify", "budget", 0, "1 to 86400, not 0"),
    ("verify", "budget", "540", "a number, not '540' (str)"),
]


@pytest.mark.parametrize(("name", "argument", "value", "sentence"), WRONG_TYPES)
def test_other_arguments(nowhere: dict[str, Call], name: str, argument: str, value: Any, sentence: str) -> None:
    error = wrong(nowhere, name, argument, value)
    assert sentence in str(error)
    assert isinstance(error, ValueError | TypeError)


@pytest.mark.parametrize("shard", ["", "0/2", "3/2", "1", "a/b", "1/2/3", "-1/2", "1/" + "9" * 5000])
def test_a_share_is_looked_at_before_the_engine(nowhere: dict[str, Call], shard: str) -> None:
    assert "like 2/3" in str(wrong(nowhere, "score", "shard", shard))
    with pytest.raises(ArgumentError, match="leaves nothing but its parts"):
        pixelfast.score("nowhere", "nowhere", shard="1/2")


def test_numbers_of_numpy_are_numbers(model: Model, tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage", walking_square(20, 1, SIZE), ".png")
    plain = pixelfast.score(source, model.folder, smooth=5, chunk=16, stride=1, threads=1)
    other = pixelfast.score(
        source, model.folder, out=tmp_path / "s.parquet", smooth=np.int64(5), chunk=np.uint8(16), stride=np.int32(1),
        threads=np.int64(1), maps=np.True_,
    )  # fmt: skip
    np.testing.assert_array_equal(plain.score, other.score)
    assert pixelfast.Scores.read(tmp_path / "s.parquet").smooth == 5


def test_a_batch_beyond_memory_is_refused(nowhere: dict[str, Call], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelfast.jobs.train.total_memory", lambda: 8 << 30)
    with pytest.raises(pixelfast.ModelError, match=r"batch 4096 .* about 32 GiB of .* has 8: take at most 1024"):
        nowhere["train"](batch=4096)
    with pytest.raises(pixelfast.ModelError, match="batch 1024 would take about 68 GiB"):
        nowhere["train"](batch=1024, width=8)
    with pytest.raises(pixelfast.OutputError, match="nowhere"):
        nowhere["train"](batch=1024)


def test_a_long_mean_is_one(model: Model, tmp_path: Path) -> None:
    source = write_video(tmp_path / "footage", walking_square(20, 1, SIZE), ".png")
    scores = pixelfast.score(source, model.folder, smooth=99_999)
    assert np.ptp(scores.smoothed_raw()) < 1e-3 * np.ptp(scores.raw)
    with pytest.raises(ArgumentError, match="smooth must be at most 99,999, not 100001"):
        pixelfast.score(source, model.folder, smooth=100_001)


@pytest.mark.parametrize("value", NO_WHOLE)
def test_scores_are_asked_for_what_can_be(value: Any, tmp_path: Path) -> None:
    scores = make_scores({"1": 5})
    with pytest.raises(ArgumentError, match="n must be a whole number"):
        scores.top(value)
    with pytest.raises(ArgumentError, match="threads must be a whole number"):
        scores.write(tmp_path / "s.csv", threads=value)
    if type(value) is not float or math.isnan(value):
        with pytest.raises(ArgumentError, match="threshold must be a"):
            scores.events(value)
    with pytest.raises(ArgumentError, match="path must be a path"):
        scores.write(5)  # type: ignore[arg-type]


def test_a_table_of_scores_with_a_senseless_mean_is_refused() -> None:
    scores = make_scores({"1": 5})
    columns = {name: getattr(scores, name) for name in ("video_index", "frame", "raw", "score", "rank")}
    marks = {name: getattr(scores, name) for name in ("flipped", "repaired", "noisy")}
    with pytest.raises(pixelfast.ScoresError, match="smooth must be at most 99,999 frames, not 1000000000001"):
        pixelfast.Scores(videos=scores.videos, **columns, **marks, smooth=HUGE)


def test_pythons_own_sentences_stay() -> None:
    @checked()
    def work(threads: int | None = None, *, seed: int = 0) -> tuple[int | None, int]:
        return threads, seed

    assert work(np.int64(2), seed=True + 1) == (2, 2)
    assert work() == (None, 0)
    with pytest.raises(TypeError, match=r"work\(\) got an unexpected keyword argument 'sed'"):
        work(sed=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"work\(\) takes from 0 to 1 positional"):
        work(1, 2)  # type: ignore[misc]
    with pytest.raises(ArgumentError, match="seed must be a whole number, not None"):
        work(seed=None)  # type: ignore[arg-type]


def test_bounds_are_within() -> None:
    assert whole("n", 1, 1, 1) == 1
    assert number("s", np.float32(0.5), 0, 0.5) == 0.5
    with pytest.raises(ArgumentError, match=r"n must be at most 1,000, not 1001"):
        whole("n", 1001, 1, 1000)
