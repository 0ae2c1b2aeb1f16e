"""Fuzzes each target of fuzz_readers.py with atheris: `python tests/fuzz/run.py SECONDS [TARGET]...`.

Each runs in a process of its own, with at most 2 GiB of memory: what its readers take of a file of 64 KiB is a few
megabytes, and the libraries themselves (PyTorch, Arrow, OpenCV) half a gigabyte. An input that fails is kept in
rust/fuzz/artifacts and named; what is found beyond the sound files, in rust/fuzz/grown.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "tests" / "made", ROOT / ".venv" / "fuzz"):
    sys.path.insert(0, str(folder))

LONGEST = 1 << 16
MEGABYTES = 2048
SECONDS_AN_INPUT = 20


def fuzz(name: str, seconds: str) -> None:
    """Fuzzes one target in this process; it does not return."""
    import atheris

    with atheris.instrument_imports(include=["pixelfast"], enable_loader_override=False):
        from fuzz_inputs import seeds
        from fuzz_readers import TARGETS
    import logging

    logging.disable(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp())
    grown, found = (ROOT / "rust" / "fuzz" / kind / name for kind in ("grown", "artifacts"))
    for made in (grown, found):
        made.mkdir(parents=True, exist_ok=True)
    for at, data in enumerate(seeds(name, folder)):
        (grown / f"sound-{at}").write_bytes(data)
    target = TARGETS[name]
    for data in seeds(name, folder):
        target(data, folder)  # what it imports takes longer than any input may
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEGABYTES}"]
    options += [f"-timeout={SECONDS_AN_INPUT}", f"-artifact_prefix={found}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(grown)], lambda data: target(data, folder))
    atheris.Fuzz()


def main() -> int:
    seconds, *names = sys.argv[1:]
    if names[:1] == ["--in-this-process"]:
        fuzz(names[1], seconds)
    from fuzz_readers import TARGETS

    command = [sys.executable, __file__, seconds, "--in-this-process"]
    failed = [name for name in names or sorted(TARGETS) if subprocess.run([*command, name], check=False).returncode]
    if failed:
        print(f"failed: {', '.join(failed)} (the inputs lie in rust/fuzz/artifacts)")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
