"""A vendor of ours that lies, stalls and breaks on purpose, in three wire formats, and the catalogue of how it does so.

`wires` says an answer as a vendor would, `faults` spoils it on the way to the socket, `server` listens and keeps the
vendor's own log, `catalogue` is the table of cases with what is right, `witness` judges what a caller got.
"""
