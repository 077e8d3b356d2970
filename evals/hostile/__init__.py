"""Attacks on a whole Accord whose model is the attacker's: what was done, and who or what had allowed it."""
