"""Sentences that many runs would say again and again, said once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Once(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._said = set[str]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Passes a sentence on the first time."""
        sentence = record.getMessage()
        new = sentence not in self._said
        self._said.add(sentence)
        return new


@contextmanager
def said_once() -> Iterator[None]:
    """Lets the library say each of its sentences once while the block runs."""
    logger, once = logging.getLogger("pixelfast"), _Once()
    logger.addFilter(once)
    try:
        yield
    finally:
        logger.removeFilter(once)
