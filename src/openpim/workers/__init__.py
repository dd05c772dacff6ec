"""Loops that wake up and call one act each; they take no input."""
