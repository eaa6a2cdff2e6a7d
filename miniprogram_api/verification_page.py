"""What every page behind a QR code on paper is made of: a verdict in big words, facts, and small print.

Plain HTML without a script, for whatever browser a scanner opens.
"""

import html
from collections.abc import Iterable

from aiohttp import web

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_STYLE = """
body{margin:0;background:#f4f5f7;color:#1a1a1a;font:17px/1.7 -apple-system,"PingFang SC","Noto Sans SC",sans-serif}
main{max-width:34em;margin:0 auto;padding:16px}
.verdict{border-radius:14px;padding:20px;color:#fff;margin:8px 0 16px}
.verdict h1{font-size:26px;line-height:1.35;margin:0 0 6px}.verdict p{margin:0;font-size:18px}
.good{background:#176b3a}.old{background:#8a4b00}.bad{background:#a3261c}
dl,.text{background:#fff;border-radius:14px;margin:0 0 16px;padding:8px 18px}
dl div{display:flex;padding:9px 0;border-bottom:1px solid #eceef1}dl div:last-child{border:0}
dt{flex:0 0 5em;color:#5a6068}dd{margin:0;flex:1;overflow-wrap:anywhere}
.text{padding:14px 18px}.text h2{font-size:17px;margin:0 0 6px;color:#5a6068;font-weight:400}
.text p{margin:0;font-size:19px;white-space:pre-line;overflow-wrap:anywhere}
.advice{margin:0 4px 14px;font-size:18px}
footer{color:#5a6068;font-size:15px;padding:0 4px 24px}
"""


def verdict(kind: str, headline: str, advice: str) -> str:
    """Give the verdict; `kind` is good, old or bad."""
    return f'<div class="verdict {kind}"><h1>{headline}</h1><p>{advice}</p></div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Give names and values; the values are anybody's words."""
    shown = "".join(f"<div><dt>{name}</dt><dd>{html.escape(value)}</dd></div>" for name, value in rows)
    return f"<dl>{shown}</dl>"


def section(heading: str, text: str) -> str:
    """Give a text under a heading; line breaks stay."""
    return f'<div class="text"><h2>{heading}</h2><p>{html.escape(text)}</p></div>'


def advice(words: str) -> str:
    """Give what the reader should do."""
    return f'<p class="advice">{words}</p>'


def footer(words: str) -> str:
    """Give the small print."""
    return f"<footer>{html.escape(words)}</footer>"


def page(status: int, title: str, body: str, more: dict[str, str] | None = None) -> web.Response:
    """Give the whole answer."""
    text = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS | (more or {}))
