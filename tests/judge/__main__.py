"""`python -m tests.judge`: a labelled city through the real fold and judge, and what came of it."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from monitor.judgement.hour_weights import LEAST_LIMIT
from tests.judge.baselines import fixed_period, static_day
from tests.judge.city import Days, Sender
from tests.judge.contents_judged import Contents
from tests.judge.curve import LIMITS, caption, curve, draw
from tests.judge.curve import table as curve_table
from tests.judge.history import History
from tests.judge.report import texts
from tests.judge.run import Alarm, Played, hear, play
from tests.judge.score import Score, score
from tests.judge.score_findings import FindingScore, score_findings, verdict_on_findings


def main() -> int:
    args = _options()
    began = time.process_time()
    history = History.make(args.seed, args.months, args.units)
    about = {"seed": args.seed, "months": args.months, "units": args.units, "first_day": history.days.first.isoformat()}
    if args.curve:
        points = curve(history, args.limits, lambda words: print(words, file=sys.stderr, flush=True))
        print(
            json.dumps({**about, "points": [asdict(point) for point in points]}, indent=1) if args.json else curve_table(points)
        )
        if args.write:
            _write(args.write, f"curve of seed {args.seed}", f"{caption(about)}\n\n{curve_table(points)}")
            draw(points, args.write.with_name(f"{args.write.stem}-curve.svg"))
        return 0
    judges: dict[str, Callable[[], Played]] = {
        "hipwatch": lambda: play(history, hear(history), args.limit),
        "never": Played,
        "always": lambda: _always(len(history.senders), history.days),
    }
    played = judges[args.judge]()
    scores = [
        score(args.judge, played, history),
        score("fixed period + 3 h", fixed_period(history), history),
        score("static 24 h", static_day(history), history),
    ]
    about_contents = None if args.silences else _judge_contents(args.judge, history, played)
    found = {
        **about,
        "events": sum(len(sender.arrive) for sender in history.senders),
        "cpu_seconds": round(time.process_time() - began, 1),
        "scores": [one.as_json() for one in scores],
        "failed": verdict(scores[0]),
    }
    if about_contents is not None:
        found["contents"] = about_contents.as_json()
        found["failed_contents"] = verdict_on_findings(about_contents)
    tables = texts(found)
    print(json.dumps(found, indent=1) if args.json else "\n\n".join(tables.values()))
    for part, table in tables.items() if args.write else ():
        _write(args.write, f"{part} of seed {args.seed}", table)
    if args.show:
        _show(scores[0], history.senders, played)
    if args.show and about_contents is not None:
        _show_findings(about_contents, history.senders)
    return 1 if found["failed"] or found.get("failed_contents") else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.judge", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--units", type=int, default=52)
    parser.add_argument("--limit", type=float, default=LEAST_LIMIT, help="surprise at which a feed is silent (%(default)s)")
    parser.add_argument("--judge", choices=["hipwatch", "never", "always"], default="hipwatch")
    parser.add_argument("--curve", action="store_true", help="the same history at several limits: false alarms against delay")
    parser.add_argument("--limits", type=float, nargs="+", default=LIMITS, help="those of the curve (%(default)s)")
    parser.add_argument(
        "--silences", action="store_true", help="silences and outages only, without the contents: a third of the time"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true", help="list false and missed alarms one by one")
    parser.add_argument("--write", type=Path, help="put the table into this file, in the place of that of the same seed")
    return parser.parse_args()


def _judge_contents(judge: str, history: History, played: Played) -> FindingScore:
    contents = Contents.make(history)
    return score_findings(contents.judge(judge, played), contents.labels, history.days)


def _always(rows: int, days: Days) -> Played:
    """A judge that calls everybody every day."""
    return Played(
        [Alarm(row, days.start + 24.0 * day, days.start + 24.0 * day + 1) for day in range(days.count) for row in range(rows)]
    )


def _write(path: Path, name: str, table: str) -> None:
    """Replace what stands between the two marks of that name, or append it."""
    first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    whole = path.read_text(encoding="utf-8") if path.exists() else ""
    before, _, rest = whole.partition(first)
    _, _, after = rest.partition(last)
    path.write_text(f"{before}{first}{table}\n{last}{after}", encoding="utf-8")


def verdict(found: Score) -> list[str]:
    """What is not as it has to be."""
    values = found.as_json()
    failures = []
    for feed, slack in (("realtime", 4.0), ("scheduled", 24.0)):
        line = values["kinds"].get(f"silence, {feed}", {})
        if line.get("missed"):
            failures.append(f"{line['missed']} {feed} silences missed")
        if line.get("delay_p95", 0.0) > slack:
            failures.append(f"p95 delay of {feed} silences {line['delay_p95']:.1f} h")
    if values["false_alarms_per_unit_month"] > 0.01:
        failures.append(f"{values['false_alarms_per_unit_month']:.4f} false alarms per unit-month")
    if values["false_alarms_per_unit_month_first_28_days"] > 0.1:
        failures.append(f"{values['false_alarms_per_unit_month_first_28_days']:.3f} false alarms per unit-month at first")
    for kind, line in values["kinds"].items():
        if "outage" in kind and (line["missed"] or line.get("incidents_most", 1) != 1 or line.get("incidents_least", 1) != 1):
            failures.append(
                f"{kind}: {line['missed']} missed, {line.get('incidents_least')}-{line.get('incidents_most')} incidents"
            )
    if values["false_outages"]:
        failures.append(f"{values['false_outages']} outages that were none")
    return failures


def _show(found: Score, senders: list[Sender], played: Played) -> None:
    for alarm in found.false_alarms:
        quiet, called = _when(alarm.last_upload), _when(alarm.called)
        print(f"false: row {alarm.row} {senders[alarm.row].kind} quiet since {quiet} called {called}")
    for fault, row, ideal in found.missed:
        print(f"missed: row {row} {senders[row].kind} {_when(fault.start)} to {_when(fault.end)} ideal {_when(ideal)}")
    for fault, row, late in found.slow:
        if late > (24 if row % 2 == 0 else 4):
            print(f"slow: row {row} {senders[row].kind} {_when(fault.start)} to {_when(fault.end)} by {late:.1f} h")
    for split in found.split:
        singles = "; ".join(f"row {a.row} {senders[a.row].kind} {_when(a.called)}" for a in split.singles)
        what = f"{split.fault.kind} of {len(split.fault.rows)} rows {_when(split.fault.start)} to {_when(split.fault.end)}"
        print(f"split: {what} ideal {_when(split.ideal)}: outages {split.numbers}, singles {singles or 'none'}")
    for outage in played.outages:
        end = "open" if outage.end is None else _when(outage.end)
        print(f"outage {outage.number}: {outage.scope} {_when(outage.start)} found {_when(outage.found)} over {end}")


def _show_findings(found: FindingScore, senders: list[Sender]) -> None:
    for kind in found.kinds:
        for word, faults in (("late", kind.late), ("missed", kind.missed)):
            for fault in faults:
                sender = senders[fault.row]
                print(f"{word}: {kind.kind} row {fault.row} {sender.kind} from {_when(fault.start)} due {_when(fault.due)}")
    for morning, finding in found.false:
        print(f"false: {finding.rule} {finding.unit_id} {finding.feed} {_when(morning)}: {finding.what.en}")
    for call in found.wrong_calls:
        print(f"wrong call: {call.rule} {call.unit_id} {_when(call.morning)}")


def _when(hours: float) -> str:
    if not np.isfinite(hours):
        return "never"
    return f"{date(1970, 1, 1) + timedelta(days=hours // 24):%a %Y-%m-%d} {hours % 24:04.1f}"


if __name__ == "__main__":
    sys.exit(main())
