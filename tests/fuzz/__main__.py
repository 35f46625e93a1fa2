"""Run it: `python -m tests.fuzz --runs 1000000`. Exit 0 only if every input was an event or was refused as documented.

An input that breaks the decoder is kept in the working folder as a file `fuzz-…`; `--input FILE` tries it again.
"""

import argparse
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.judge import judge
from tests.fuzz.messages import corpus, topic_and_message


def main() -> int:
    options = _options()
    if options.input:
        topic, message = topic_and_message(options.input.read_bytes())
        print(f"{topic}: {judge(topic, message)}")
        return 0
    print(f"seed {options.seed}, {options.runs} inputs", flush=True)
    with tempfile.TemporaryDirectory(prefix="hipwatch-fuzz-") as folder:
        for number, data in enumerate(corpus()):
            (Path(folder) / f"{number:03d}").write_bytes(data)
        command = [sys.executable, "-m", "tests.fuzz.fuzzer", str(options.runs), str(options.seed), folder]
        run = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        if run.returncode:
            print(run.stderr, file=sys.stderr)  # libFuzzer's own notes; of use only after a crash
        return run.returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1 + secrets.randbelow(1_000_000), help="of the inputs (default: any)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="judge one input only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
