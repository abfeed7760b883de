"""From the departments' spellings to one spelling, and from bytes to bounded trees.

Knows no department, no effect and no network.
INVARIANT: what is read here was bounded before it was parsed, and nothing is read two ways.
"""
