"""How is this a file: `io`'s protocols over a source of bytes, and the one background thread."""
