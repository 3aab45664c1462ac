"""From a recipe and what is heard to seven bands, at the rate of a control: the same live and offline.

Conventions
-----------
- Without a hearing, without a model or at ``adapt`` 0 the bands are those of
  `semeq.engine.meaning.interpret`: the words' typical move. Otherwise they are fitted to the held move
  of `semeq.engine.morph`.
- What is heard moves in: from nothing (the neutral latent) towards the newest hearing, by as much a second as
  moves the curve of a full recipe by `Limits.slew_db_s`; where the hold makes more of it, the curve itself
  is kept to that. Recipe, amount and ``adapt`` are a person's and act at once, on the hearing that has
  moved in so far.
- A hearing that would change the move by less than `STEP_DB` everywhere is left for later: nobody hears it,
  and a fit is saved.
- A locked band stays flat and the others are fitted around it. Trims come last: a band's trim is added to
  what the recipe asks of it, and is all that a locked band has.
- Amount 0 and an empty recipe are exactly flat, whatever was heard, but for trims.
"""

import numpy as np

from semeq.engine.design import prototype_db, response_db
from semeq.engine.encoder import Heard, Model
from semeq.engine.fit import (
    bounds,
    fit_bands,
    prototype_curve_db,
    refine,
    to_settings,
)
from semeq.engine.limits import Limits
from semeq.engine.meaning import Meaning, Typical, typical
from semeq.engine.morph import FIT_STEPS, Move, bands_for, make_recipe_move
from semeq.engine.recipe import Recipe
from semeq.engine.settings import DEFAULT_GAIN_LIMIT_DB, EQSettings
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Vocabulary

#: Smaller changes on account of what is heard wait (dB, at any frequency).
STEP_DB = 0.25
#: Steps of the fit from bands that follow a hearing to the next.
FOLLOW_STEPS = 3
#: What bands on their way may lack of the hold (dB).
LACK_DB = 0.05
#: How much a change of the music's spectrum may change the move; it only moves the hold.
_SPECTRUM_COUNTS = 0.2
#: A hearing that has not moved in yet moves on after this time (s) even if none came since.
WAIT_S = 0.1
#: What is kept back is said from here on.
_HELD_BACK_BELOW = 0.995


class Designer:
    """Makes bands, and remembers how far a hearing has moved in.

    Parameters
    ----------
    model : Model or None
        Decoder and latents of words; None for typical moves alone.
    vocabulary : Vocabulary
        What the words mean.
    fs : float
        Sample rate in Hz that the bands run at.
    limits : Limits, optional
        May be replaced by assignment between two calls.

    Notes
    -----
    One owner: not thread-safe. The same calls give the same bands.
    """

    def __init__(
        self, model: Model | None, vocabulary: Vocabulary, fs: float, limits: Limits | None = None
    ) -> None:
        self._model, self._vocabulary = model, vocabulary
        #: May be replaced by assignment between two calls, when the stream changes its rate.
        self.fs = fs
        self.limits = limits or Limits()
        #: The hearing that the bands follow, as far as it has moved in.
        self._inner: Heard | None = None
        #: The hearing that the last bands were made for.
        self._used: Heard | None = None
        self._given: Heard | None = None
        self._waited_s = self._step_s = 0.0
        #: Whether the curve was kept from following the hearing.
        self._lags = False
        self._knobs: tuple[Recipe, float, float, Limits] | None = None
        self._typical: tuple[tuple[Recipe, float], Typical] | None = None
        self._made: Meaning | None = None
        self._curve: Floats | None = None
        #: Parameters of the last bands, from which the next are found.
        self._bands: Floats | None = None

    @property
    def heard(self) -> Heard | None:
        """Return the hearing that the bands follow, as far as it has moved in."""
        return self._inner

    def design(
        self, recipe: Recipe, amount: float, adapt: float, heard: Heard | None, dt_s: float
    ) -> Meaning:
        """Return the bands for now.

        Parameters
        ----------
        recipe : Recipe
            Words with weights; empty is flat.
        amount : float
            In [-4, 4], times all weights.
        adapt : float
            In [0, 2]: 0 is blind to the sound.
        heard : Heard or None
            What was heard last; None before anything was.
        dt_s : float
            Time since the last call.

        Returns
        -------
        Meaning
            The same object as before where nothing has changed. The curve is what the bands follow,
            on the model's grid or the vocabulary's; trims are not in it.

        Raises
        ------
        RecipeError
            If a word is unknown, or amount or adapt is out of range.
        """
        self._move_in(heard, dt_s)
        knobs = (recipe, amount, adapt, self.limits)
        if self._made is not None and knobs == self._knobs and not self._matters(amount, adapt):
            return self._made
        before = self._curve if knobs == self._knobs else None
        made = self._design(recipe, amount, adapt, before)
        self._knobs, self._used, self._made = knobs, self._inner, made
        return made

    def _move_in(self, heard: Heard | None, dt_s: float) -> None:
        if heard is None or self._model is None:
            return
        # Counted from the first hearing on: what was not there has not waited.
        self._waited_s += max(dt_s, 0.0)
        if heard is self._given and self._waited_s < WAIT_S:
            return
        dt_s, self._given, self._waited_s = self._waited_s, heard, 0.0
        self._step_s = dt_s
        inner = self._inner or _nothing_heard(heard)
        far_db = self._moves_db(inner, heard)
        step = min(1.0, self.limits.slew_db_s * dt_s / far_db) if far_db > 0.0 else 1.0
        if step >= 1.0:
            self._inner = heard
            return
        self._inner = Heard(
            read_only(inner.z + step * (heard.z - inner.z)),
            read_only(inner.spectrum_db + step * (heard.spectrum_db - inner.spectrum_db)),
        )

    def _moves_db(self, one: Heard, other: Heard) -> float:
        """Return by how much the move of a full recipe may differ between two hearings."""
        assert self._model is not None
        curve = self._model.put_on_db(other.z - one.z)
        spectrum = other.spectrum_db - one.spectrum_db
        return float(np.abs(curve).max() + _SPECTRUM_COUNTS * np.abs(spectrum).max())

    def _matters(self, amount: float, adapt: float) -> bool:
        """Whether the hearing has moved far enough for new bands."""
        if adapt == 0.0 or amount == 0.0:
            return False
        if self._lags and self._waited_s == 0.0:
            return True
        if self._inner is self._used:
            return False
        if self._used is None or self._inner is None:
            return True
        return self._moves_db(self._used, self._inner) * adapt >= STEP_DB

    def _gently(self, curve: Floats, before: Floats | None) -> Floats:
        """Return the curve, or as much of the way to it as the slew limit allows."""
        self._lags = False
        if before is not None:
            far_db = float(np.abs(curve - before).max())
            allowed_db = self.limits.slew_db_s * self._step_s + STEP_DB
            if far_db > allowed_db:
                self._lags = True
                curve = before + (allowed_db / far_db) * (curve - before)
        self._curve = curve
        return curve

    def _design(
        self, recipe: Recipe, amount: float, adapt: float, before: Floats | None
    ) -> Meaning:
        if self._typical is None or self._typical[0] != (recipe, amount):
            self._typical = (recipe, amount), typical(recipe, self._vocabulary, amount)
        asked = self._typical[1]
        limits = self.limits
        curve = asked.curve_db
        move: Move | None = None
        if (
            self._model is not None
            and self._inner is not None
            and adapt != 0.0
            and not asked.is_flat
        ):
            move = make_recipe_move(
                self._model,
                recipe,
                self._inner,
                adapt=adapt,
                amount=amount,
                vocabulary=self._vocabulary,
            )
            curve = self._gently(move.curve_db, before)
            # On its way the bands need not do yet what they will have to.
            move = Move(curve, None if self._lags else move.hold)
        elif self._model is not None and not asked.is_flat:
            # From here a first hearing sets out.
            own = prototype_curve_db(asked.bands, self._model.freqs_hz)
            self._curve = own - own.mean()
        else:
            self._curve = None
        held_back = 1.0
        if move is None or before is None:
            self._bands = None
        if not asked.is_flat and (move is not None or limits.locks):
            settings = self._fitted(move, asked)
        else:
            settings = asked.told().settings
        if limits.max_db < DEFAULT_GAIN_LIMIT_DB:
            freqs_hz = self._vocabulary.freqs_hz
            settings, held_back = limits.within(settings, freqs_hz[freqs_hz < 0.45 * self.fs])
        warnings = asked.warnings
        if held_back < _HELD_BACK_BELOW:
            # Not by how much: that changes with the music.
            said = f"the limit of {limits.max_db:g} dB holds the move back"
            warnings = (*warnings, said)
            curve = held_back * curve
        return Meaning(limits.trimmed(settings), read_only(np.array(curve)), warnings)

    def _fitted(self, move: Move | None, asked: Typical) -> EQSettings:
        if move is not None:
            return to_settings(self._followed(move, self.limits.resting(asked.bands)))
        # The bands' own curve, so that locking nothing changes nothing.
        freqs_hz, locks = self._vocabulary.freqs_hz, self.limits.locks
        start = asked.told().settings
        curve = prototype_db(start, freqs_hz)
        begin = self.limits.locked(start)
        return fit_bands(curve, freqs_hz, start=begin, iterations=FIT_STEPS, fixed=locks)

    def _followed(self, move: Move, start: Floats) -> Floats:
        """Return the bands of a move: from where they were if only the hearing has changed, else anew."""
        assert self._model is not None
        freqs_hz, locks = self._model.freqs_hz, self.limits.locks
        if self._bands is not None:
            limits = bounds(None, DEFAULT_GAIN_LIMIT_DB)
            bands = refine(
                self._bands,
                move.curve_db,
                freqs_hz,
                limits=limits,
                iterations=FOLLOW_STEPS,
                rest=np.clip(start, *limits),
                fixed=locks,
            )
            response = prototype_curve_db(bands, freqs_hz)
            if move.hold is None or float(move.hold.lacks_db(response).max()) <= LACK_DB:
                self._bands = bands
                return bands
        self._bands = bands_for(move, freqs_hz, start, fixed=locks)
        return self._bands


def warm_up(model: Model | None, vocabulary: Vocabulary, fs: float) -> None:
    """Load or compile what bands and their filters are made with: a turned knob would have to wait for it.

    The parameters are those of `Designer`.
    """
    designer = Designer(model, vocabulary, fs, Limits(slew_db_s=1000.0))
    word = next(iter(vocabulary.words if model is None else model.words))
    made = designer.design(Recipe(((word, 0.7),)), 1.0, 0.0, None, 0.0)
    response_db(made.settings, fs, vocabulary.freqs_hz[vocabulary.freqs_hz < 0.45 * fs])
    if model is None:
        return
    spectrum = read_only(np.zeros(len(model.freqs_hz)))
    # much of the word already: the hold has to work; then a little less of it, to be followed
    for much in (4.0, 3.5):
        heard = Heard(read_only(much * model.words[word]), spectrum)
        designer.design(Recipe(((word, 1.0),)), 1.0, 1.0, heard, 1.0)


def _nothing_heard(like: Heard) -> Heard:
    """Return the neutral hearing: no colour, and pink noise, on which the hold has next to nothing to do."""
    return Heard(read_only(np.zeros(len(like.z))), read_only(np.zeros(len(like.spectrum_db))))
