"""Makes real systems agree with the store: what they should have, what they have, what is done about it, and the proof."""
