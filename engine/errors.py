"""Every error that semeq raises on purpose.

::

    SemeqError
    ├── UsageError              the call itself is wrong (exit code 2)
    ├── SettingsError           a value out of its range          (also ValueError)
    ├── RecipeError             a recipe that cannot be read      (also ValueError)
    │   └── UnknownWordError    a word nobody taught us           (also KeyError)
    ├── DataError               a data file that is not what it should be (also ValueError)
    ├── AudioFileError          a sound file that cannot be read or written (also OSError)
    ├── DeviceError             an audio or MIDI device that is missing or failed (also OSError)
    ├── PluginError             a plugin that is missing, no plugin, or failed (also OSError)
    └── MissingPackageError     something to install first        (also ImportError)

Wording, everywhere: *what* must be *constraint*, got *value*; then the remedy. One line: the
command line prints it as it is.
"""

LONGEST_LINE = 600


def one_line(message: object) -> str:
    """Return a message as one line for a terminal.

    Messages quote files: what is long is shortened in the middle, and what would move the cursor or hide text
    (control characters) is shown as a question mark.
    """
    line = " ".join(str(message).split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    if len(line) > LONGEST_LINE:
        half = LONGEST_LINE // 2
        line = f"{line[:half]} … {line[-half:]}"
    return line


class SemeqError(Exception):
    """Base of all errors raised by semeq."""


class UsageError(SemeqError):
    """The request contradicts itself or cannot be understood."""


class SettingsError(SemeqError, ValueError):
    """A setting is outside its range."""


class RecipeError(SemeqError, ValueError):
    """A recipe does not follow the grammar."""


class UnknownWordError(RecipeError, KeyError):
    """A word is not in the vocabulary; ``suggestions`` holds the nearest ones."""

    def __init__(self, word: str, suggestions: tuple[str, ...] = ()) -> None:
        self.word = word
        self.suggestions = suggestions
        hint = f"did you mean {', '.join(suggestions)}? " if suggestions else ""
        super().__init__(f"no one has taught us {word!r}: {hint}'semeq words' lists all words")

    def __str__(self) -> str:
        """Return the message itself (KeyError would quote it)."""
        return str(self.args[0])


class DataError(SemeqError, ValueError):
    """A data file is damaged or is not the file that was asked for."""


class AudioFileError(SemeqError, OSError):
    """A sound file cannot be read or written."""


class DeviceError(SemeqError, OSError):
    """An audio or MIDI device is missing, busy or failed."""


class PluginError(SemeqError, OSError):
    """A third-party plugin is missing, cannot be loaded, or failed at its work."""


class MissingPackageError(SemeqError, ImportError):
    """A library or system package that this command needs is not installed."""
