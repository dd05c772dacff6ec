"""The dialects OpenPIM speaks, one package each; none imports another."""
