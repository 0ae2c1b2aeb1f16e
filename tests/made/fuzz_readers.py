"""What reads strangers' files in Python, each as a target: bytes in; nothing or a PixelfastError out.

`run.py` drives them with atheris, `test_readers.py` with a few hundred inputs that are the same every time. A target
that is named for a kind of file takes its bytes; one named for facts takes choices, and changes a sound file by them.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import ipc
from pyarrow import parquet as pq

from fuzz_inputs import OWN, Choices, changed, other_column, sound_manifest, sound_part, sound_scores
from pixelfast.cli.info import describe_model
from pixelfast.errors import PixelfastError
from pixelfast.jobs.line import _mask
from pixelfast.jobs.merge import merge_parts
from pixelfast.methods.density.recipe import Times
from pixelfast.methods.density.stored import DensityFacts
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import Model
from pixelfast.model.manifest import FILE_NAME
from pixelfast.pipeline import parts
from pixelfast.pipeline.parts import read_part, write_part
from pixelfast.runtime.external import check_external, external_files
from pixelfast.scores.table import Scores


def manifest(data: bytes, folder: Path) -> None:
    """A model.json of any bytes, and all that is made of what it says before footage is opened."""
    (folder / FILE_NAME).write_bytes(data)
    (folder / "ae.onnx").write_bytes(b"")
    try:
        model = Model.load(folder)
    except PixelfastError:
        return
    uses: list[Callable[[], object]] = [
        lambda: describe_model(model),
        lambda: _mask(model),
        lambda: MotionFacts.of(model),
        lambda: DensityFacts.of(model),
        lambda: json.dumps(model.manifest.plain()),
        *(lambda one=one: one.threshold_at("1/day") for one in model.manifest.calibrations),
        *(lambda one=one: one.tail(np.array([0.0, 0.5, 2.0])) for one in model.manifest.calibrations),
        *(lambda one=one: one.events and one.events.said("1/hour") for one in model.manifest.calibrations),
        *(lambda one=one: one.by_cell for one in model.manifest.calibrations),
    ]
    for use in uses:
        refused(use)


def refused(use: Callable[[], object]) -> None:
    """Runs `use`, which may refuse by a PixelfastError alone."""
    try:
        use()
    except PixelfastError as error:
        assert str(error)
        assert "\n" not in str(error)


def manifest_facts(data: bytes, folder: Path) -> None:
    """A sound model.json of each method, changed."""
    choices = Choices(data)
    facts = changed(sound_manifest(folder, choices.one(sorted(OWN))), choices)
    manifest(json.dumps(facts).encode("utf-8", "surrogatepass"), folder)


def part(data: bytes, folder: Path) -> None:
    """A part of any bytes, with its error maps and without."""
    path = folder / "a.arrow"
    path.write_bytes(data)
    for maps in (True, False):
        refused(lambda maps=maps: read_part(path, maps))
    refused(lambda: merge_parts(folder, None))


def part_facts(data: bytes, folder: Path) -> None:
    """A sound part whose facts are changed, and columns swapped for others; its checksums fit."""
    choices = Choices(data)
    path = folder / "a.arrow"
    write_part(path, sound_part())
    with ipc.open_file(path) as reader:
        batch = reader.get_batch(0)
    metadata = dict(batch.schema.metadata)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    if choices.below(2):
        name = choices.one(list(columns))
        columns[name] = other_column(choices)
    texts = [json.loads(metadata[name]) for name in (b"part", b"job")]
    which = choices.below(3)
    about, job = (changed(text, choices) if which in (at, 2) else text for at, text in enumerate(texts))
    if isinstance(about, dict) and choices.below(4):
        about["columns"] = list(columns)
    written = [json.dumps(text).encode("utf-8", "surrogatepass") for text in (about, job)]
    try:
        batch = pa.record_batch(list(columns.values()), list(columns))
        data_of = [column.buffers()[-1] for column in columns.values()]
        sums = parts._checksums(list(columns), data_of, *written)
    except (pa.ArrowException, TypeError, BufferError):  # no such file can be written
        return
    batch = batch.replace_schema_metadata(dict([(b"part", written[0]), (b"job", written[1]), *sums]))
    with ipc.new_file(path, batch.schema) as writer:
        writer.write_batch(batch)
    part(path.read_bytes(), folder)


def scores(data: bytes, folder: Path) -> None:
    """A scores.parquet of any bytes, and what is made of it."""
    path = folder / "scores.parquet"
    path.write_bytes(data)
    try:
        found = Scores.read(path)
    except PixelfastError as error:
        assert "\n" not in str(error)
        return
    uses: list[Callable[[], object]] = [
        found.summary,
        lambda: found.top(3),
        found.events,
        lambda: found.events(alarm_rate="1/day"),
        lambda: found.write(folder / "again.csv"),
        lambda: found.write(folder / "again.parquet"),
    ]
    for use in uses:
        refused(use)


def scores_facts(data: bytes, folder: Path) -> None:
    """A sound scores.parquet whose facts are changed, and a column swapped for another."""
    choices = Choices(data)
    path = folder / "scores.parquet"
    sound_scores(path)
    table = pq.read_table(path)
    metadata = dict(table.schema.metadata)
    if choices.below(2):
        at = choices.below(table.num_columns)
        column = pa.concat_arrays([other_column(choices), pa.nulls(0)][:1]).slice(0)
        column = pa.chunked_array([column.take(pa.array([row % 3 for row in range(len(table))]))])
        table = table.set_column(at, table.column_names[at], column)
    facts = {
        name: json.dumps(changed(json.loads(text), choices)).encode("utf-8", "surrogatepass")
        for name, text in metadata.items()
    }
    try:
        pq.write_table(table.replace_schema_metadata(facts), path)
    except (pa.ArrowException, ValueError):
        return
    scores(path.read_bytes(), folder)


def onnx(data: bytes, folder: Path) -> None:
    """An ONNX file of any bytes: every file that the library would open is known before."""
    path = folder / "a.onnx"
    path.write_bytes(data)
    refused(lambda: check_external(path))
    library = library_locations(data)
    if library is not None:
        found = external_files(path)
        missed = {name for name in library if "\0" not in name and folder / name not in found}
        assert not missed, f"the library would open {missed}"
        if any(name.startswith("/") or ".." in name.split("/") for name in library):
            try:
                check_external(path)
            except PixelfastError:
                return
            raise AssertionError("a file outside the folder is not refused")


def library_locations(data: bytes) -> set[str] | None:
    """The files that the onnx library would open; None where it cannot read the bytes."""
    from google.protobuf.message import DecodeError
    from onnx import ModelProto
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    try:
        model = ModelProto.FromString(data)
    except (DecodeError, RecursionError):
        return None
    tensors = [tensor for tensor in _get_all_tensors(model) if uses_external_data(tensor)]
    entries = [entry for tensor in tensors for entry in tensor.external_data]
    values = [entry.value for entry in entries if entry.key in ("location", b"location")]
    texts = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values]
    return {text for text in texts if text}  # an empty one names the folder, which nothing opens


def safetensors(data: bytes, folder: Path) -> None:
    """Weights of any bytes, by each reader of them; what is no network of ours is refused."""
    from pixelfast.methods.density.stored import load
    from pixelfast.methods.motion.network import load_flow_gru
    from pixelfast.methods.reconstruction.network import load_autoencoder
    from pixelfast.training.strange_weights import load_state_dict

    path = folder / "a.safetensors"
    path.write_bytes(data)
    (folder / "a.pt").write_bytes(data)
    density = OWN["density"]
    facts = DensityFacts(
        density["height"],
        density["width"],
        1.0,
        1.0,
        Times(**density["times"]),
        3,
        (1.0,) * 3,
        (2.0,) * 3,
        (1.0,) * 3,
        None,
    )  # type: ignore[arg-type]
    refused(lambda: load_autoencoder(path))
    refused(lambda: load_flow_gru(path))
    refused(lambda: load(path, facts))
    refused(lambda: load_state_dict(path, "0.weight"))
    refused(lambda: load_state_dict(folder / "a.pt", "0.weight"))


def mask(data: bytes, folder: Path) -> None:
    """The picture of what counts in no method, which stands in the manifest as text."""
    facts = sound_manifest(folder)
    facts["reading"]["mask"] = base64.b64encode(data).decode()
    manifest(json.dumps(facts).encode(), folder)


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    target.__name__: target
    for target in (manifest, manifest_facts, part, part_facts, scores, scores_facts, onnx, safetensors, mask)
}
