"""How log lines look: level, format, what the Kafka client may say. Shell."""

import logging

import typer


def log_level_named(name: str) -> int:
    """The level of a name; typer.BadParameter otherwise."""
    number = logging.getLevelNamesMapping().get(name.upper())
    if number is None:
        raise typer.BadParameter(f"'{name}' is not debug, info, warning or error", param_hint="--log-level")
    return number


def set_up_log(level: int) -> None:
    """Begin to log."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("alembic", "apscheduler", "kafka"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    if level > logging.DEBUG:  # a job that still runs when its turn comes again is meant to be passed over
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    for telling in ("httpx", "httpcore"):  # they log each URL, and a robot's URL is its key
        logging.getLogger(telling).setLevel(logging.WARNING)
    if level > logging.DEBUG:
        for handler in logging.getLogger().handlers:
            handler.addFilter(_without_kafkas_tracebacks)


def _without_kafkas_tracebacks(record: logging.LogRecord) -> bool:
    """The client logs a broken connection, which it mends, with its traceback: one line tells the night shift more."""
    if record.name.startswith("kafka.") and record.exc_info:
        record.msg, record.args = f"{record.getMessage()} ({record.exc_info[1]})", ()
        record.exc_info = None
    return True
