"""Where do resources live, who uses them, and who must go."""
