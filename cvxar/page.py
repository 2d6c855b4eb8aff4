"""The frame of a page of HTML: one file, no script, light and dark, from a phone to a wide screen."""

from html import escape
from string import Template

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --soft: #59636e; --line: #d1d9e0;
  --wash: #f5f7f9; --c0: #0072b2; --c1: #c24f00; --c2: #007a59; --c3: #b25488; --c4: #a87400; --c5: #2f8fc4;
  --c6: #7a7a7a; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --text: #e6e9ed; --soft: #9aa4b0;
  --line: #353c45; --wash: #1d2127; --c0: #55aef0; --c1: #ff8f45; --c2: #35c99a; --c3: #e59bc4; --c4: #f0b93a;
  --c5: #86cdf7; --c6: #a0a0a0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem clamp(0.75rem, 3vw, 2rem) 3rem; max-width: 72rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.6rem; padding-top: 0.6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 0.4rem; }
ul { padding-left: 1.2rem; margin: 0.5rem 0; }
.lead { background: var(--wash); border-radius: 0.5rem; padding: 0.8rem 1rem 0.8rem 2rem; }
.scroll { overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; margin: 0.4rem 0; font-size: 0.875rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
.word { text-align: left; }
.number { text-align: right; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
figure { margin: 0.6rem 0 0; max-width: 40rem; }
figcaption { color: var(--soft); font-size: 0.85rem; }
svg { display: block; width: 100%; height: auto; color: var(--text); fill: currentColor; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
svg text { fill: currentColor; font-family: system-ui, sans-serif !important; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
"""

PAGE = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
$body
</body>
</html>
"""
)


def page(title: str, body: str) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML.

    Examples
    --------
    >>> page("a < b", "<p>c</p>").splitlines()[5]
    '<title>a &lt; b</title>'
    """
    return PAGE.substitute(title=escape(title), style=STYLE, body=body)
