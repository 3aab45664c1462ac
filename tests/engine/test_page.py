"""The page is whole, fits a phone and is safe to open."""

import re
from html.parser import HTMLParser

from semeq.engine.page import figure, page, player, table, text

NASTY = '<b onclick="x">& warm'
VOID = {"meta", "br", "img", "path", "rect", "wbr"}


class Checker(HTMLParser):
    """Raises when tags are not closed in order; gathers text and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def check(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


def test_the_page_is_whole() -> None:
    html = page(
        "Title",
        [
            ("One", text("words")),
            ("Two", table(["a", "b"], [["1", "2"]]) + player("Before", "mix.wav")),
        ],
        lead="Lead.",
    )
    found = check(html)
    assert {"Title", "One", "Two", "words", "Lead.", "Before"} <= set(found.words)
    assert found.sources == ["mix.wav"]
    assert 'name="viewport"' in html
    assert "prefers-color-scheme:dark" in html
    assert not re.search(r"https?:", html)


def test_every_text_is_escaped() -> None:
    html = page(
        NASTY, [(NASTY, text(NASTY) + table([NASTY], [[NASTY]]) + player(NASTY, NASTY))], lead=NASTY
    )
    assert "<b " not in html
    assert check(html).words.count(NASTY) == 8


def test_a_figure_is_drawn_for_screen_and_phone() -> None:
    html = figure(lambda width: f"<svg data-width='{width}'></svg>")
    assert (
        html.index('class="wide"')
        < html.index("760")
        < html.index('class="narrow"')
        < html.index("360")
    )
