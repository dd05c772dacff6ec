"""Shared signals: the event streams of receivers, what is told on them, and how it gets there."""
