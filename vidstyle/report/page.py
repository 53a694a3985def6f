"""The page: facts become HTML in which every word is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from vidstyle.report.curves import MOST_POINTS, Line, drawn
from vidstyle.report.facts import Facts
from vidstyle.report.table import HEADER, csv_address, csv_text, rows
from vidstyle.report.words import clock, figures, lead
from vidstyle.version import __version__

# Says in a file's first bytes that it is a report of ours, whoever's release wrote it.
MARK = "vidstyle report"
MOST_ROWS = 1000
_MOST_CHIPS = 300
_HERE = Path(__file__).parent


def page_text(facts: Facts) -> str:
    """Returns the page; the same facts give the same text.

    Raises:
        ReportError: Matplotlib is not installed.
    """
    return Template(_part("page.html")).substitute(
        mark=MARK,
        title=escape(Path(facts.render_record.manifest.output).name),
        version=escape(__version__),
        lead=escape(lead(facts)),
        style=_part("page.css"),
        script=_part("page.js"),
        styles=_styles(facts),
        comparison=_comparison(facts),
        figures=_figures(facts),
        curves=_curves(facts),
        cuts=_cuts(facts),
        notes=_notes(facts),
        settings=_settings(facts),
        versions=_versions(facts),
        numbers=_numbers(facts),
    )


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8").strip()


def _webp(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _list(kind: str, items: Iterable[str]) -> str:
    return f'<ul class="{kind}">\n' + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"


def _styles(facts: Facts) -> str:
    items = []
    for name, picture in facts.styles:
        image = "" if picture is None else f'<img src="{_webp(picture)}" alt="Style">'
        items.append(f"{image}<span>{escape(name)}</span>")
    more = len(facts.render_record.styles) - len(facts.styles)
    return _list("styles", [*items, *([f"and {more} more"] if more else [])]) if items else ""


def _comparison(facts: Facts) -> str:
    """Returns the slider and the contact sheet, whose pictures it shows; without scripts the sheet alone is seen."""
    if not facts.pairs:
        return ""
    alone = any(pair.before is None for pair in facts.pairs)
    first, is_still = facts.render_record.manifest.info.range_start, facts.count == 1
    items = []
    for pair in facts.pairs:
        name = "Painted" if is_still else f"Frame {first + pair.position:,}"
        words = [name] if is_still else [name, clock(pair.time_s)]
        label = " ".join(f"<span>{word}</span>" for word in words)
        before = "" if pair.before is None else f' data-before="{_webp(pair.before)}"'
        image = f'<img src="{_webp(pair.after)}" width="{pair.width}" height="{pair.height}" alt="{name}, painted">'
        items.append(f'<button type="button" aria-pressed="false"{before}>{image}{label}</button>')
    shape = facts.pairs[0].width / facts.pairs[0].height
    return f"""<section id="pictures">
<div class="compare{" alone" if alone else ""}" style="--shape: {shape:.5g}" hidden>
<img class="after" alt=""><img class="before" alt="The same frame of the input">
<div class="bar"></div><span class="tag left">before</span><span class="tag right">after</span>
<input type="range" min="0" max="100" step="0.1" value="50" aria-label="How much of the input is seen, from the left">
</div>
<p class="caption" hidden></p>
{_list("sheet", items)}
</section>"""


def _figures(facts: Facts) -> str:
    tiles = []
    for name, value, remark in figures(facts):
        small = f"<small>{escape(remark)}</small>" if remark else ""
        tiles.append(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{small}</dd></div>")
    return '<dl class="figures">\n' + "\n".join(tiles) + "\n</dl>"


def _curves(facts: Facts) -> str:
    if facts.count == 1:
        return ""
    columns = facts.columns
    wanted = (
        ("loss", "Loss", "what was minimized, at the picture that was kept", [Line(columns["loss"])]),
        ("seconds", "Seconds a frame", "time spent on painting it", [Line(columns["seconds"])]),
        ("evaluations", "Evaluations", "of the objective and its gradient", [Line(columns["evaluations"])]),
        (
            "stability",
            "Warping error",
            "from frame to frame, along the motion; levels of 255",
            [Line(columns["warp_error"], "painted"), Line(columns["source_warp_error"], "input")],
        ),
    )
    shown = []
    for salt, name, remark, lines in wanted:
        if any(np.isfinite(line.values).any() for line in lines):
            svg = drawn(lines, facts.cuts, facts.render_record.manifest.info.range_start, salt)
            caption = f"<figcaption>{name}<small>{remark}</small></figcaption>"
            shown.append(f'<figure role="img" aria-label="{name}, frame by frame">{caption}{svg}</figure>')
    if not shown:
        return ""
    key = ' <span class="key"></span> marks a cut.' if facts.cuts else ""
    is_dense = facts.count > MOST_POINTS
    parts = "Where frames are many, the line is their mean, and the band holds all of them." if is_dense else ""
    remark = f'<p class="soft">{parts}{key}</p>' if parts or key else ""
    body = f'<div class="curves">\n{"".join(shown)}\n</div>{remark}'
    return f'<section id="curves">\n<h2>Frame by frame</h2>\n{body}</section>'


def _cuts(facts: Facts) -> str:
    if not facts.cuts:
        return ""
    first = facts.render_record.manifest.info.range_start
    chips = [f"{first + cut:,} <small>({clock(float(facts.times_s[cut]))})</small>" for cut in facts.cuts]
    chips, more = chips[:_MOST_CHIPS], len(chips) - _MOST_CHIPS
    rest = f'<p class="soft">and {more:,} more: see the shots in the numbers below.</p>' if more > 0 else ""
    remark = "Frames with which a shot begins; paint starts afresh there, and steadiness is not compared across."
    return f'<section id="cuts">\n<h2>Cuts</h2>\n<p class="soft">{remark}</p>\n{_list("chips", chips)}{rest}</section>'


def _notes(facts: Facts) -> str:
    notes = [*facts.render_record.notes, *facts.missing]
    items = _list("notes", [escape(note) for note in notes])
    return f'<section id="notes">\n<h2>Notes</h2>\n{items}\n</section>' if notes else ""


def _settings(facts: Facts) -> str:
    def block(text: str) -> str:
        copy = '<button type="button" class="copy" hidden>Copy</button>'
        return f'<div class="scroll">{copy}<pre>{escape(text.strip())}</pre></div>'

    return f"""<section id="settings">
<h2>Settings</h2>
<p class="soft">The command that paints the same:</p>
{block(facts.render_record.command)}
<details><summary>All settings as TOML, for <code>--config</code></summary>
{block(facts.render_record.config)}
</details>
</section>"""


def _versions(facts: Facts) -> str:
    manifest = facts.render_record.manifest
    place = manifest.identity.place
    shot_stylizer = f"{place.get('device', '')} in {place.get('precision', '')}, {manifest.threads} threads"
    lines = [("painted on", escape(shot_stylizer))]
    lines += [(escape(name), escape(version)) for name, version in manifest.versions.items()]
    for what, (name, digest) in manifest.identity.files.items():
        short = f'<span class="digest">SHA-256 {escape(digest)}</span>' if digest else ""
        lines.append((escape(what), f"{escape(name)}<br>{short}"))
    return f'<section id="versions">\n<h2>Versions and files</h2>\n{_table(lines)}\n</section>'


def _table(lines: Sequence[tuple[str, str]]) -> str:
    body = "\n".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in lines)
    return f'<div class="scroll"><table>\n{body}\n</table></div>'


def _numbers(facts: Facts) -> str:
    address, suffix = csv_address(csv_text(facts))
    name = escape(f"{Path(facts.render_record.manifest.output).stem}{suffix}")
    head = "".join(f"<th>{column}</th>" for column in HEADER)
    body = "\n".join(f"<tr>{''.join(f'<td>{word}</td>' for word in row)}</tr>" for row in rows(facts, MOST_ROWS))
    most = f"the first {MOST_ROWS:,} of {facts.count:,} frames" if facts.count > MOST_ROWS else "a row a frame"
    return f"""<section id="numbers">
<h2>Numbers</h2>
<p><a download="{name}" href="{address}">{name}</a> <span class="soft">holds everything of every frame. Errors and
flicker are in levels of 255; empty means not known, or nothing to measure.</span></p>
<details><summary>Table, {most}</summary>
<div class="scroll"><table class="rows"><thead><tr>{head}</tr></thead><tbody>
{body}
</tbody></table></div>
</details>
</section>"""
