"""A reference file and what it is compared with: an input file, or usual music where there is none yet."""

from dataclasses import dataclass
from pathlib import Path

from semeq.engine.reference import Likeness, Spectrum, liken, measure_file
from semeq.presets.library import load_vocabulary
from semeq.presets.usual import load_usual_spectrum

USUAL = "usual music"


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A sound to be sounded like: its name and its spectrum on the vocabulary's grid."""

    name: str
    spectrum: Spectrum

    @classmethod
    def read(cls, path: Path) -> "Reference":
        """Measure a sound file.

        Raises
        ------
        AudioFileError
            If it cannot be read, or holds nothing but silence.
        """
        balance = measure_file(path)
        return cls(path.name, Spectrum.of(balance, load_vocabulary().freqs_hz))

    def told(self, source: Path | None, *, language: str = "en") -> Likeness:
        """Return the recipe that makes a file sound like this one; what is usual where `source` is None.

        A silent file needs nothing.

        Raises
        ------
        AudioFileError
            If the file cannot be read.
        """
        vocabulary = load_vocabulary()
        if source is None:
            name, base = USUAL, load_usual_spectrum(vocabulary.freqs_hz)
        else:
            name = source.name
            balance = measure_file(source, may_be_silent=True)
            base = Spectrum.of(balance, vocabulary.freqs_hz)
        return liken(self.spectrum, base, vocabulary, names=(self.name, name), language=language)
