"""What is said aloud: to the log, and kept in the result."""

import logging

_log = logging.getLogger("pixelfast")


class Notes(list[str]):
    """Sentences that a result keeps; each is logged as a warning when it is said."""

    def say(self, sentence: str) -> None:
        """Logs `sentence` and keeps it, once."""
        if sentence not in self:
            _log.warning(sentence)
            self.append(sentence)
