"""Verification while it runs: the input as it is heard, and what the bands in force make of it.

An equaliser is linear: the power it leaves in a band is what came in times ``|H|²``. So the output need not
be listened to. Each frame of the input is counted twice, as it came and as the bands that were in force when
it ended make it, and both are forgotten with the same time constant.
"""

from semeq.engine.balance import CENTRES_HZ, Balance, Meter, power_gain
from semeq.engine.design import DEFAULT_DESIGN, MAX_FREQ_OF_FS, response_db
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import Audio, Floats, read_only
from semeq.engine.verdicts import Verification
from semeq.engine.verify import verify
from semeq.engine.words import Vocabulary

MEMORY_S = 8.0
#: So much sound has to be heard before anything is said (s).
LEAST_S = 1.0


class Watch:
    """Judges a sound that passes an equaliser, all the time.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    channels : int
        Channels of the input.
    memory_s : float
        Time constant of forgetting, in s.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.

    Notes
    -----
    One owner: not thread-safe.
    """

    def __init__(
        self,
        fs: float,
        channels: int,
        memory_s: float = MEMORY_S,
        *,
        design: str = DEFAULT_DESIGN,
    ) -> None:
        self._fs, self._design = fs, design
        self._before = Meter(fs, channels, memory_s=memory_s)
        self._after = Meter(fs, channels, memory_s=memory_s)
        self._settings = EQSettings.flat()
        self._gain = self._response()

    def _response(self) -> Floats:
        freqs_hz = CENTRES_HZ.clip(max=MAX_FREQ_OF_FS * self._fs)
        curve_db = response_db(self._settings, self._fs, freqs_hz, design=self._design)
        return power_gain(curve_db, CENTRES_HZ)

    def feed(self, block: Audio, settings: EQSettings) -> None:
        """Take the next samples of the input ``(frames, channels)`` and the bands in force."""
        if settings != self._settings:
            self._settings = settings
            self._gain = self._response()
        for power in self._before.frames(block):
            self._before.add(power)
            self._after.add(power * self._gain)

    def forget(self) -> None:
        """Start anew: something else was asked."""
        self._before.reset()
        self._after.reset()

    @property
    def before(self) -> Balance:
        """The balance of the input."""
        return self._before.balance()

    @property
    def after(self) -> Balance:
        """The balance of the output, as the bands make it."""
        if self._before.seconds == 0.0:
            return Balance(read_only(self.before.power * self._gain))
        return self._after.balance()

    def verification(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        amount: float = 1.0,
        *,
        usual: Balance | None = None,
    ) -> Verification | None:
        """Return the verdicts up to now, or None while too little was heard.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary.
        """
        if self._before.seconds < LEAST_S:
            return None
        return verify(recipe, vocabulary, self.before, self.after, amount, usual=usual)
