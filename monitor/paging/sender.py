"""Tell the targets: plan what is new, write it to the outbox, send what waits there. Shell.

Each target is served by itself, so that one that is away keeps nobody waiting. While a target has an unsent message
nothing more is planned for it: what happens meanwhile becomes one message when it is back.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from monitor.ledger.database import Engine
from monitor.ledger.outbox import ClaimedMessage, Outbox
from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import Answer, Request, Verdict
from monitor.paging.message import Message, Now
from monitor.paging.own_incidents import close_own, open_own
from monitor.paging.planning import UNREACHABLE, Planner
from monitor.paging.target import Target
from monitor.paging.transport import send
from schemas.errors import HipwatchError
from schemas.visible import one_line

log = logging.getLogger(__name__)
LEASE: Final = timedelta(minutes=2)
"""How long a message is ours to send: longer than any answer may take. After a crash it is sent again then."""
UNREACHABLE_AFTER: Final = timedelta(minutes=5)
"""A target that fails for so long is an incident of its own, told to the others."""
MESSAGE_REFUSED: Final = "MessageRefused"
_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=5)


class Sender:
    """Serves targets. `me` names this process among those that serve the same ledger."""

    def __init__(
        self,
        engine: Engine,
        planner: Planner,
        me: str,
        *,
        send: Callable[[Request, Target], Answer] = send,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._outbox = Outbox(engine)
        self._planner = planner
        self._me = me
        self._send = send
        self._clock = clock
        self._stopping = threading.Event()
        self._failing: dict[str, str] = {}
        self._known_well: set[str] = set()

    def stop(self) -> None:
        """Begin nothing new; a message that is on its way is finished."""
        self._stopping.set()

    def serve(self, target: Target) -> None:
        """Send what waits for a target, plan what is new, and send that. What cannot be done now is done the next time."""
        try:
            self._deliver(target)
            if self._planner.plan(target, per_minute(target), self._clock()):
                self._deliver(target)
        except HipwatchError as error:
            log.error("target %s: %s", target.name, error)

    def leave(self, target: Target) -> None:
        """It is told nothing more: that it cannot be reached troubles nobody any longer. Raises LedgerUnavailable."""
        self._failing.pop(target.name, None)
        self._known_well.discard(target.name)
        now = self._clock()
        self._outbox.note_problem(target.name, "", now)
        close_own(self._engine, UNREACHABLE, now, part=target.name)

    def _deliver(self, target: Target) -> None:
        while not self._stopping.is_set():
            now = self._clock()
            if self._outbox.read_target(target.name, now).sent_lately >= per_minute(target):
                return
            claimed = self._outbox.claim(target.name, self._me, now, LEASE)
            if claimed is None:
                return
            answer = self._try(target, claimed)
            self._settle(target, claimed, answer)
            if answer.verdict is not Verdict.DELIVERED:
                return
            self._stopping.wait(1 / CHANNELS[target.kind].per_second)

    def _try(self, target: Target, claimed: ClaimedMessage) -> Answer:
        try:
            message = Message.model_validate_json(claimed.body)
            said = {"number": claimed.number, "repeated": claimed.repeated, "created_at": claimed.created_at}
            now = Now(self._clock(), self._outbox.platform_time())
            request = CHANNELS[target.kind].render(message.model_copy(update=said), target, now)
        except HipwatchError:
            raise
        except Exception as error:
            log.exception("message %d for target %s cannot be made", claimed.number, target.name)
            return Answer(Verdict.REFUSED, f"{type(error).__name__}: {error}")
        return self._send(request, target)

    def _settle(self, target: Target, claimed: ClaimedMessage, answer: Answer) -> None:
        now = self._clock()
        reason = one_line(answer.reason)[:500]
        if answer.verdict is Verdict.DELIVERED:
            self._outbox.settle(claimed.number, self._me, "sent", now, reason)
            if reason:
                log.error("target %s, message %d: %s", target.name, claimed.number, reason)
            self._well(target, now)
        elif answer.verdict is Verdict.REFUSED:
            log.error("target %s refuses message %d for good: %s", target.name, claimed.number, reason)
            self._outbox.settle(claimed.number, self._me, "given_up", now, reason)
            open_own(self._engine, MESSAGE_REFUSED, *_refused(target, claimed.number, reason), now, part=target.name)
        else:
            doubtful_at = now if answer.doubtful or claimed.repeated else None
            until = now + wait_before(claimed.attempts, answer)
            self._outbox.put_off(claimed.number, self._me, until, reason, doubtful_at=doubtful_at)
            self._ill(target, reason, now)

    def _ill(self, target: Target, reason: str, now: datetime) -> None:
        if self._failing.get(target.name) != reason:
            log.error("target %s: %s", target.name, reason)
        self._failing[target.name] = reason
        since = self._outbox.note_problem(target.name, reason, now)
        if since is not None and now - since >= UNREACHABLE_AFTER:
            minutes = int((now - since).total_seconds() // 60)
            open_own(self._engine, UNREACHABLE, *_unreachable(target, minutes, reason), now, part=target.name)

    def _well(self, target: Target, now: datetime) -> None:
        if self._failing.pop(target.name, None) is not None or target.name not in self._known_well:
            self._outbox.note_problem(target.name, "", now)
            close_own(self._engine, UNREACHABLE, now, part=target.name)
            self._known_well.add(target.name)


def per_minute(target: Target) -> int:
    """How many messages the target takes in a minute."""
    return target.per_minute or CHANNELS[target.kind].per_minute


def wait_before(attempts: int, answer: Answer) -> timedelta:
    """How long to wait after so many attempts: what the target says, else doubling; slowly where a person has to mend it."""
    if answer.wait is not None:
        return answer.wait
    if answer.verdict is Verdict.BROKEN:
        return _LONGEST_WAIT
    doubled = _FIRST_WAIT * float(2 ** min(attempts - 1, 10))
    return min(doubled, _LONGEST_WAIT)


def _unreachable(target: Target, minutes: int, reason: str) -> tuple[str, str]:
    return (
        f"The target {target.name} has not taken a message for {minutes} minutes: {reason}",
        f"通知目标 {target.name} 已 {minutes} 分钟无法送达：{reason}",
    )


def _refused(target: Target, number: int, reason: str) -> tuple[str, str]:
    return (
        f"The target {target.name} refuses message {number}: {reason}",
        f"通知目标 {target.name} 拒收第 {number} 号消息：{reason}",
    )
