"""The simulator: a printed month becomes the events that units would have sent. Core: no clock, no network, no files.

`make_plan` decides what every unit sends and when, `events` writes it out, `inject` adds what goes wrong on the way.
"""

from ingest.simulator.events import events
from ingest.simulator.faults import FaultCounts, Faults, FaultyStream, inject
from ingest.simulator.message import Message
from ingest.simulator.plan import Plan, make_plan

__all__ = ["FaultCounts", "Faults", "FaultyStream", "Message", "Plan", "events", "inject", "make_plan"]
