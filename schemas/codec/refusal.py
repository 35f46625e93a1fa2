"""What is a sound event, and yet not taken. Core."""

from schemas.codec.reasons import DecodeError, Reason
from schemas.events import Event
from schemas.simulated import is_simulated


def refuse_simulated(event: Event) -> None:
    """Raise DecodeError if the simulator made the event: a made-up month must not be counted among real ones unasked."""
    if is_simulated(event.series):
        raise DecodeError(Reason.SIMULATED, "the simulator made it; workers take that with --accept-simulated")
