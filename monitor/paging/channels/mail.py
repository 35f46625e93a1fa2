"""Electronic mail: plain text, made by the standard library. Core; SMTP itself is the transport's.

The Message-ID stays the same when a message is sent again, so that mailboxes can drop the second one.
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from monitor.paging.channels.channel import DELIVERED, Answer, MailRequest
from monitor.paging.channels.layout import rest
from monitor.paging.message import Message, MessageKind, Now, Severity
from monitor.paging.target import Target
from monitor.paging.wording import Wording, word
from schemas.errors import HipwatchError

_MAX_SUBJECT: Final = 200
"""Characters."""


class MailChannel:
    """One mail for all recipients of the target."""

    per_minute = 30
    per_second = 2

    def render(self, message: Message, target: Target, now: Now) -> MailRequest:
        """The mail, with every line: there is no limit worth the name."""
        if target.mail is None:
            raise HipwatchError(f"the target {target.name} has no mail settings")
        wording = word(message, target.language, target.page_url, now)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = target.mail.sender
        mail["To"] = [_address(one) for one in target.mail.to]
        mail["Subject"] = wording.title[:_MAX_SUBJECT]
        mail["Date"] = now.wall
        domain = target.mail.sender.rpartition("@")[2].strip("> ") or "hipwatch"
        mail["Message-ID"] = f"<hipwatch.{message.number}.{message.created_at.timestamp():.3f}.{target.name}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers
        if message.severity is Severity.PAGE and message.kind is not MessageKind.RECOVERED:
            mail["Importance"] = "high"
        mail.set_content(_text(wording), cte="base64")
        return MailRequest(mail)

    def read_answer(self, status: int, body: bytes) -> Answer:
        """Mail has no HTTP answer; what the transport sends is delivered."""
        return DELIVERED


def _address(text: str) -> Address:
    return Address(addr_spec=text)


def _text(wording: Wording) -> str:
    blocks = [wording.facts, tuple(f"· {item}" for item in (*wording.items, *rest(wording, len(wording.items)))), wording.tail]
    blocks.append(tuple(f"{link.text}: {link.url}" for link in wording.links))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
