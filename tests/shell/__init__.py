"""Tests of what a user's shell sees: completion, man pages, packages, pictures."""
