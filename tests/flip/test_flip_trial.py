"""Flip classifiers on trial: the same decisions as the reference's, and how near the probabilities are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from footage import walking_square
from pixelfast.flip.export import write_flip_files
from pixelfast.flip.network import FlipClassifier
from pixelfast.flip.trial import agreement_in_decisions, flip_kind
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.trial import Candidate, Footage, try_engine

SIZE = 128


@pytest.mark.parametrize(
    ("found", "expected", "enough"),
    [
        ([0.02, 0.97, 0.4], [0.02, 0.97, 0.4], True),
        ([0.02, 0.97, 0.505], [0.02, 0.97, 0.495], True),  # the reference is unsure: pixels settle it
        ([0.02, 0.45, 0.4], [0.02, 0.97, 0.4], False),
        ([0.10, 0.90, 0.4], [0.02, 0.97, 0.4], False),
        ([0.02, np.nan, 0.4], [0.02, 0.97, 0.4], False),
        ([0.02, 0.97], [0.02, 0.97, 0.4], False),
    ],
)
def test_when_a_classifier_agrees(found: list[float], expected: list[float], enough: bool) -> None:
    agreement = agreement_in_decisions(np.array(found, np.float32), np.array(expected, np.float32))
    assert agreement.enough == agreement.tolerable == enough


def test_weights_agree_with_their_onnx_file_and_others_do_not(tmp_path: Path) -> None:
    def frames(count: int, height: int, width: int, color: str) -> NDArray[np.uint8]:
        assert (height, width, color) == (SIZE, SIZE, "grey")
        return walking_square(40)[:count]

    torch.manual_seed(0)
    write_flip_files(FlipClassifier().eval(), tmp_path, "default")
    other = tmp_path / "other"
    other.mkdir()
    strange = FlipClassifier().eval()
    with torch.no_grad():
        for weights in strange.parameters():
            weights.mul_(4)
    write_flip_files(strange, other, "default")
    kind = flip_kind(SIZE, SIZE)
    reference = kind.reference(tmp_path / "flip.onnx", 1)
    subject = kind.subject(Footage((SIZE, SIZE), frames), reference, 1)
    np.testing.assert_array_equal(subject.inputs(2), [walking_square(40)[0], walking_square(40)[1, ::-1]])
    expected = subject.run(reference, subject.inputs(kind.compared))

    def tried(path: Path) -> bool:
        candidate = Candidate(path, path.name, kind, 1, lambda: kind.load(path, 1, wish=TorchWish("cpu")))
        trial = try_engine(candidate, subject, expected, None)
        assert trial.agreement is not None, trial.remark
        return trial.passed

    assert tried(tmp_path / "flip.safetensors")
    assert not tried(other / "flip.safetensors")
    assert not tried(other / "flip.onnx")
