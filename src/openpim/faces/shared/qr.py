"""A text as a QR code, drawn into the page: no image is fetched, no style is set, so the strictest
Content-Security-Policy lets it through, and the text (a seed, say) goes nowhere else.
"""

from __future__ import annotations

from markupsafe import Markup


def qr(text: str, label: str) -> Markup:
    """An <svg> of class "qr", dark on white in either colour scheme, as scanners need it. label: what a screen
    reader says; its text form must stand beside it."""
    import segno  # noqa: PLC0415 - a start does not wait for it

    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    head = Markup('<svg role="img" aria-label="{}" ').format(label)
    # What segno draws is numbers and colours alone: nothing of the text is in it.
    return head + Markup(drawn.removeprefix("<svg "))  # noqa: S704
