"""`python -m kithara_file.cli`: the command where no script is installed."""

from kithara_file.cli import main

if __name__ == "__main__":
    main()
