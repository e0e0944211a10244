"""`python -m losslab` is the `losslab` command."""

from losslab.cli import main

main()
