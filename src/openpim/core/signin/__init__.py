"""The rules of signing in: pure functions and frozen values; the clock, chance and cryptography are passed in."""
