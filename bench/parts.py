"""The measurements, in the order in which they are taken and told."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bench import counting, growth, latency, live, scrape, simulator, start, workers
from bench.results import Rows
from bench.stage import Sizes, Stage


class Part(NamedTuple):
    """How it is taken, and how its rows look in Markdown, with what there is to know."""

    title: str
    note: str
    measure: Callable[[Stage, Sizes], Rows]
    lines: Callable[[Rows], list[str]]


PARTS: Final[Mapping[str, Part]] = {
    module.__name__.rpartition(".")[2]: Part(module.TITLE, module.NOTE, module.measure, module.lines)
    for module in (counting, growth, workers, live, latency, scrape, start, simulator)
}
