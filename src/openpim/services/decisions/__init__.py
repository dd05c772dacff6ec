"""Decisions, asked of memory: who holds what now, in an index that follows the store.

reading.py takes the facts from the store, index.py answers from them, following.py keeps them up to date, asking.py and
searching.py put questions of applications to them.
"""
