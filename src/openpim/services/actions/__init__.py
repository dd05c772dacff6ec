"""The nine actions, by what they do. Each works inside a unit of work opened by services/submit.py, with the
principal locked and everything the ask names known to exist."""
