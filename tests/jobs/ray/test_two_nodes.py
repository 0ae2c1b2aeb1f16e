"""Two nodes of Ray on this machine, one of which is gone in the middle of a run: the other one does the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from footage import walking_square
from frame_files import write_video
from pixelfast.model import Flip
from tiny_engines import SIZE, write_model

PROGRAM = """
import sys
import ray
from ray.cluster_utils import Cluster
import pixelfast, pixelfast.ray

small = {"num_cpus": 1, "object_store_memory": 100_000_000}
nodes = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
second = nodes.add_node(**small)
ray.init(address=nodes.address, logging_level="error")
assert ray.cluster_resources()["CPU"] == 2

def take_away(step):
    global second
    if second is not None:
        nodes.remove_node(second, allow_graceful=False)
        second = None

source, engine = sys.argv[1:]
once = pixelfast.score(source, engine)
there = pixelfast.ray.score(source, engine, segment_frames=100, progress=take_away)
ray.shutdown()
nodes.shutdown()
assert second is None
print(once.to_arrow().equals(there.to_arrow(), check_metadata=True))
"""


@pytest.mark.long
def test_a_node_that_is_gone(tmp_path: Path) -> None:
    pytest.importorskip("ray.data", reason="needs Ray Data: pip install '.[ray]'")
    model = write_model(tmp_path / "model", (1,), Flip(held_out_accuracy=1.0, trusted=True))
    for seed in range(6):
        write_video(tmp_path / "new" / f"{seed}", walking_square(60, seed, SIZE))
    write_video(tmp_path / "new" / "long", walking_square(700, 9, SIZE))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "new"), str(model.folder)]
    here = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=here)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "True"
