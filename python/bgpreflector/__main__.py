"""``python -m bgpreflector``."""

from bgpreflector.cli import main

main()
