"""What should be flying, and make it so: look, decide, act."""
