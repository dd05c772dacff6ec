"""How often the server looks for garbage. Its own file, so that the floors of the benchmarks run under the same settings."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Python's default, a look after every 700 new objects, goes through each long list dozens of times while it is
    made, and through all the modules, which stay anyhow. Requests leave hardly any cycles behind. Pages with 500
    eligibilities cost a sixth less."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
