"""Rows through a pool of Ray's actors, by Ray Data: the one place that imports Ray."""

import logging
import pickle
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from pixelfast.errors import ArgumentError, PixelfastError, first_line
from pixelfast.jobs.ray.work import Answer, Opened, Orders, Task, Worker, as_rows

_log: Final = logging.getLogger("pixelfast")

_MOST_BLOCKS: Final = 1000
"""Rows of a run are handed out in so many pieces at most: each costs Ray some milliseconds."""

_IN_FLIGHT: Final = 2
"""Blocks that lie with a worker: one is scored, the next one waits there."""


@dataclass(frozen=True)
class Pool:
    """What is asked of the cluster; `pixelfast.ray.score` says what each means."""

    threads: int | None = None
    concurrency: int | None = None
    num_cpus: float = 1
    num_gpus: float = 0
    max_restarts: int = 4
    max_task_retries: int = 4
    ray_remote_args: Mapping[str, Any] = field(default_factory=dict)

    def resources(self) -> dict[str, Any]:
        """Returns what each worker asks for."""
        return {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus, **self.ray_remote_args}


def import_ray() -> Any:
    """Imports Ray and Ray Data; a PixelfastError says what to install where they are missing."""
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise PixelfastError(
            f"scoring on a cluster needs Ray Data, and {error.name} is missing: pip install 'pixelfast[ray]', on every "
            "node"
        ) from error
    return ray


class Cluster:
    """The cluster that this process is connected to; where it is to none, that of RAY_ADDRESS, else one of its own."""

    def __init__(self, pool: Pool) -> None:
        self._ray, self._pool = import_ray(), pool
        if not self._ray.is_initialized():
            self._ray.init(logging_level=logging.WARNING)

    def open(self, orders: Orders) -> Opened:
        """Opens the engine on a worker, once, to know what only it can know; raises what that raises."""
        if not self._room():
            _log.warning("the Ray cluster has no room for a worker now: this waits until it has")
        try:
            look = self._ray.remote(max_retries=self._pool.max_task_retries, **self._pool.resources())(_look)
            found = self._ray.get(look.remote(orders))
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"Ray does not take what ray_remote_args says: {first_line(error)}") from error
        except self._ray.exceptions.RayError as error:
            raise _gave_up(error, orders) from error
        if isinstance(found, PixelfastError):
            raise found
        opened: Opened = found
        return opened

    def answers(self, tasks: Sequence[Task], orders: Orders) -> Generator[Answer, None, None]:
        """Yields what becomes of each task, in the order in which they are done.

        Ray Data starts a worker anew that died, but gives up where a whole machine is gone: then what is left goes to
        a new pool, of what the cluster has then.
        """
        left, tried = {(task.index, task.start): task for task in tasks}, 0
        while left:
            try:
                for answer in self._pass(list(left.values()), orders):
                    del left[answer.index, answer.start]
                    tried = 0
                    yield answer
            except self._ray.exceptions.RayError as error:
                tried += 1
                ours = isinstance(error, self._ray.exceptions.RayTaskError)  # of the work itself
                if ours or (self._pool.max_task_retries != -1 and tried > self._pool.max_task_retries):
                    raise _gave_up(error, orders) from error
                _log.warning(
                    "the Ray cluster lost workers (%s): %d videos and segments are left", first_line(error), len(left)
                )

    def _pass(self, tasks: Sequence[Task], orders: Orders) -> Iterator[Answer]:
        """Yields what becomes of tasks until the pool fails."""
        with _quiet(self._ray.data):
            rows = self._rows(tasks, orders)
            for some in rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                for one in some["answer"].to_pylist():
                    yield pickle.loads(one)

    def _rows(self, tasks: Sequence[Task], orders: Orders) -> Any:
        """The data set of the answers, which is computed as it is read."""
        data, pool, size = self._ray.data, self._pool, -(-len(tasks) // _MOST_BLOCKS)
        # By value, what a script of the caller defines: it may be a video of its own.
        pickled = list(map(self._ray.cloudpickle.dumps, tasks))
        blocks = [as_rows("task", pickled[at : at + size]) for at in range(0, len(tasks), size)]
        workers = data.ActorPoolStrategy(size=self._workers(len(blocks)), max_tasks_in_flight_per_actor=_IN_FLIGHT)
        retries = {"max_restarts": pool.max_restarts, "max_task_retries": pool.max_task_retries}
        with warnings.catch_warnings():
            # It has no other way yet to end what dies again and again.
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
            return data.from_arrow(blocks).map_batches(
                Worker, fn_constructor_args=(orders,), batch_size=1, batch_format="pyarrow", compute=workers,
                **{**retries, **pool.resources()},
            )  # fmt: skip

    def _workers(self, blocks: int) -> int:
        """How many workers there are: as many as were asked for, or as the cluster has room for, but no idle ones."""
        return max(1, min(self._pool.concurrency or self._room(), blocks))

    def _room(self) -> int:
        """For how many workers there are processors and GPUs, whoever uses them now."""
        there, asked = self._ray.cluster_resources(), {"CPU": self._pool.num_cpus, "GPU": self._pool.num_gpus}
        return min((int(there.get(name, 0) // each) for name, each in asked.items() if each), default=1)


def _gave_up(error: Exception, orders: Orders) -> PixelfastError:
    """What is said of a cluster that cannot go on."""
    kept = "nothing is kept: name a folder with parts= or out="
    if orders.folder is not None:
        kept = f"videos that were finished are kept in {orders.folder}: the same call goes on from there"
    return PixelfastError(f"the Ray cluster gave up ({first_line(error)}); {kept}")


def _look(orders: Orders) -> Opened | PixelfastError:
    try:
        return Worker(orders).opened
    except PixelfastError as error:
        return error


@contextmanager
def _quiet(data: Any) -> Iterator[None]:
    """Keeps Ray Data's bars and lines off the terminal, where pixelfast has its own."""
    context, logger = data.DataContext.get_current(), logging.getLogger("ray.data")
    bars, level = context.enable_progress_bars, logger.level
    context.enable_progress_bars = False
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        context.enable_progress_bars = bars
        logger.setLevel(level)
