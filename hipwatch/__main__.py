"""`hipwatch` and `python -m hipwatch`: run a command; what the user can mend becomes one sentence on stderr."""

import sys

import typer

from hipwatch.cli import app
from schemas.errors import HipwatchError


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 an error or a check that failed, 2 wrong usage, 130 interrupted."""
    try:
        app()
    except HipwatchError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
