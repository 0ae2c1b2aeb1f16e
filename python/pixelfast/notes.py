"""What is said aloud: to the log, and kept in the result."""

import logging
from collections.abc import Iterable

_log = logging.getLogger("pixelfast")


def shown(text: str) -> str:
    """Returns a text as one line that a terminal can be given: what is not printable (ESC, line ends, …) is escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class Notes(list[str]):
    """Sentences that a result keeps; each is logged as a warning when it is said."""

    def say(self, *sentences: str) -> None:
        """Logs sentences and keeps them, each once."""
        for sentence in sentences:
            if sentence not in self:
                _log.warning(shown(sentence))
                self.append(sentence)

    def keep(self, sentences: Iterable[str]) -> None:
        """Keeps what was logged before, each sentence once."""
        self.extend(dict.fromkeys(one for one in sentences if one not in self))
