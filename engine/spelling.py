"""Near misses of a word: other spellings, missing accents, and simple inflections."""

import unicodedata
from collections.abc import Iterator, Mapping

#: Endings that turn a word into a wish (warmer), a noun (warmth, brightness) or an adverb.
ENDINGS = ("ness", "est", "er", "th", "ish", "ly", "ing", "ed", "ity", "es", "s", "y")
#: Nouns that change their stem.
IRREGULAR = {"depth": "deep", "clarity": "clear", "strength": "strong", "heat": "hot"}
VOWELS = "aeiou"
#: How alike two spellings are at least (difflib's ratio).
CUTOFF = 0.7


def normalise_word(text: str) -> str:
    """Return a word in lower case, Unicode NFC, with single spaces.

    >>> normalise_word("  Bass   BOOST ")
    'bass boost'
    """
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def without_accents(text: str) -> str:
    """Return `text` without accents.

    >>> without_accents("cálido")
    'calido'
    """
    split = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def base_forms(word: str) -> Iterator[str]:
    """Yield what an inflected word may come from, likeliest first; none need exist.

    >>> list(base_forms("fatter"))[:2]
    ['fatt', 'fat']
    """
    if word in IRREGULAR:
        yield IRREGULAR[word]
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        yield stem
        if stem[-1] == stem[-2] and stem[-1] not in VOWELS:
            yield stem[:-1]
        if stem.endswith("i"):
            yield stem[:-1] + "y"
        yield stem + "e"
        yield stem + "y"
    yield word + "y"
    if word.endswith(("a", "as", "os")):
        yield word.rstrip("s")[:-1] + "o"


def suggest(name: str, people: Mapping[str, int], count: int = 4) -> tuple[str, ...]:
    """Return the known words nearest to an unknown one.

    Parameters
    ----------
    name : str
        What was asked for.
    people : Mapping of str to int
        Known words, with how many people taught each: the better known come first among equals.
    count : int
        How many at most.

    Returns
    -------
    tuple of str
        Inflections first, then the words that a longer name is made of, then similar spellings.
    """
    # Only a misspelt word needs it, and `semeq words` counts every millisecond of its start.
    from difflib import SequenceMatcher

    name = normalise_word(name)
    plain = without_accents(name)
    by_plain: dict[str, list[str]] = {}
    for known in sorted(people, key=lambda w: (-people[w], w)):
        by_plain.setdefault(without_accents(known), []).append(known)
    found: dict[str, None] = {}
    parts = plain.replace("-", " ").split() if " " in plain or "-" in plain else []
    for form in (plain, *base_forms(plain), *parts):
        found.update(dict.fromkeys(by_plain.get(form, ())))
    matcher = SequenceMatcher(b=plain, autojunk=False)
    alike = []
    for rank, known in enumerate(by_plain):
        matcher.set_seq1(known)
        if matcher.real_quick_ratio() >= CUTOFF and matcher.quick_ratio() >= CUTOFF:
            alike.append((-matcher.ratio(), rank, known))
    for ratio, _, known in sorted(alike):
        if -ratio >= CUTOFF:
            found.update(dict.fromkeys(by_plain[known]))
    return tuple(found)[:count]
