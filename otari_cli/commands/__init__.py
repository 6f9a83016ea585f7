"""One module for each noun of `otari`; each has a Typer `app`.

A shell imports these to complete a word, within 20 ms of CPU: the protocol and the client are imported by the
functions that use them.
"""
