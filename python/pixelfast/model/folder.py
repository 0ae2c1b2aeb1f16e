"""A trained model on disk: a folder, written whole or not at all."""

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pixelfast import arguments
from pixelfast.errors import ModelError, OutputError
from pixelfast.files.atomic import atomic_path, file_sha256
from pixelfast.files.exchange import exchange
from pixelfast.files.locks import PREFIX, hidden_beside, one_after_another, sweep
from pixelfast.files.refused import told_as_written
from pixelfast.model.calibration import Calibration
from pixelfast.model.manifest import FILE_NAME, FileFacts, Manifest, PlanFacts, read_manifest, write_manifest
from pixelfast.model.names import INGREDIENTS, EngineName, stem_of


@dataclass(frozen=True)
class Model:
    """A folder with `model.json`, which `manifest` holds, and the files that it lists, each known by its SHA-256.

    Examples:
        >>> pixelfast.Model.load("model").manifest.method
        'reconstruction'
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, plans: bool = True, engine: str | None = None) -> Self:
        """Reads `model.json` and checks that every file it lists is there, unchanged. Nothing is ever unpickled.

        Args:
            path: the folder.
            plans: check its TensorRT plans, too; who builds them again needs no old ones.
            engine: of all the files that do this one's work, check this one only; None checks every file.

        Raises:
            ArgumentError: `path` is none.
            ModelError: there is no such folder, it is no model folder, it is damaged, or a file is missing or changed.

        Examples:
            >>> "ae.onnx" in pixelfast.Model.load("model").manifest.files
            True
        """
        folder = arguments.path("path", path)
        if not (folder / FILE_NAME).is_file():
            no_folder = "is a file, not a model folder" if folder.exists() else "does not exist"
            what = f"holds no {FILE_NAME}, so it is no model folder" if folder.is_dir() else no_folder
            raise ModelError(f"{folder} {what}: give the folder that training wrote")
        manifest = read_manifest(folder / FILE_NAME)
        for name, facts in manifest.files.items():
            if engine is not None and name != engine and stem_of(name) == stem_of(engine):
                continue
            plan = manifest.plans.get(name)
            if plan is None:
                _check_file(folder / name, facts)
            elif plans:
                _check_file(folder / name, facts, f"build it again: {plan_command(folder, name, plan)}")
        return cls(folder, manifest)

    @classmethod
    def write(
        cls,
        workdir: str | os.PathLike[str],
        out: str | os.PathLike[str],
        manifest: Manifest,
        files: Sequence[str] | None = None,
    ) -> Self:
        """Writes a model folder: files from `workdir`, which stays as it is, and `model.json` with their SHA-256.

        The folder gets its name last. A model folder that stands there is replaced then, not before.

        Args:
            workdir: where the files lie.
            out: the folder to write.
            manifest: what to write into `model.json`; its `files` are set here.
            files: names in `workdir`; None takes the weights and the ONNX files (`ae.onnx`, `flip.safetensors`, …).

        Raises:
            ModelError: there are no such files in `workdir`.
            OutputError: `out` cannot be written, or something else than a model folder stands there.

        Examples:
            >>> model = pixelfast.Model.load("model")
            >>> copy = pixelfast.Model.write("model", "copy", model.manifest, ["ae.onnx"])
            >>> list(copy.manifest.files)
            ['ae.onnx']
        """
        source, target = Path(workdir), Path(out)
        names = _trained_files(source) if files is None else list(files)
        with _folder_beside(target.resolve()) as temporary:
            manifest = replace(manifest, files={name: _copy(source / name, temporary / name) for name in names})
            write_manifest(manifest, temporary / FILE_NAME)
            _put_in_place(temporary, target.resolve())
        return cls(target, manifest)

    @staticmethod
    def check_out(out: str | os.PathLike[str]) -> None:
        """Raises the error that writing a model to `out` would raise, so that training fails before its work.

        Raises:
            OutputError: the folder that `out` would lie in is missing or cannot be written, or something else than a
                model folder (or an empty one) stands at `out`: it may hold what nobody meant to delete.

        Examples:
            >>> pixelfast.Model.check_out("a-new-model")
        """
        with _folder_beside(Path(out).resolve()):
            pass

    def engine(self, stride: int = 1, kind: str = "onnx") -> Path:
        """Finds the file of the engine whose windows start `stride` frames apart: `ae.onnx`, `ae.s4.onnx`, ….

        Raises:
            ModelError: the model has none.

        Examples:
            >>> pixelfast.Model.load("model").engine().name
            'ae.onnx'
        """
        name = str(EngineName(self.manifest.stem, stride, kind=kind))
        if name not in self.manifest.files:
            make = f"make it with: pixelfast export {self.folder} --stride {stride}"
            mend = "train it again" if stride == 1 else make
            raise ModelError(f"{self.folder} has no {name}, the engine for stride {stride}: {mend}")
        return self.folder / name

    def flip_engine(self) -> Path | None:
        """Finds the file of the flip classifier; None where the model has none.

        Examples:
            >>> pixelfast.Model.load("model").flip_engine().name
            'flip.onnx'
        """
        there = self.manifest.flip is not None and "flip.onnx" in self.manifest.files
        return self.folder / "flip.onnx" if there else None

    def goes_with(self, engine: str, other: str) -> bool:
        """Says whether the model has the file `other`; of plans, whether both are for the same GPU and TensorRT.

        Examples:
            >>> pixelfast.Model.load("model").goes_with("ae.onnx", "flip.onnx")
            True
        """
        plans = [self.manifest.plans.get(name) for name in (engine, other)]
        targets = [one and (one.compute_capability, one.flavour, one.version) for one in plans]
        return other in self.manifest.files and targets[0] == targets[1]

    def calibration(
        self, engine_file: str | os.PathLike[str], stride: int, how: str, pool: str, smooth: int
    ) -> Calibration | None:
        """Returns the calibration of exactly this engine file and these settings; None where they were never measured.

        Examples:
            >>> pixelfast.Model.load("model").calibration("ae.onnx", stride=1, how="mean", pool="mean", smooth=3).frames
            32
        """
        wanted = (Path(engine_file).name, stride, how, pool, smooth)
        return next((one for one in self.manifest.calibrations if one.use == wanted), None)

    def add(
        self,
        files: Mapping[str, Path],
        calibrations: Sequence[Calibration] = (),
        plans: Mapping[str, PlanFacts] | None = None,
        notes: Sequence[str] = (),
    ) -> "Model":
        """Adds files (by the name they get here), calibrations, what plans among them were built for, and notes.

        What is known of files that are replaced is dropped, and calibrations of the same use are replaced. `model.json`
        lists a file only while it is whole: it loses the old one first and gains the new one last. What another process
        added since this model was loaded stays.

        Raises:
            ModelError: `model.json` cannot be read any more.
            OutputError: the folder cannot be written.

        Examples:
            >>> model = pixelfast.Model.load("model")
            >>> other = pixelfast.Model.write("model", "other", model.manifest, ["ae.onnx"])
            >>> sorted(other.add({"flip.onnx": model.flip_engine()}).manifest.files)
            ['ae.onnx', 'flip.onnx']
        """
        with _alone(self.folder):
            before = read_manifest(self.folder / FILE_NAME)
            kept = {name: facts for name, facts in before.files.items() if name not in files}
            measured = {one.use for one in calibrations}
            still = tuple(one for one in before.calibrations if one.engine in kept and one.use not in measured)
            old = {name: facts for name, facts in before.plans.items() if name in kept}
            write_manifest(replace(before, files=kept, calibrations=still, plans=old), self.folder / FILE_NAME)
            added = {name: _place(Path(path), self.folder / name) for name, path in files.items()}
            manifest = replace(
                before,
                files={**kept, **added},
                calibrations=(*still, *calibrations),
                plans={**old, **(plans or {})},
                notes=tuple(dict.fromkeys((*before.notes, *notes))),
            )
            write_manifest(manifest, self.folder / FILE_NAME)
        return Model(self.folder, manifest)


@contextmanager
def _folder_beside(folder: Path) -> Iterator[Path]:
    """Makes a folder, removed at the end, for a model that will stand at `folder`; what is no model is not replaced."""
    sweep(folder.parent)
    with told_as_written(folder):
        _put_back(folder)
        _refuse_unless_replaceable(folder)
        with hidden_beside(folder) as temporary:
            temporary.mkdir()
            yield temporary


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lets one process at a time change the folder; the others wait."""
    with told_as_written(folder), one_after_another(folder / FILE_NAME):
        sweep(folder)
        yield


def plan_command(folder: Path, name: str, facts: PlanFacts) -> str:
    """Returns the command that builds a model's plan again."""
    options = ["--to plan"]
    if facts.precision != "fp32":
        options.append(f"--precision {facts.precision}")
    parsed = EngineName.parse(name)
    if parsed is not None and parsed.stride != 1:
        options.append(f"--stride {parsed.stride}")
    if stem_of(name) not in INGREDIENTS:
        options.append(f"--call-sizes {facts.least},{facts.best},{facts.most}")
    return f"pixelfast export {shlex.quote(str(folder))} {' '.join(options)}"


def _check_file(path: Path, facts: FileFacts, mend: str | None = None) -> None:
    again = "copy the model folder again, whole"
    if not path.is_file():
        raise ModelError(f"{path} is missing, though {FILE_NAME} lists it: {mend or again}")
    if path.stat().st_size != facts.bytes or _facts(path) != facts:
        raise ModelError(
            f"{path} is not the file that {FILE_NAME} lists (its SHA-256 differs), so it was damaged or replaced: "
            f"{mend or f'{again}, or give the file itself as the engine'}"
        )


def _facts(path: Path) -> FileFacts:
    try:
        return FileFacts(file_sha256(path), path.stat().st_size)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error


def _trained_files(workdir: Path) -> list[str]:
    names = sorted(entry.name for entry in workdir.iterdir()) if workdir.is_dir() else []
    parsed = {name: EngineName.parse(name) for name in names}
    found = [name for name, one in parsed.items() if one is not None and one.kind != "plan" and one.precision == "fp32"]
    if not found:
        raise ModelError(f"{workdir} holds no trained files (such as ae.onnx): train first")
    return found


def _copy(source: Path, target: Path) -> FileFacts:
    if not source.is_file():
        raise ModelError(f"{source} does not exist: train first")
    shutil.copyfile(source, target)
    with target.open("r+b") as copy:  # Windows flushes no file that is only read
        os.fsync(copy.fileno())
    return _facts(target)


def _place(source: Path, target: Path) -> FileFacts:
    """Puts a file into a model folder, atomically; one that lies there already stays."""
    if source.resolve() != target.resolve():
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
    return _facts(target)


def _refuse_unless_replaceable(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise OutputError(f"{folder} cannot be written: there is no folder {folder.parent}: make it first")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file: give the name of a folder to write the model to")
    entries = sorted(folder.iterdir())
    stems = _stems(folder)
    others = [entry.name for entry in entries if not _is_ours(entry, stems)]
    if others:
        raise OutputError(
            f"{folder} holds what is no part of a model ({', '.join(others[:3])}), and is not replaced: "
            "move that away, or give another folder"
        )
    if entries and not (folder / FILE_NAME).is_file():
        raise OutputError(f"{folder} is not empty and holds no {FILE_NAME}, so it is not replaced: give another folder")


def _stems(folder: Path) -> set[str | None]:
    """Returns the stems of the engine files that may belong to the model in a folder, listed or not."""
    with suppress(ModelError):
        return {*INGREDIENTS, *map(stem_of, read_manifest(folder / FILE_NAME).files)} - {None}
    return {*INGREDIENTS}


def _is_ours(entry: Path, stems: set[str | None]) -> bool:
    """Says whether an entry may be deleted with the model folder that holds it."""
    left_over = entry.name == ".DS_Store" or entry.name.startswith(PREFIX)
    return left_over or (entry.is_file() and (entry.name == FILE_NAME or stem_of(entry.name) in stems))


def _put_in_place(temporary: Path, target: Path) -> None:
    """Gives a finished folder its name; what stood there has the temporary one then, and is deleted with it."""
    if not target.exists():
        temporary.rename(target)
    elif not exchange(temporary, target):
        before = _before(target)
        target.rename(before)
        try:
            temporary.rename(target)
        except BaseException:
            with suppress(OSError):
                before.rename(target)
            raise
        shutil.rmtree(before, ignore_errors=True)


def _before(target: Path) -> Path:
    """Where the old folder stands for a moment, on systems that do not exchange names; nobody sweeps it."""
    return target.with_name(f"{PREFIX}before-{target.name}")


def _put_back(target: Path) -> None:
    """Puts an old folder back whose replacement was killed in that moment; deletes it where the new one stands."""
    if (before := _before(target)).is_dir():
        if target.exists():
            shutil.rmtree(before, ignore_errors=True)
        else:
            before.rename(target)
