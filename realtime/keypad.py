"""What keys do to a live session: a small machine of frozen states, without a terminal.

==============  ==================================================
up, down        choose a word, or a parameter of a plugin
left, right     less, more of it (also - and +; [ and ] in fine steps)
z, delete       this word to 0
space           bypass
s               solo: only what the EQ changes is heard
a, A            amount down, up        (a capital is always more)
d, D            adapt down, up
t, T            output trim down, up
f               freeze: what was heard holds
1 to 7          choose a band: then l locks it, < and > trim it
0               all words to 0
/               type a word to add it, or a recipe such as warm:0.5
?               help
q               quit
==============  ==================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from semeq.engine.errors import RecipeError
from semeq.engine.recipe import Recipe
from semeq.presets.midi_bindings import Control
from semeq.realtime.control import (
    BANDS,
    Action,
    AddWords,
    Bypass,
    ControlState,
    Delta,
    Freeze,
    Lock,
    Reset,
    Set,
    Step,
    TrimBand,
)

STEP = 0.05
FINE_STEP = 0.01
TRIM_STEP_DB = 0.5
BAND_STEP_DB = 0.5
MAX_PROMPT = 80

#: What the help shows: keys and what they do, in the order of use.
HELP = (
    ("↑ ↓", "choose a word"),
    ("← →  - +", "less, more of it"),
    ("[ ]", "the same in fine steps"),
    ("z", "this word to 0"),
    ("space", "bypass"),
    ("s", "hear only what the EQ changes"),
    ("a A", "amount down, up"),
    ("d D", "adapt down, up"),
    ("t T", "output trim down, up"),
    ("f", "freeze what was heard"),
    ("1 – 7", "choose a band of the EQ"),
    ("l  < >", "lock it; trim it down, up"),
    ("0", "all words to 0"),
    ("/", "add a word or a recipe"),
    ("?", "this help"),
    ("q", "quit"),
)

_MOVES = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -5, "page down": 5}
_WEIGHTS = {
    "left": -STEP,
    "-": -STEP,
    "right": STEP,
    "+": STEP,
    "=": STEP,
    "[": -FINE_STEP,
    "]": FINE_STEP,
}
_OTHERS: Mapping[str, Action] = {
    " ": Bypass(),
    "s": Delta(),
    "a": Step(Control.AMOUNT, -STEP),
    "A": Step(Control.AMOUNT, STEP),
    "d": Step(Control.ADAPT, -STEP),
    "D": Step(Control.ADAPT, STEP),
    "t": Step(Control.TRIM, -TRIM_STEP_DB),
    "T": Step(Control.TRIM, TRIM_STEP_DB),
    "0": Reset(),
    "f": Freeze(),
}
_BAND_TRIMS = {"<": -BAND_STEP_DB, ">": BAND_STEP_DB}
_BAND_KEYS = {"l", *_BAND_TRIMS, *map(str, BANDS)}


@dataclass(frozen=True, slots=True)
class Keypad:
    """Where the keys stand.

    Parameters
    ----------
    selected : int
        The chosen word, by its place; the parameters of plugins come after the words.
    band : int or None
        The chosen band of the EQ, 1 to 7.
    prompt : str or None
        What has been typed after ``/``; None while nothing is being typed.
    shows_help : bool
        Whether the help is up.
    message : str
        One line about the last key; empty when it needs none.
    has_quit : bool
        Whether the end was asked for.
    """

    selected: int = 0
    band: int | None = None
    prompt: str | None = None
    shows_help: bool = False
    message: str = ""
    has_quit: bool = False


def press(
    keypad: Keypad,
    key: str,
    state: ControlState,
    know: Callable[[str], object] | None = None,
) -> tuple[Keypad, tuple[Action, ...]]:
    """Return the keypad after a key, and what the key asks of the desk.

    Parameters
    ----------
    keypad : Keypad
        Where the keys stood.
    key : str
        A key of `semeq.realtime.keys.decode`.
    state : ControlState
        What the desk holds.
    know : callable, optional
        Raises `RecipeError` for a word that nobody knows, such as ``Vocabulary.get``.
    """
    keypad = replace(keypad, message="", selected=_inside(keypad.selected, state))
    if keypad.prompt is not None:
        return _type(keypad, keypad.prompt, key, state, know)
    if keypad.shows_help and key in ("escape", "enter", "?"):
        return replace(keypad, shows_help=False), ()
    if key in _OTHERS:
        return keypad, (_OTHERS[key],)
    if key in _BAND_KEYS:
        return _on_band(keypad, key)
    match key:
        case "q":
            return replace(keypad, has_quit=True), ()
        case "?":
            return replace(keypad, shows_help=True), ()
        case "/":
            return replace(keypad, prompt="", shows_help=False), ()
    if key not in _MOVES and key not in _WEIGHTS and key not in ("z", "delete", "backspace"):
        return replace(keypad, message=f"{key!r} does nothing: ? shows the keys"), ()
    if not state.words and not state.parameters:
        return replace(keypad, message="there is no word yet: / adds one"), ()
    if key in _MOVES:
        return replace(keypad, selected=_inside(keypad.selected + _MOVES[key], state)), ()
    if keypad.selected >= len(state.words):
        return _on_parameter(keypad, key, state)
    word = state.words[keypad.selected]
    if key in _WEIGHTS:
        return keypad, (Step(Control.WORD, _WEIGHTS[key], word),)
    return keypad, (Set(Control.WORD, 0.0, word),)


def _on_parameter(
    keypad: Keypad, key: str, state: ControlState
) -> tuple[Keypad, tuple[Action, ...]]:
    target = state.parameters[keypad.selected - len(state.words)][0]
    if key in _WEIGHTS:
        return keypad, (Step(Control.PARAMETER, _WEIGHTS[key], target),)
    return replace(keypad, message="a plugin's parameter has no 0: left and right turn it"), ()


def _on_band(keypad: Keypad, key: str) -> tuple[Keypad, tuple[Action, ...]]:
    if key.isdigit():
        band = int(key)
        message = f"band {band}: l locks it, < and > trim it"
        return replace(keypad, band=band, message=message), ()
    if keypad.band is None:
        return replace(keypad, message="choose a band first: 1 to 7"), ()
    if key == "l":
        return keypad, (Lock(keypad.band),)
    return keypad, (TrimBand(keypad.band, _BAND_TRIMS[key]),)


def _inside(selected: int, state: ControlState) -> int:
    return min(max(selected, 0), max(len(state.words) + len(state.parameters) - 1, 0))


def _type(
    keypad: Keypad,
    text: str,
    key: str,
    state: ControlState,
    know: Callable[[str], object] | None,
) -> tuple[Keypad, tuple[Action, ...]]:
    if key == "escape" or (key == "backspace" and not text):
        return replace(keypad, prompt=None), ()
    if key == "backspace":
        return replace(keypad, prompt=text[:-1]), ()
    if key != "enter":
        letter = key if len(key) == 1 else ""
        return replace(keypad, prompt=(text + letter)[:MAX_PROMPT]), ()
    if not text.strip():
        return replace(keypad, prompt=None), ()
    try:
        recipe = Recipe.parse(text)
        for word, _ in recipe.terms:
            if know is not None:
                know(word)
    except RecipeError as error:
        return replace(keypad, message=str(error)), ()  # what was typed stays, to be put right
    words = tuple(word for word, _ in recipe.terms)
    actions: tuple[Action, ...] = (AddWords(words),)
    if len(words) > 1 or ":" in text or text.strip()[0] in "+-":
        # A bare word only gets its knob: the sound changes when that is turned.
        actions += tuple(Set(Control.WORD, weight, word) for word, weight in recipe.terms)
    places = [*state.words, *(word for word in words if word not in state.words)]
    return replace(keypad, prompt=None, selected=places.index(words[-1])), actions
