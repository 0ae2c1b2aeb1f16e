"""The flip classifier's file goes along with the engine's: on the GPU where the frames are, else by ONNX."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pixelfast.flip import opening
from pixelfast.flip.opening import choose_flip_correction
from pixelfast.model import Flip, Model, PlanFacts
from pixelfast.notes import Notes
from tiny_engines import write_model

PLAN = PlanFacts("fp16", 16, 128, 128, "9.0", "tensorrt", "11.4", "0" * 64)
OTHER = replace(PLAN, compute_capability="8.6")
ModelOf = Callable[[tuple[str, ...], PlanFacts, bool], Model]
EVERYTHING = ("ae.plan", "flip.plan", "ae.safetensors", "flip.safetensors")


@pytest.fixture
def model_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelOf:
    """Makes a model with files that hold nothing."""

    def made(files: tuple[str, ...], flip_plan: PlanFacts, gpu: bool) -> Model:
        monkeypatch.setattr(opening, "gpu_by_torch", lambda: gpu)
        (tmp_path / "some").write_bytes(b"some")
        plans = {"ae.plan": PLAN, "flip.plan": flip_plan}
        built = {name: facts for name, facts in plans.items() if name in files}
        model = write_model(tmp_path / "model", flip=Flip(1.0, trusted=True))
        return model.add(dict.fromkeys(files, tmp_path / "some"), plans=built)

    return made


@pytest.mark.parametrize(
    ("machine", "engine", "files", "expected"),
    [
        ((PLAN, True), "ae.plan", EVERYTHING, ("flip.plan", 0)),
        ((OTHER, True), "ae.plan", EVERYTHING, ("flip.safetensors", 0)),
        ((PLAN, True), "ae.plan", ("ae.plan", "flip.safetensors"), ("flip.safetensors", 0)),
        ((PLAN, False), "ae.plan", ("ae.plan", "flip.safetensors"), ("flip.onnx", 1)),
        ((PLAN, True), "ae.plan", ("ae.plan",), ("flip.onnx", 1)),
        ((PLAN, True), "ae.safetensors", EVERYTHING, ("flip.safetensors", 0)),
        ((PLAN, True), "ae.safetensors", ("ae.safetensors",), ("flip.onnx", 1)),
        ((PLAN, False), "ae.safetensors", EVERYTHING, ("flip.onnx", 0)),
        ((PLAN, True), "ae.onnx", EVERYTHING, ("flip.onnx", 0)),
    ],
)
def test_the_classifier_runs_where_the_engine_does(
    model_of: ModelOf, machine: tuple[PlanFacts, bool], engine: str, files: tuple[str, ...], expected: tuple[str, int]
) -> None:
    """Of the machine: what the classifier's plan was built for, and whether PyTorch reaches a GPU."""
    model, notes = model_of(files, *machine), Notes()
    found = choose_flip_correction(model, model.folder / engine, "always", notes)
    assert found.classifier is not None
    assert (found.classifier.name, len(notes)) == expected
