"""`python -m socratic` is the command `socratic`."""

from socratic.cli import main

if __name__ == "__main__":
    main()
