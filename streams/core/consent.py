"""Whether a person allowed something, answered the same way when deciding and again right before each hand-over.

The latest explicit decision by its own time wins and a tie is a withdrawal; purpose "all" speaks for every purpose.
What is not known to be granted is not granted.
"""

from collections.abc import Iterable

from schemas.models import Channel, ConsentState, Permission, Permissions

ALL = "all"
MARKETING = "marketing"


def newer(known: Permission | None, new: Permission) -> Permission:
    """Which of two decisions about the same channel and purpose holds."""
    if known is None or new.decided_at > known.decided_at:
        return new
    if new.decided_at == known.decided_at and new.state is not ConsentState.GRANTED:
        return new
    return known


def refusal(entries: Iterable[Permission], channel: Channel, purpose: str | None) -> str | None:
    """None when `purpose` is granted on `channel`, else the reason code."""
    held: Permission | None = None
    for entry in entries:
        # A withdrawal for a channel this version cannot name may be meant for any.
        everywhere = entry.channel is Channel.UNKNOWN and entry.state is not ConsentState.GRANTED
        if entry.purpose in {purpose, ALL} and (entry.channel is channel or everywhere):
            held = newer(held, entry)
    if purpose is None or held is None:
        return "consent_absent"
    return None if held.state is ConsentState.GRANTED else "consent_withdrawn"


def marketing_block(channel: str) -> str:
    """How a channel that is blocked for marketing only is written in `Permissions.blocked`."""
    return f"{channel}:{MARKETING}"


def hand_over_refusal(
    permissions: Permissions | None, message_class: str, purpose: str | None, channel: Channel
) -> str | None:
    """None when a delivery may leave now, else the reason code. Marketing fails closed when nothing is known."""
    marketing = message_class == MARKETING
    if permissions is None:
        return "consent_absent" if marketing else None
    if channel.value in permissions.blocked:
        return "channel_blocked"
    if not marketing:
        return None
    if marketing_block(channel.value) in permissions.blocked:
        return "channel_blocked"
    return refusal(permissions.entries, channel, purpose)
