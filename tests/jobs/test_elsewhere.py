"""Parts and results on the file systems that PyArrow knows: a store that speaks S3's protocol, and `file://`."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from killing import different, tree
from pixelfast.errors import OutputError, ScoresError
from pixelfast.files.atomic import atomic_path
from pixelfast.files.places import Elsewhere, place
from pixelfast.model import Model

BUCKET = "footage"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The end of a URI of a running store, whose bucket is empty in the beginning."""
    pytest.importorskip("moto.server", reason="the tests of s3:// need a store that speaks its protocol: moto[server]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        end = f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
        try:
            _wait_for(port, server)
            from pyarrow.fs import S3FileSystem

            s3 = S3FileSystem(
                endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1", allow_bucket_creation=True
            )
            s3.create_dir(BUCKET)
            yield end
        finally:
            server.kill()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.poll() is None, "the store did not start"
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the store does not answer")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("1", "2", "10", "a b%c", "é"):
        write_video(tmp_path / "new" / name, walking_square(20 + len(name), seed=len(name), size=32))
    (tmp_path / "new" / "2" / "frame_0003.jpg").write_bytes(b"nothing")
    return tmp_path / "new"


def names(folder: Elsewhere) -> list[str]:
    return sorted(one.name for one in folder.glob("*"))


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("s3://bucket/a/b.csv", Elsewhere),
        ("gs://bucket/b.parquet?anonymous=true", Elsewhere),
        ("hdfs://host:8020/a/b", Elsewhere),
        (Path("s3://bucket/a/b.csv"), Elsewhere),
        ("a/b.csv", Path),
        ("s3/b.csv", Path),
        ("s3:b.csv", Path),
        ("C:/b.csv", Path),
        ("/s3://b.csv", Path),
    ],
)
def test_what_is_elsewhere(written: str | Path, kind: type) -> None:
    assert isinstance(place(written), kind)


def test_file_uris_are_paths(tmp_path: Path) -> None:
    for uri in (tmp_path.as_uri(), f"file://localhost{tmp_path}", Path(tmp_path.as_uri()), f"{tmp_path.as_uri()}/"):
        assert place(uri) == tmp_path
    assert place((tmp_path / "a b").as_uri()) == tmp_path / "a b"


def test_names_elsewhere_are_those_of_a_path() -> None:
    one = place("s3://bucket/a/b.tar.gz?region=x")
    assert isinstance(one, Elsewhere)
    like = Path("/bucket/a/b.tar.gz")
    assert (one.name, one.suffix) == (like.name, like.suffix)
    assert one.with_name("c d").uri == "s3://bucket/a/c%20d?region=x"
    assert one.with_name("é").name == "é"
    assert place(Path("s3://bucket/a")) == place("s3://bucket/a/")


@pytest.mark.parametrize(
    ("written", "path", "shown"),
    [
        ("s3://bucket/run#1/a b.csv", "bucket/run#1/a b.csv", "s3://bucket/run#1/a b.csv"),
        ("s3://KEY:SECRET@bucket/a?endpoint_override=http://minio:9000", "bucket/a", "s3://bucket/a"),
        ("gs://anonymous@bucket/a?scheme=http", "bucket/a", "gs://bucket/a"),
        ("abfs://box@account.dfs.core.windows.net/a/b", "box/a/b", "abfs://box@account.dfs.core.windows.net/a/b"),
        ("abfs://account.blob.core.windows.net/box/a", "box/a", "abfs://account.blob.core.windows.net/box/a"),
        ("hdfs://host:8020/a/b", "/a/b", "hdfs://host:8020/a/b"),
    ],
)
def test_the_path_is_the_file_systems_and_what_is_shown_holds_no_secret(written: str, path: str, shown: str) -> None:
    for given in (written, Path(written)):
        one = place(given)
        assert isinstance(one, Elsewhere)
        assert one._path == path
        assert str(one) == shown
        beside = one.with_name("c d.csv")
        assert isinstance(beside, Elsewhere)
        assert beside._path == f"{path.rpartition('/')[0]}/c d.csv"
        assert (one / "x")._path == f"{path}/x"
        assert ("endpoint_override=http://minio:9000" in one.uri) == ("minio" in written)


def test_what_is_written_is_read(store: str, tmp_path: Path) -> None:
    target = place(f"s3://{BUCKET}/some/file.bin{store}")
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert isinstance(target, Elsewhere)
    assert target.read_bytes() == b"whole"
    assert target.stat().st_size == 5
    assert target.is_file()
    assert place(f"s3://{BUCKET}/some{store}").is_dir()
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"whole"
    assert names(place(f"s3://{BUCKET}/some{store}")) == ["file.bin"]


def test_shares_meet_in_a_store_and_give_the_bytes_of_one_run(
    store: str, source: Path, model: Model, tmp_path: Path
) -> None:
    here, events = tmp_path / "here", "events.csv"
    here.mkdir()
    whole = pixelfast.score(
        source, model.folder, out=[here / "scores.csv"], parts=here / "parts", shard=None, exact=True
    )
    wanted = {name: here / name for name in ("merged.csv", "merged.parquet", events)}
    pixelfast.merge(here / "parts", [wanted["merged.csv"], wanted["merged.parquet"]], events=wanted[events])
    for shares in (1, 2, 3, 7):
        folder = f"s3://{BUCKET}/of{shares}"
        for share in range(shares, 0, -1):
            pixelfast.score(source, model.folder, parts=f"{folder}/parts{store}", shard=f"{share}/{shares}")
        outs = [f"{folder}/merged.csv{store}", f"{folder}/merged.parquet{store}"]
        merged = pixelfast.merge(f"{folder}/parts{store}", outs, events=f"{folder}/{events}{store}")
        assert merged.rank.tolist() == whole.rank.tolist()
        for name, path in wanted.items():
            there = place(f"{folder}/{name}{store}")
            assert there.read_bytes() == path.read_bytes(), f"{name} of {shares} shares"
        assert [name for name in names(place(folder + store)) if name.startswith(".")] == []
        assert pixelfast.Scores.read(outs[1]).rank.tolist() == whole.rank.tolist()


def test_a_rerun_takes_the_parts_from_the_store(store: str, source: Path, model: Model) -> None:
    out = f"s3://{BUCKET}/again/scores.parquet{store}"
    first = pixelfast.score(source, model.folder, out=out, maps=True)
    again = pixelfast.score(source, model.folder, out=out, maps=True)
    assert (first.reused, again.reused) == (0, 5)
    assert again.rank.tolist() == first.rank.tolist()
    assert names(place(f"s3://{BUCKET}/again{store}")) == ["scores.parquet"]
    assert len(names(place(f"s3://{BUCKET}/again/scores.parquet.parts{store}"))) == 5


def test_a_missing_share_is_named(store: str, source: Path, model: Model) -> None:
    parts = f"s3://{BUCKET}/two/parts{store}"
    pixelfast.score(source, model.folder, parts=parts, shard="1/2")
    notes = pixelfast.merge(parts).notes
    assert any("missing are 2, a b%c (share 2/2)" in note for note in notes), notes


def test_equal_parts_are_named_and_different_ones_refused(source: Path, model: Model, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        pixelfast.score(source, model.folder, parts=tmp_path / folder)
    alone = pixelfast.merge(tmp_path / "a")
    both = pixelfast.merge([tmp_path / "b", tmp_path / "a"])
    assert both.rank.tolist() == alone.rank.tolist()
    (note,) = (note for note in both.notes if "several equal parts" in note)
    again = pixelfast.merge([tmp_path / "a", tmp_path / "b"])
    assert again.notes == both.notes
    assert "10 (" in note
    assert str(tmp_path / "a") in note


def test_what_a_store_refuses_is_a_sentence(store: str, source: Path, model: Model) -> None:
    with pytest.raises(OutputError, match=r"s3://nowhere/scores.csv.* cannot be written"):
        pixelfast.score(source, model.folder, out=f"s3://nowhere/scores.csv{store}")
    with pytest.raises(ScoresError, match="does not exist"):
        pixelfast.merge(f"s3://{BUCKET}/nothing{store}")
    with pytest.raises(ScoresError, match="does not exist"):
        pixelfast.Scores.read(f"s3://{BUCKET}/nothing.parquet{store}")


def test_the_command_takes_uris(store: str, source: Path, model: Model, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "pixelfast", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    parts, out = f"s3://{BUCKET}/cli/parts{store}", f"s3://{BUCKET}/cli/scores.csv{store}"
    for share in ("1/2", "2/2"):
        run("score", str(source), "--engine", str(model.folder), "--parts", parts, "--shard", share)
    assert f"s3://{BUCKET}/cli/scores.csv" in run("merge", parts, "--out", out)
    local = (tmp_path / "local").as_uri()
    (tmp_path / "local").mkdir()
    run("merge", parts, "--out", f"{local}/scores.csv")
    assert place(out).read_bytes() == (tmp_path / "local" / "scores.csv").read_bytes()


def test_any_number_of_shares_in_any_order_gives_the_same_bytes(source: Path, model: Model, tmp_path: Path) -> None:
    trees = []
    for shares, order in ((1, 1), (2, 1), (2, -1), (3, 1), (3, -1), (9, -1)):
        home = tmp_path / f"{shares}{order}"
        folders = []
        for share in range(1, shares + 1)[::order]:
            folders.append(home / f"parts{share}")
            pixelfast.score(source, model.folder, parts=folders[-1], shard=f"{share}/{shares}")
        full = [folder for folder in folders if any(folder.glob("*.arrow"))]
        (home / "out").mkdir()
        pixelfast.merge(full, [home / "out" / "scores.csv", home / "out" / "scores.parquet"])
        trees.append(tree(home / "out"))
    assert all(different(one, trees[0]) == [] for one in trees), [different(one, trees[0]) for one in trees]
