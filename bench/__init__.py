"""Measures and comparisons with programs that are not ours."""
