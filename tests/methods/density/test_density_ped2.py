"""What density finds in real footage: UCSD Ped2, as it is, and at half the rate and size."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import pixelfast
from street import QUICK

PED2 = Path(__file__).parents[4] / "shared" / "data" / "ped2"
pytestmark = [
    pytest.mark.long,
    pytest.mark.data,
    pytest.mark.skipif(not PED2.is_dir(), reason="needs ../shared/data/ped2"),
]


def scored(source: Path, out: Path) -> pixelfast.Scores:
    pixelfast.train(source / "training", out, method="density", recipe=QUICK)
    return pixelfast.score(source / "testing", out, flip="never")


def halved(source: Path, target: Path) -> Path:
    for path in sorted(source.glob("t*ing/*/*.jpg")):
        if int(path.stem) % 2 == 0:
            frame = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            small = cv2.resize(frame, (frame.shape[1] // 2, frame.shape[0] // 2), interpolation=cv2.INTER_AREA)
            to = target / path.relative_to(source).with_suffix(".png")
            to.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(to), small)
    return target


def test_what_is_unusual_is_found_at_any_rate_and_size(tmp_path: Path) -> None:
    whole, half = scored(PED2, tmp_path / "whole"), scored(halved(PED2, tmp_path / "half"), tmp_path / "model")
    assert pixelfast.evaluate(whole, PED2 / "labels.csv").auroc > 0.975
    keys = list(zip(whole.video_index.tolist(), whole.frame.tolist(), strict=True))
    raw = dict(zip(keys, whole.raw.tolist(), strict=True))
    same = np.array([raw[key] for key in zip(half.video_index.tolist(), half.frame.tolist(), strict=True)])
    assert np.corrcoef(same.argsort().argsort(), half.raw.argsort().argsort())[0, 1] > 0.9
