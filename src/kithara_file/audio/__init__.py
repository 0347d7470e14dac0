"""How do bytes become sound: a decoder ahead of its listener, a player, and the sinks that it plays into."""
