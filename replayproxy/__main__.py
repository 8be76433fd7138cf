"""`python -m replayproxy` is the console script."""

from replayproxy.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
