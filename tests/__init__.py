"""The tests of kithara-file: one folder per kind, `world` for what they are run against."""
