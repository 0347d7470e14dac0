"""Open a URL as a file: read it while it downloads, seek at once, keep what landed."""
