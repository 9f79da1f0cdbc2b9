"""Oracles: each finds the cases of one kind from its definition alone."""
