"""Run it: `python -m bench [PART …]`, all parts without any; `page` writes the documents' page from what was found.

Exit 0 only if every result that has to be exact is.
"""

import argparse
import sys
from collections.abc import Sequence

from bench import results
from bench.page import write_page
from bench.parts import PARTS
from bench.stage import Sizes, Stage

_PAGE = "page"


def main() -> int:
    options = _options()
    wanted: Sequence[str] = options.parts or [*PARTS, _PAGE]
    sizes = Sizes(options.events, options.rounds, options.seconds)
    exact = True
    with Stage(options.broker) as stage:
        for name in (name for name in wanted if name != _PAGE):
            print(f"{name}: on the {options.broker} broker", flush=True)
            rows = PARTS[name].measure(stage, sizes)
            exact = exact and all(row.get("exact", True) for row in rows)
            path = results.write(name, options.broker, sizes, rows)
            print("\n".join([*PARTS[name].lines(rows), f"kept in {path}"]), flush=True)
    if _PAGE in wanted:
        print("\n".join(f"written: {path}" for path in write_page()))
    return 0 if exact else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join([*PARTS, _PAGE])} (default: all)")
    parser.add_argument("--events", type=int, default=1_000_000, help="and one in a hundred twice (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="everybody so often, in turn (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase that is live (default: %(default)s)")
    parser.add_argument("--broker", choices=["embedded", "kafka"], default="embedded", help="Tansu in memory, or Apache Kafka")
    options = parser.parse_args()
    if unknown := set(options.parts) - {*PARTS, _PAGE}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
