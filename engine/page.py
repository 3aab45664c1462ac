"""One HTML page that needs nothing else: headings, tables, players and charts.

Every text is escaped; what `figure`, `table` and `player` return goes into `page` as it is.
"""

from collections.abc import Callable, Sequence
from html import escape

from semeq.engine.plots import NARROW, WIDE

_STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1f2933;--soft:#5b6670;--line:#e0e4e8}
@media (prefers-color-scheme:dark){:root{--bg:#0d1013;--card:#14181d;--ink:#e8ecf0;
--soft:#a4afb9;--line:#29313a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:860px;padding:24px 16px 48px;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.6rem;margin:0 0 4px}h2{font-size:1.15rem;margin:0 0 10px}
p{margin:0 0 12px;color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px;margin:18px 0}
svg{display:block;width:100%;height:auto}.narrow{display:none}
audio{display:block;width:100%;margin:2px 0 10px}label{font-size:.9rem;color:var(--soft)}
.scroll{overflow-x:auto;margin:12px 0 4px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
th{color:var(--soft);font-weight:600}tr:last-child td{border-bottom:0}
code{font-size:.92em}
@media (max-width:600px){section{padding:12px}th,td{padding:5px 6px}th,td:first-child{white-space:normal}
table{font-size:.82rem}.wide{display:none}.narrow{display:block}}
""".replace("\n", "")


def figure(draw: Callable[[int], str]) -> str:
    """Return a chart twice, for screens and for phones; `draw` gets the width in pixels."""
    return f'<div class="wide">{draw(WIDE)}</div><div class="narrow">{draw(NARROW)}</div>'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is left-aligned, the others hold figures.

    >>> "<td>&lt;warm&gt;</td>" in table(["word"], [["<warm>"]])
    True
    """
    # a long heading may break after a colon: that of a recipe does
    head = "".join(f"<th>{escape(cell).replace(':', ':<wbr>')}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def player(label: str, source: str) -> str:
    """Return an audio player for a file beside the page."""
    return (
        f"<label>{escape(label)}"
        f'<audio controls preload="none" src="{escape(source)}"></audio></label>'
    )


def text(words: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(words)}</p>"


def page(title: str, sections: Sequence[tuple[str, str]], *, lead: str = "") -> str:
    """Return the whole page.

    Parameters
    ----------
    title : str
        Title and first heading.
    sections : sequence of (str, str)
        Heading (plain text) and content (HTML of the functions above) of each card.
    lead : str
        One sentence under the title.
    """
    cards = "".join(f"<section><h2>{escape(head)}</h2>{body}</section>" for head, body in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{text(lead) if lead else ''}{cards}</body></html>\n"
    )
