"""The rules as a table for people: what `docs/findings.md` shows. Core; as a program it prints the table."""

from monitor.judgement.rules import RULES


def rules_table() -> str:
    """One line for each rule, worst first, in Markdown."""
    lines = ["| | rule | 规则 | what | fires when | needs | severity |", "|---|---|---|---|---|---|---|"]
    for number, rule in enumerate(RULES, 1):
        severity = f"{rule.severity} (on trial)" if rule.on_trial else rule.severity
        cells = (str(number), f"`{rule.name}`", rule.title.zh, rule.title.en, rule.fires, rule.needs, severity)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rules_table(), end="")
