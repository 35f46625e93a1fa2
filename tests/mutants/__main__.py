"""Run it: `python -m tests.mutants --only monitor/counting/fold.py`. Exit 0 only if every surviving mutant is explained.

A mutant is the code with one small change in it. It survives when neither mypy nor a test notices. Then a test is missing,
or the change makes no difference: `survivors.toml` says of each that stays why it may.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.mutants.modules import MODULES, tests_of
from tests.mutants.run import Mutants, NotTried, run
from tests.mutants.survivors import Explained, load, unexplained, unused

FILE = Path(__file__).with_name("survivors.toml")


def main() -> int:
    options = _options()
    chosen = [module for module in MODULES if not options.only or any(name in module for name in options.only)]
    if not chosen:
        sys.exit(f"no module is named so; there are: {', '.join(MODULES)}")
    explained = load(FILE)
    print(f"{len(chosen)} modules", flush=True)
    left = [module for module in chosen if not _holds(module, explained, options.processes)]
    print(f"every survivor is explained in {len(chosen) - len(left)} of {len(chosen)} modules", flush=True)
    for module in left:
        print(f"  not in {module}")
    return int(bool(left))


def _holds(module: str, explained: Explained, processes: int) -> bool:
    begun = time.monotonic()
    try:
        found = run(module, tests_of(module), processes)
    except NotTried as error:
        print(f"{module}: no mutant could be tried\n{error}", flush=True)
        return False
    open_ones = unexplained(module, found, explained)
    print(f"{module}: {_in_words(found)}, {len(open_ones)} of them unexplained ({time.monotonic() - begun:.0f} s)", flush=True)
    for survivor in open_ones:
        print(f"\n[[survivor]]\n{survivor.as_toml()}", flush=True)
    for entry in unused(module, found, explained):
        print(f"  explained, and did not survive: {entry.function}: {entry.now!r}")
    return not open_ones


def _in_words(found: Mutants) -> str:
    return (
        f"{found.total} mutants, {found.by_tests} killed by tests, {found.by_types} by types, "
        f"{found.by_time} by their time limit, {len(found.survivors)} survive"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="PART", help="modules whose path holds one of these (default: all)")
    parser.add_argument("--processes", type=int, default=2, help="mutants that are tried at the same time (default: 2)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
