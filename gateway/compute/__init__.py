"""What needs only bytes and keys, and may therefore be done in a process beside this one.

An exchange verifies three signatures, makes two and reads one table. None of that needs the state
of the gateway, and a Python process computes on one core only: `apart` hands it to a second
process, `here` does it in this one, and both call the same functions (docs/adr/0014).
"""
