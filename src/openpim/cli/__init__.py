"""The pim command line; the hot path uses the standard library only."""
