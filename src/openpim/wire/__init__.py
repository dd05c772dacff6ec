"""The words on the wire: names, enumerations, durations, ids and queries as Graph and its clients spell them.

This room imports nothing of ours and, on import, nothing but the standard library: the server's
faces, the SDK and the `pim` command all stand on it, and the command must start fast.  Modules that
the command imports keep to light parts of the standard library (no `dataclasses`, no `uuid`).
"""
