"""Whether an Ogg Vorbis file's setup header is one: the decoder takes it on trust.

The third packet of a stream describes its codebooks, floors, residues, mappings and modes. libvorbis, as it
is built into Pedalboard, goes on with codebooks that it could not make, and divides by their dimensions,
which are 0: the process dies. So the header is walked through here first, by the rules of the specification.

References
----------
Xiph.org, "Vorbis I specification", sections 3.2.1 and 4.2.4; RFC 3533 (Ogg).
"""

from typing import BinaryIO

_MOST_BYTES = 1 << 20
_MOST_PAGES = 20_000
_CODEBOOK = 0x564342


class _Bits:
    """Numbers of any width, from the low bit of each byte on."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, width: int) -> int:
        first = self._at >> 3
        if self._at + width > 8 * len(self._data):
            raise ValueError("a setup header that ends early")
        window = int.from_bytes(self._data[first : first + 6], "little")
        value = window >> (self._at & 7) & ((1 << width) - 1)
        self._at += width
        return value

    def skip(self, width: int) -> None:
        self._at += width
        if self._at > 8 * len(self._data):
            raise ValueError("a setup header that ends early")


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


def setup_packet(file: BinaryIO) -> bytes:
    """Return the third packet of an Ogg stream; what is there of it, if it ends early."""
    file.seek(0)
    packet, number = bytearray(), 0
    for _ in range(_MOST_PAGES):
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        for length in file.read(head[26]):
            if number == 2:
                packet += file.read(length)
            else:
                file.seek(length, 1)
            if length < 255:
                number += 1
        if number > 2 or len(packet) > _MOST_BYTES:
            break
    return bytes(packet)


def check_setup(packet: bytes, channels: int) -> None:
    """Let a setup header pass that follows the specification.

    Raises
    ------
    ValueError
        If it does not; the message says what is wrong with it.
    """
    _need(packet[:7] == b"\x05vorbis" and len(packet) <= _MOST_BYTES, "no setup header")
    bits = _Bits(packet[7:])
    # dimensions of each book
    books = [_codebook(bits) for _ in range(bits.read(8) + 1)]
    for _ in range(bits.read(6) + 1):
        _need(bits.read(16) == 0, "a time domain transform")
    floors = bits.read(6) + 1
    for _ in range(floors):
        _floor(bits, books)
    residues = bits.read(6) + 1
    for _ in range(residues):
        _residue(bits, books)
    mappings = bits.read(6) + 1
    for _ in range(mappings):
        _mapping(bits, channels, floors, residues)
    for _ in range(bits.read(6) + 1):
        bits.skip(1)
        _need(bits.read(16) == 0 and bits.read(16) == 0, "a mode of another kind")
        _need(bits.read(8) < mappings, "a mode without its mapping")
    _need(bits.read(1) == 1, "no end")


def _codebook(bits: _Bits) -> int:
    _need(bits.read(24) == _CODEBOOK, "no codebook where one should be")
    dimensions, entries = bits.read(16), bits.read(24)
    _need(dimensions > 0 and entries > 0, "an empty codebook")
    _need(dimensions.bit_length() + entries.bit_length() <= 24, "a codebook that is too large")
    _check_tree(_lengths(bits, entries))
    kind = bits.read(4)
    _need(kind <= 2, "a codebook of another kind")
    if kind:
        bits.skip(64)
        width = bits.read(4) + 1
        bits.skip(1)
        count = _side(entries, dimensions) if kind == 1 else entries * dimensions
        _need(count > 0, "an empty codebook")
        bits.skip(width * count)
    return dimensions


def _lengths(bits: _Bits, entries: int) -> list[int]:
    """Return the lengths of the code words that are used."""
    if bits.read(1):
        lengths: list[int] = []
        length = bits.read(5) + 1
        while len(lengths) < entries:
            count = bits.read((entries - len(lengths)).bit_length())
            _need(
                len(lengths) + count <= entries and length <= 32, "a codebook with too many words"
            )
            lengths += [length] * count
            length += 1
        return lengths
    if bits.read(1):
        return [bits.read(5) + 1 for _ in range(entries) if bits.read(1)]
    return [bits.read(5) + 1 for _ in range(entries)]


def _check_tree(lengths: list[int]) -> None:
    """Let words pass that fill their tree: of another the decoder makes no book, and goes on without."""
    if len(lengths) == 1:
        _need(lengths[0] == 1, "a codebook with a broken tree")
    elif lengths:
        _need(sum(1 << (32 - one) for one in lengths) == 1 << 32, "a codebook with a broken tree")


def _side(entries: int, dimensions: int) -> int:
    """Return the largest whole number whose power of `dimensions` is at most `entries`."""
    side = int(entries ** (1.0 / dimensions))
    while (side + 1) ** dimensions <= entries:
        side += 1
    while side**dimensions > entries:
        side -= 1
    return side


def _book(number: int, books: list[int]) -> int:
    _need(number < len(books), "a codebook that is not there")
    return books[number]


def _floor(bits: _Bits, books: list[int]) -> None:
    kind = bits.read(16)
    _need(kind <= 1, "a floor of another kind")
    if kind == 0:
        order, rate, map_size = bits.read(8), bits.read(16), bits.read(16)
        _need(order > 0 and rate > 0 and map_size > 0, "an empty floor")
        _need(bits.read(6) > 0, "an empty floor")
        bits.skip(8)
        for _ in range(bits.read(4) + 1):
            _book(bits.read(8), books)
        return
    classes = [bits.read(4) for _ in range(bits.read(5))]
    dimensions = []
    for _ in range(max(classes, default=-1) + 1):
        dimensions.append(bits.read(3) + 1)
        subclasses = bits.read(2)
        if subclasses:
            _book(bits.read(8), books)
        for _sub in range(1 << subclasses):
            number = bits.read(8)
            if number:
                _book(number - 1, books)
    bits.skip(2)
    width = bits.read(4)
    places = [bits.read(width) for one in classes for _ in range(dimensions[one])]
    _need(len(places) <= 63, "a floor with too many points")
    _need(len({*places, 0, 1 << width}) == len(places) + 2, "a floor with a point twice")


def _residue(bits: _Bits, books: list[int]) -> None:
    _need(bits.read(16) <= 2, "a residue of another kind")
    begin, end = bits.read(24), bits.read(24)
    _need(begin <= end, "a residue that ends before it begins")
    bits.skip(24)
    classes, book = bits.read(6) + 1, bits.read(8)
    _book(book, books)
    cascades = []
    for _ in range(classes):
        low = bits.read(3)
        cascades.append(low | (bits.read(5) << 3 if bits.read(1) else 0))
    for cascade in cascades:
        for _ in range(cascade.bit_count()):
            _book(bits.read(8), books)


def _mapping(bits: _Bits, channels: int, floors: int, residues: int) -> None:
    _need(bits.read(16) == 0, "a mapping of another kind")
    submaps = bits.read(4) + 1 if bits.read(1) else 1
    if bits.read(1):
        width = (channels - 1).bit_length()
        for _ in range(bits.read(8) + 1):
            one, other = bits.read(width), bits.read(width)
            _need(one != other and max(one, other) < channels, "a channel paired with none")
    _need(bits.read(2) == 0, "a mapping of another kind")
    if submaps > 1:
        for _ in range(channels):
            _need(bits.read(4) < submaps, "a channel without its mapping")
    for _ in range(submaps):
        bits.skip(8)
        _need(bits.read(8) < floors and bits.read(8) < residues, "a mapping without its floor")
