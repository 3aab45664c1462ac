"""Keys of the terminal, one by one, without Enter; and the terminal left as it was found.

The terminal is restored on every way out that a program can see: the end of the ``with`` block, an
exception, Ctrl-C, SIGTERM, SIGHUP, SIGQUIT, a stop by Ctrl-Z (and taken again on return), and
``sys.exit`` elsewhere. Where standard input is no terminal, or belongs to another program just now,
there are simply no keys.
"""

import atexit
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]  # asked for by `is None` below

ESCAPE = 0x1B
#: A lone Esc is known as such when nothing has followed it for this long, s.
ESCAPE_WAIT_S = 0.03
_LETTERS = {b"A": "up", b"B": "down", b"C": "right", b"D": "left", b"H": "home", b"F": "end"}
_TILDES = {b"1": "home", b"3": "delete", b"4": "end", b"5": "page up", b"6": "page down"}
_PLAIN = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x04": "q",  # Ctrl-D: the end of input
}
_Handler = Callable[[int, FrameType | None], Any] | int | None


def decode(data: bytes, *, is_all: bool = True) -> tuple[list[str], bytes]:
    """Return the keys in `data` and the bytes that begin another.

    Parameters
    ----------
    data : bytes
        What the terminal sent.
    is_all : bool
        Whether nothing more is to be expected: then a lone Esc is the key, and half a letter is dropped.

    Returns
    -------
    keys : list of str
        A letter each, or a name: up, down, left, right, home, end, page up, page down, delete,
        enter, tab, backspace, escape. Other function keys give nothing.
    rest : bytes
        To be put in front of what comes next.
    """
    keys: list[str] = []
    while data:
        if data[0] == ESCAPE:
            length = _sequence_length(data)
            if length is None:
                if not is_all:
                    return keys, data
                keys += ["escape"] if len(data) == 1 else []
                return keys, b""
            keys += _named(data[:length])
            data = data[length:]
            continue
        size = next((n for bits, n in ((0xF0, 4), (0xE0, 3), (0xC0, 2)) if data[0] >= bits), 1)
        if len(data) < size and not is_all:
            return keys, data
        letter = data[:size].decode("utf-8", "ignore")
        data = data[size:]
        if letter in _PLAIN:
            keys.append(_PLAIN[letter])
        elif letter.isprintable() and letter:
            keys.append(letter)
    return keys, b""


def _sequence_length(data: bytes) -> int | None:
    """Return the length of the escape sequence that `data` begins with; None where it is cut short."""
    if len(data) == 1:
        return None
    if data[1] == ESCAPE:
        return 1
    if data[1] not in b"[O":
        return 2  # Alt and a letter
    for at in range(2, len(data)):
        if 0x40 <= data[at] <= 0x7E:
            return at + 1
    return None


def _named(sequence: bytes) -> list[str]:
    if sequence == b"\x1b":
        return ["escape"]
    final, inner = sequence[-1:], sequence[2:-1]
    if sequence[1:2] in (b"[", b"O") and final in _LETTERS:
        return [_LETTERS[final]]
    if final == b"~" and inner.split(b";")[0] in _TILDES:
        return [_TILDES[inner.split(b";")[0]]]
    return []


class Keyboard:
    """The keys of a terminal; a context manager.

    Parameters
    ----------
    fd : int, optional
        File descriptor of the terminal; standard input by default.
    on_leave, on_return : callable, optional
        Called when a signal takes the terminal away, and when it has come back after Ctrl-Z: whoever
        draws on it gives the screen back and takes it again.

    Attributes
    ----------
    reason : str
        Why there are no keys; empty when there are.
    """

    def __init__(
        self,
        fd: int | None = None,
        *,
        on_leave: Callable[[], None] | None = None,
        on_return: Callable[[], None] | None = None,
    ) -> None:
        self._on_leave = on_leave or (lambda: None)
        self._on_return = on_return or (lambda: None)
        self._fd = -1
        self._before: list[Any] = []
        self._rest = b""
        self._handlers: dict[int, _Handler] = {}
        self.reason = "not started"
        try:
            self._fd = sys.stdin.fileno() if fd is None else fd
        except (AttributeError, OSError, ValueError):
            self._fd = -1

    @property
    def is_available(self) -> bool:
        """Whether keys can come."""
        return not self.reason

    def __enter__(self) -> Self:
        self.reason = self._why_not()
        if self.is_available:
            self._before = termios.tcgetattr(self._fd)
            atexit.register(self._restore)
            self._watch_signals()
            self._take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before:
            self._restore()
            self._unwatch_signals()
            atexit.unregister(self._restore)
            self._before = []
        self.reason = self.reason or "ended"

    def read(self, timeout_s: float) -> list[str]:
        """Return the keys that come within `timeout_s`, as soon as there are any.

        Without keys it sleeps just as long, so that a loop keeps its pace.
        """
        if not self.is_available:
            time.sleep(max(timeout_s, 0.0))
            return []
        keys: list[str] = []
        wait_s = timeout_s
        while not keys:
            data = self._bytes(wait_s)
            if not data and not self._rest:
                break
            # After an Esc the rest of a sequence is on its way, or there is none.
            keys, self._rest = decode(self._rest + data, is_all=not data)
            if self._rest:
                wait_s = ESCAPE_WAIT_S
            elif not keys:
                break
        return keys

    def _bytes(self, timeout_s: float) -> bytes:
        try:
            ready, _, _ = select.select([self._fd], [], [], max(timeout_s, 0.0))
            if not ready:
                return b""
            data = os.read(self._fd, 1024)
        except (OSError, ValueError):
            data = b""
        if not data:
            self.reason = "the terminal is gone"
        return data

    def _why_not(self) -> str:
        if termios is None:
            return "keys need a POSIX terminal: on Windows use MIDI"
        if self._fd < 0 or not os.isatty(self._fd):
            return "standard input is not a terminal"
        try:
            if os.tcgetpgrp(self._fd) != os.getpgrp():
                return "this program runs in the background"  # touching the terminal would stop it
        except OSError:
            return "standard input is not the terminal of this program"
        return ""

    def _take(self) -> None:
        """Letters at once and without echo; Ctrl-C and Ctrl-Z keep their meaning, Ctrl-S loses it."""
        attributes = [*self._before[:6], list(self._before[6])]
        attributes[0] &= ~termios.IXON
        attributes[3] &= ~(termios.ECHO | termios.ICANON)
        attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
        self._set(attributes)

    def _restore(self) -> None:
        if self._before:
            self._set(self._before)

    def _set(self, attributes: list[Any]) -> None:
        try:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, attributes)
        except (termios.error, OSError):
            self.reason = "the terminal is gone"

    # ---- signals: only where nobody else handles them, and only in the main thread

    def _watch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
            if signal.getsignal(number) is signal.SIG_DFL:
                self._handlers[number] = signal.signal(number, self._leave)
        if signal.getsignal(signal.SIGCONT) is signal.SIG_DFL:
            self._handlers[signal.SIGCONT] = signal.signal(signal.SIGCONT, self._return)

    def _unwatch_signals(self) -> None:
        ours = (self._leave, self._return)
        for number, before in self._handlers.items():
            if signal.getsignal(number) in ours:
                signal.signal(number, before)
        self._handlers = {}

    def _leave(self, number: int, frame: FrameType | None) -> None:
        """Restore the terminal, then let the signal do what it would have done."""
        self._on_leave()
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _return(self, number: int, frame: FrameType | None) -> None:
        """Take the terminal again after Ctrl-Z and ``fg``."""
        signal.signal(signal.SIGTSTP, self._leave)
        if self._why_not() == "":
            self._take()
            self._on_return()
