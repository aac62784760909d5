"""One line per thing that happened, for people who watch: what it is about, what became of it, never an address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from schemas.models import (
    About,
    Cart,
    Channel,
    Consent,
    DeadLetter,
    Decision,
    DeliveryState,
    Document,
    Feedback,
    Order,
    Outcome,
    Shipment,
    WriteBackResult,
)
from streams.topics import STAGES, Stage

Tone = Literal["plain", "good", "quiet", "warn", "bad"]

CHANNELS = {Channel.EMAIL: "e-mail", Channel.SMS: "SMS", Channel.PRINT: "letter", Channel.PORTAL: "portal"}
_GOOD = {DeliveryState.DELIVERED, DeliveryState.OPENED}
_WARN = {DeliveryState.DEFERRED, DeliveryState.BOUNCED_SOFT, DeliveryState.UNSUBSCRIBED, DeliveryState.PARKED}
_PLAIN = {DeliveryState.SUBMITTED, DeliveryState.SENT}
_NOUNS = {"order": "order", "invoice": "order", "shipment": "shipment", "cart": "cart"}
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Story:
    """`about` names the business object, `told` what happened to it."""

    at: datetime
    stage: Stage
    about: str
    told: str
    tone: Tone = "plain"

    def __str__(self) -> str:
        return f"{self.about} · {self.told}"


def tell(record: BaseModel, about: str | None = None) -> Story | None:
    """The story of one record, or None when it has none. `about` names the object where the record does not."""
    match record:
        case Order():
            return Story(record.source.collected_at, "collect", f"order {record.number}", words(record.status))
        case Shipment():
            carrier = f" with {record.carrier}" if record.carrier else ""
            return Story(record.source.collected_at, "collect", f"order {record.order_number}", f"parcel left{carrier}")
        case Cart():
            return Story(record.source.collected_at, "collect", named("cart", record.cart_ref), words(record.status))
        case Consent():
            told = f"{record.purpose} by {CHANNELS.get(record.channel, 'any channel')} {words(record.state)}"
            return Story(record.source.collected_at, "collect", "consent", told)
        case Decision():
            return _decided(record)
        case Document():
            told = f"{record.type} · composed {record.mime_type.rpartition('/')[2]} ({record.locale})"
            return Story(record.composed_at, "compose", label(record.about), told)
        case Feedback():
            return _became(record)
        case WriteBackResult():
            tone: Tone = "good" if record.outcome == "written" else "quiet"
            return Story(record.at, "report", about or record.platform, f"{record.target} {record.outcome}", tone)
        case DeadLetter():
            stage: Stage = next((known for known in STAGES if known == record.stage), "collect")
            return Story(record.failed_at, stage, "dead letter", f"{record.stage} · {record.reason}", "bad")
        case _:
            return None


def label(about: About) -> str:
    """The business object as people call it."""
    if about.order_number:
        return f"order {about.order_number}"
    if about.order_ref:
        return named("order", about.order_ref)
    return named("cart", about.cart_ref) if about.cart_ref else "customer"


def named(noun: str, ref: str) -> str:
    """A platform-scoped reference, cut to what people recognise; one that holds an address is left out."""
    tail = ref.rpartition(":")[2]
    return noun if "@" in ref or not tail else f"{noun} {tail[:_SHORT]}"


def words(symbol: str) -> str:
    """An enumeration symbol as words: BOUNCED_HARD reads bounced hard."""
    return symbol.lower().replace("_", " ")


def channel_words(channel: str) -> str:
    """A channel symbol as people write it."""
    return next((word for known, word in CHANNELS.items() if known == channel), channel.lower())


def _decided(decision: Decision) -> Story:
    told: str
    tone: Tone
    match decision.outcome:
        case Outcome.SEND:
            told, tone = f"send by {', then '.join(map(channel_words, decision.channels))}", "plain"
        case Outcome.HOLD:
            told, tone = f"held: {decision.reason}", "quiet"
        case Outcome.SUPPRESS:
            # A repeat that changed nothing is the normal case with webhooks.
            repeat = decision.reason in {"duplicate_event", "duplicate_effect"}
            told, tone = f"suppressed: {decision.reason}", "quiet" if repeat else "warn"
        case Outcome.SUPERSEDE:
            told, tone = f"superseded: {decision.reason}", "warn"
        case Outcome.UNKNOWN:
            told, tone = "decided in a way this version does not know", "bad"
    about = named(_NOUNS.get(decision.type.partition("_")[0], "case"), decision.business_key)
    return Story(decision.decided_at, "decide", about, f"{decision.type} · {told}", tone)


def _became(feedback: Feedback) -> Story:
    where = CHANNELS.get(feedback.channel, "unknown channel")
    if feedback.state is DeliveryState.SUBMITTED:
        told = f"→ {where}" + (f" (fallback {feedback.rung})" if feedback.rung else "")
    elif feedback.state is DeliveryState.SUPPRESSED:
        told = f"suppressed: {feedback.reason}"
    else:
        told = f"{words(feedback.state)} by {where}" + (f": {feedback.reason}" if feedback.reason else "")
    stage: Stage = "notify" if handed_over(feedback.state) else "track"
    return Story(feedback.recorded_at, stage, label(feedback.about), f"{feedback.type} · {told}", _tone(feedback.state))


def handed_over(state: DeliveryState) -> bool:
    """Whether notify says so itself, rather than track on the provider's word."""
    return state in {DeliveryState.SUBMITTED, DeliveryState.SUPPRESSED}


def _tone(state: DeliveryState) -> Tone:
    if state in _GOOD:
        return "good"
    if state in _PLAIN:
        return "plain"
    return "warn" if state in _WARN or state is DeliveryState.SUPPRESSED else "bad"
