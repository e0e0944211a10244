"""`python -m losslab` is the `losslab` command."""

from losslab.cli import main

if __name__ == "__main__":
    main()
