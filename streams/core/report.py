"""Which platforms hear about an outcome: every real one goes to the platform that holds the order or customer.

A fact never goes back to where it came from, and an outcome nobody knows yet is not reported at all.
"""

from dataclasses import dataclass

from schemas.models import DeliveryState, Feedback

UNREAL = frozenset({DeliveryState.UNKNOWN, DeliveryState.PARKED})


@dataclass(frozen=True, slots=True)
class WriteBackIntent:
    """Hand `feedback` to the connector named `platform`, for its `account`."""

    platform: str
    account: str
    feedback: Feedback


def commands(feedback: Feedback) -> tuple[WriteBackIntent, ...]:
    """The write-backs that follow from one feedback."""
    about = feedback.about
    if feedback.state in UNREAL or not about.platform or feedback.provider == about.platform:
        return ()
    return (WriteBackIntent(about.platform, about.account, feedback),)
