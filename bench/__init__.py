"""Measured side by side: each row alternates us and what a user would pick instead, on one machine in one run."""
