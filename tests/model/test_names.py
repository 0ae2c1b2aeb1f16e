"""The grammar of engine names: what is printed is read back, and what is no engine file is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfast.model.names import EngineName, stem_of

NAMES = st.builds(
    EngineName,
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    st.integers(1, 10_000),
    st.sampled_from(("fp32", "fp16", "bf16", "int8")),
    st.sampled_from(("onnx", "plan", "safetensors")),
)


@given(NAMES)
def test_a_name_is_read_back(name: EngineName) -> None:
    assert EngineName.parse(str(name)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ae.onnx", EngineName("ae")),
        ("ae.s4.int8.onnx", EngineName("ae", 4, "int8")),
        ("ae.s12.fp16.plan", EngineName("ae", 12, "fp16", "plan")),
        ("motion.safetensors", EngineName("motion", kind="safetensors")),
        ("raft.fp16.onnx", EngineName("raft", precision="fp16")),
    ],
)
def test_names_that_models_have(text: str, name: EngineName) -> None:
    assert EngineName.parse(text) == name
    assert str(name) == text
    assert (name.weights.kind, stem_of(text)) == ("safetensors", name.stem)


@pytest.mark.parametrize(
    "text", ["model.json", "ae.s0.onnx", "ae.onnx.data", ".onnx", "AE.onnx", "ae.fp16.s4.plan", ""]
)
def test_other_files_are_no_engines(text: str) -> None:
    assert EngineName.parse(text) is None
    assert stem_of(text) is None
