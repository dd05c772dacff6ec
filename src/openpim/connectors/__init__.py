"""Target systems in which privileges take effect, one per file or folder."""
