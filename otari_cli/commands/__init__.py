"""One module for each noun of `otari`; each has a Typer `app`."""
