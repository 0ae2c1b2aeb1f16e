"""The fuzzer's corpus is what its script writes, and each file has a test by its name."""

import re
import sys
from pathlib import Path

RUST = Path(__file__).parents[2] / "rust"
sys.path.insert(0, str(RUST / "fuzz"))
import make_corpus  # noqa: E402 - it lies there


def test_the_corpus_is_what_its_script_writes(tmp_path: Path) -> None:
    make_corpus.main(tmp_path)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    corpus = RUST / "fuzz" / "corpus"
    kept = {path.relative_to(corpus): path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    assert written == kept


def test_each_file_of_the_corpus_has_a_test_by_its_name() -> None:
    tests = [RUST / "pixelfast-core/tests/hostile/main.rs", RUST / "pixelfast-jpeg/tests/hostile.rs"]
    whole, plain = (path.read_text() for path in tests)
    for path in (RUST / "fuzz" / "corpus").glob("*/*"):
        name = re.compile(rf"\b{path.name}\b")
        assert name.search(whole), f"{path} has no test"
        assert path.parent.name != "jpeg" or name.search(plain), f"{path} has no test of our own reader"
    limits = (RUST / "fuzz" / "limits.txt").read_text()
    targets = {path.stem for path in (RUST / "fuzz" / "targets").glob("*.rs")} - {"lib"}
    assert targets == {line.split()[0] for line in limits.splitlines() if line and not line.startswith("#")}
