"""`hipwatch` and `python -m hipwatch`: run a command; what the user can mend becomes one sentence on stderr."""

import sys

from hipwatch.interrupt import dying_quietly
from schemas.errors import HipwatchError


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 an error or a check that failed, 2 wrong usage, 130 interrupted."""
    with dying_quietly():
        from hipwatch.cli.main import app
    try:
        app()
    except HipwatchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
