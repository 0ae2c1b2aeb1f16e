"""How many threads a run may use: as many as were asked for, within reason."""

import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import PixelfastError
from pixelfast.machine.threads import usable_cores, usable_threads


def test_every_core_is_used_where_nobody_says_otherwise() -> None:
    assert usable_threads(None) == usable_cores() >= 1


@pytest.mark.parametrize("share", [1, 2, 4])
def test_up_to_four_for_each_core_are_taken(share: int) -> None:
    assert usable_threads(share * usable_cores()) == share * usable_cores()


@pytest.mark.parametrize(
    ("threads", "sentence"), [(0, "must be at least 1, not 0"), (-3, "must be at least 1, not -3")]
)
def test_fewer_than_one_are_refused(threads: int, sentence: str) -> None:
    with pytest.raises(PixelfastError, match=sentence):
        usable_threads(threads)


def test_ten_thousand_are_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelfast.machine.threads.usable_cores", lambda: 2)
    sentence = "threads must be at most 8, 4 for each of the 2 cores that may be used here, not 10000"
    with pytest.raises(PixelfastError, match=sentence):
        usable_threads(10_000)


def test_every_verb_refuses_them(tmp_path) -> None:
    source, model = write_video(tmp_path / "footage" / "01", walking_square(20)).parent, tmp_path / "model"
    verbs = [
        lambda: pixelfast.score(source, model, threads=10_000),
        lambda: pixelfast.train(source, model, threads=10_000),
        lambda: pixelfast.clean(source, model, tmp_path / "out", threads=10_000),
    ]
    for verb in verbs:
        with pytest.raises(PixelfastError, match="threads must be at most"):
            verb()
