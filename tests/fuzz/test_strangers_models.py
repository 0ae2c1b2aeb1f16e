"""Model folders of strangers: they open no file outside, run no code, and are refused before memory is asked for."""

import base64
import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

import pixelfast
from footage import walking_square
from frame_files import write_video
from fuzz_inputs import sound_manifest
from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.files.atomic import file_sha256
from pixelfast.methods.reconstruction.quantize import write_bf16
from pixelfast.model import Model
from pixelfast.runtime.external import check_external, external_files
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.openvino import OpenVinoGraph
from tiny_engines import SIZE, write_frame_engine, write_model

sys.path.insert(0, str(Path(__file__).parents[2] / "rust" / "fuzz"))
import make_corpus

# Weights outside the folder


def with_weights_at(path: Path, location: str, place: str = "initializer") -> Path:
    """A good engine with one more tensor, whose values lie in another file."""
    model = onnx.load(write_frame_engine(path))
    tensor = TensorProto(name="more", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    if place == "initializer":
        model.graph.initializer.append(tensor)
    elif place == "attribute":
        model.graph.node.append(helper.make_node("Constant", [], ["more"], value=tensor))
    elif place == "graph within":
        inner = helper.make_graph([], "inner", [], [], [tensor])
        model.graph.node.append(helper.make_node("If", ["c"], [], then_branch=inner, else_branch=inner))
    elif place == "function":
        node = helper.make_node("Constant", [], ["more"], value=tensor)
        model.functions.append(helper.make_function("d", "f", [], ["more"], [node], model.opset_import))
    elif place == "sparse":
        model.graph.sparse_initializer.add().values.CopyFrom(tensor)
    path.write_bytes(model.SerializeToString())
    return path


OUTSIDE = [
    ("../../etc/passwd", 'a path with ".."'),
    ("deep/../../../etc/passwd", 'a path with ".."'),
    ("..\\..\\secrets.bin", 'a path with ".."'),
    ("/etc/passwd", "an absolute path"),
    ("C:\\secrets.bin", "an absolute path"),
    ("\\\\server\\share\\secrets.bin", "an absolute path"),
    ("link.bin", "a symbolic link"),
    ("linked/secrets.bin", "a symbolic link"),
]


@pytest.mark.parametrize(("location", "fact"), OUTSIDE)
def test_weights_outside_the_folder_are_refused_by_every_reader(location: str, fact: str, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secrets.bin").write_bytes(bytes(16))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link.bin").symlink_to(tmp_path / "secrets" / "secrets.bin")
    (tmp_path / "model" / "linked").symlink_to(tmp_path / "secrets")
    path = with_weights_at(tmp_path / "model" / "ae.onnx", location)
    readers: list[Callable[[], object]] = [
        lambda: OnnxRunner(path, 1),
        lambda: OpenVinoGraph(path),
        lambda: write_bf16(path, tmp_path / "out.onnx"),
        lambda: pixelfast.score(footage(tmp_path / "new"), path),
    ]
    for read in readers:
        with pytest.raises(EngineError) as caught:
            read()
        assert str(caught.value).startswith(f"{path} takes weights from {location!r}, {fact}, and an engine may read")


@pytest.mark.parametrize("place", ["initializer", "attribute", "graph within", "function", "sparse"])
def test_wherever_in_the_graph_they_are_named(place: str, tmp_path: Path) -> None:
    path = with_weights_at(tmp_path / "ae.onnx", "../x.bin", place)
    assert external_files(path) == {tmp_path / "../x.bin"}
    with pytest.raises(EngineError, match=r"takes weights from '\.\./x\.bin'"):
        check_external(path)


def field(number: int, data: bytes, padded: bool = False) -> bytes:
    """A protobuf field; `padded` writes its length in more bytes than it needs."""
    size = bytes([len(data) | 128, 128, 0]) if padded else bytes([len(data)])
    return bytes([number << 3 | 2]) + size + data


@pytest.mark.parametrize(
    "entry",
    [
        field(1, b"location") + field(2, b"../x"),
        field(2, b"../x") + field(1, b"location"),
        field(1, b"location", padded=True) + field(2, b"../x", padded=True),
        field(1, b"length") + field(1, b"location") + field(2, b"a") + field(2, b"../x"),
        field(1, b"location") + b"\x1b\x12\x02ab\x1c" + field(2, b"../x"),
    ],
    ids=["as usual", "value first", "long numbers", "fields twice", "a group between"],
)
def test_however_they_are_written(entry: bytes, tmp_path: Path) -> None:
    """Ways of protobuf to say the same, by which a search for the usual bytes would be led past it."""
    path = tmp_path / "ae.onnx"
    path.write_bytes(b"\x08\x0a" + field(7, field(5, field(13, entry) + b"\x70\x01")))
    tensor = onnx.ModelProto.FromString(path.read_bytes()).graph.initializer[0]
    assert [(one.key, one.value) for one in tensor.external_data] == [("location", "../x")]
    with pytest.raises(EngineError, match=r"takes weights from '\.\./x'"):
        check_external(path)


def test_a_number_that_readers_read_differently_is_broken(tmp_path: Path) -> None:
    """C++ drops what is beyond 32 bits of a field's number, so that this is the graph to ONNX Runtime."""
    tensor = field(5, field(13, field(1, b"location") + field(2, b"../x") + b"\x70\x01"))
    (tmp_path / "ae.onnx").write_bytes(b"\x08\x0a" + bytes([0x3A | 128, 128, 128, 128, 16, len(tensor)]) + tensor)
    with pytest.raises(EngineError, match=r"damaged|broken|cannot be"):
        check_external(tmp_path / "ae.onnx")


BROKEN = [b"\x08\x0a\x3a\xff\x01", b"\x08\x0a\x0b", b"\x08\x0a\x0c", b"\x08\x0a\x3f", b"\x08" + b"\xff" * 11]


@pytest.mark.parametrize("data", BROKEN)
def test_a_file_of_which_nobody_can_tell_is_not_opened(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ae.onnx"
    path.write_bytes(data)
    with pytest.raises(EngineError, match="looks like an ONNX engine but cannot be loaded; cut off or damaged"):
        check_external(path)


def test_weights_in_the_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "w.bin").write_bytes(bytes(16))
    path = with_weights_at(tmp_path / "ae.onnx", "deep/w.bin")
    assert OnnxRunner(path, 1).outputs
    assert external_files(path) == {tmp_path / "deep" / "w.bin"}


# Code


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def footage(folder: Path) -> Path:
    return folder if folder.exists() else write_video(folder, walking_square(20, 1, SIZE), ".png")


def listed(folder: Path, name: str, data: bytes) -> None:
    """Puts a file into a model folder, listed as it should be."""
    (folder / name).write_bytes(data)
    facts = json.loads((folder / "model.json").read_text("utf-8"))
    facts["files"][name] = {"sha256": file_sha256(folder / name), "bytes": len(data)}
    (folder / "model.json").write_text(json.dumps(facts), "utf-8")


@pytest.mark.parametrize("name", ["ae.onnx", "flip.onnx", "ae.safetensors", "ae.plan", "density.safetensors"])
def test_a_pickle_by_any_name_is_never_unpickled(name: str, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    write_model(tmp_path / "model", flip=pixelfast.model.Flip(0.999, trusted=True))
    listed(tmp_path / "model", name, pickle.dumps(Trap(sprung)))
    Model.load(tmp_path / "model")
    uses: list[Callable[[], object]] = [
        lambda: pixelfast.score(footage(tmp_path / "new"), tmp_path / "model"),
        lambda: pixelfast.score(footage(tmp_path / "new"), tmp_path / "model" / name),
        lambda: pixelfast.convert(tmp_path / "model" / name, tmp_path / "converted"),
    ]
    for use in uses:
        try:
            use()
        except PixelfastError as error:
            assert "\n" not in str(error)
    assert not sprung.exists()


# What would ask for memory

HUGE: list[tuple[dict[str, Any], str]] = [
    ({"window": 10**12}, "window should be at most 1024"),
    ({"height": 65_536}, "height should be at most 65535"),
    ({"width": 10**300}, "width should be at most 65535"),
    ({"height": 65_535, "width": 65_535}, "height should be so small that a frame has at most 67108864 pixels"),
    ({"height": 8000, "width": 8000, "window": 1024}, "height should be so small that a frame has at most"),
    ({"grid": 10**9}, "grid should be at most 1024"),
    ({"stride": 10**9}, "stride should be at most 1024"),
]


@pytest.mark.parametrize(("fields", "sentence"), HUGE)
def test_a_manifest_of_huge_sizes_is_refused(fields: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    facts = {**sound_manifest(tmp_path), **fields}
    (tmp_path / "model.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(ModelError) as caught:
        Model.load(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'model.json'} is damaged: {sentence}")


def test_a_manifest_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "model.json").open("wb") as file:
        file.truncate(8 << 30)  # of which the disk holds nothing
    with pytest.raises(ModelError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'model.json'} is no manifest: it has more than 64 MiB; copy it again"


NAMES = ["../ae.onnx", "/etc/passwd", "deep/ae.onnx", "..", ".", "", "a\\b", "C:x", "a\0b", "a\nb"]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_out_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    facts = sound_manifest(tmp_path)
    facts["files"][name] = facts["files"]["ae.onnx"]
    (tmp_path / "model.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(ModelError, match="files should be names of files in the folder itself"):
        Model.load(tmp_path)


def mask_of(width: int, height: int) -> bytes:
    return make_corpus.png(make_corpus.head(width, height), make_corpus.chunk(b"IDAT", make_corpus.stored(b"")))


ANNOUNCES = mask_of(6, 5).replace(b"\0\0\0\x0bIDAT", b"\x73\xee\0\x0bIDAT")
"""Found by the fuzzer: OpenCV took 1.9 GB for a chunk that says it is so long."""


@pytest.mark.parametrize(
    "data",
    [mask_of(65_535, 65_535), mask_of(2**31 - 1, 1), mask_of(0, 5), mask_of(6, 5), b"BM" + bytes(60), ANNOUNCES],
    ids=["huge", "one long row", "no pixels", "pixels that are missing", "another kind", "a chunk of gigabytes"],
)
def test_a_mask_that_is_none_is_refused_before_its_pixels_are_made(data: bytes, tmp_path: Path) -> None:
    from pixelfast.cli.info import describe_model

    facts = sound_manifest(tmp_path)
    facts["reading"]["mask"] = base64.b64encode(data).decode()
    (tmp_path / "model.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(ModelError, match="is damaged: its mask is no picture"):
        describe_model(Model.load(tmp_path))


ENGINES = [
    ({"stride": "1025"}, "its metadata pixelfast.stride is '1025', not a whole number up to 1024"),
    ({"stride": "9" * 5000}, "not a whole number up to 1024"),
    ({"format": "9" * 5000}, "not a whole number up to 65535"),
]


@pytest.mark.parametrize(("metadata", "sentence"), ENGINES)
def test_an_engine_that_asks_for_too_much(metadata: dict[str, str], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "ae.onnx"
    model = onnx.load(write_frame_engine(path))
    facts = {prop.key: prop.value for prop in model.metadata_props}
    helper.set_model_props(model, {**facts, **{f"pixelfast.{key}": text for key, text in metadata.items()}})
    onnx.save(model, path)
    with pytest.raises(EngineError, match=sentence):
        pixelfast.score(footage(tmp_path / "new"), path)


def test_an_engine_of_frames_that_memory_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "ae.onnx"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 16, 65_000, 65_000]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    with pytest.raises(EngineError, match="takes more than memory holds: window 16, height 65000, width 65000"):
        pixelfast.score(footage(tmp_path / "new"), path)


def test_weights_that_announce_more_than_the_file_holds(tmp_path: Path) -> None:
    """A header of exabytes, and a tensor of them."""
    for at, data in enumerate((b"\xff" * 8, b"\xff" * 7 + b"\x7f" + b"{}", _tensor_of(2**50), _tensor_of(2**63))):
        path = tmp_path / f"{at}.safetensors"
        path.write_bytes(data)
        with pytest.raises(ModelError, match="is damaged or no safetensors file"):
            pixelfast.convert(path, tmp_path / "out")


def _tensor_of(values: int) -> bytes:
    head = {"0.weight": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}}
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


@pytest.mark.parametrize("kind", ["one value for all", "none at all", "sparse"])
def test_a_checkpoint_of_kilobytes_that_would_become_terabytes(kind: str, tmp_path: Path) -> None:
    import torch

    tensors = {
        "one value for all": lambda: torch.zeros(1, dtype=torch.float16).expand(2**42),
        "none at all": lambda: torch.empty(2**42, device="meta"),
        "sparse": lambda: torch.zeros(2, 2).to_sparse(),
    }
    torch.save({"encoder.0.weight": tensors[kind]()}, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").stat().st_size < 10_000
    with pytest.raises(ModelError, match=r"a\.pth does not hold the values of encoder\.0\.weight .* one by one"):
        pixelfast.convert(tmp_path / "a.pth", tmp_path / "out")


def test_a_frame_that_clean_turns_is_not_given_the_memory_that_a_chunk_announces() -> None:
    from pixelfast.cleaning.frame_files import _read_image

    sound = make_corpus.pngs()["grey"]
    image = _read_image(sound, True)
    assert image is not None
    assert image.shape == (5, 6)
    end = make_corpus.chunk(b"IEND")
    assert _read_image(sound.removesuffix(end) + b"\x73\xee\0\0IDAT" + end, True) is None
