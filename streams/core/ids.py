"""Every id is derived, never drawn: whoever computes it again gets the same one, so a repeat collapses by itself.

Subjects are 16 hex digits, everything else 32, all cut from SHA-256 over the JSON of the parts; JSON keeps ("a",
"bc") and ("ab", "c") apart.
"""

from hashlib import sha256

import orjson

from schemas.models import Channel


def digest(*parts: str, length: int = 32) -> str:
    """The id of `parts`: `length` hex digits."""
    return sha256(orjson.dumps(parts)).hexdigest()[:length]


def sha256_hex(content: bytes) -> str:
    """The full hash that proves content later."""
    return sha256(content).hexdigest()


def subject_id(tenant: str, brand: str, identity: str) -> str:
    """The person or account `identity` (a normalised address) names within a brand."""
    return digest(tenant, brand, identity, length=16)


# Six parts are what one business effect is made of (design, key terms).
def communication_id(tenant: str, brand: str, kind: str, business_key: str, subject: str, step: str = "1") -> str:
    """One business effect for one recipient; `step` tells the parts of a sequence apart."""
    return digest(tenant, brand, kind, business_key, subject, step)


def document_id(communication: str, template: str, data_hash: str) -> str:
    """What is composed for a communication, once."""
    return digest(communication, template, data_hash)


def delivery_id(communication: str, channel: Channel, rung: int) -> str:
    """One hand-over on one channel; also the idempotency key towards the provider."""
    return digest(communication, channel.value, str(rung))


def decision_id(communication: str, record: str, outcome: str, reason: str | None) -> str:
    """What one inbox record decided about one communication."""
    return digest(communication, record, outcome, reason or "")


def feedback_id(delivery: str, state: str, fingerprint: str = "") -> str:
    """One fact about a delivery; `fingerprint` only where the same state can be a new fact (an opt-out)."""
    return digest(delivery, state, fingerprint)


def timer_id(about: str, purpose: str, due_ms: int) -> str:
    """One alarm: the same alarm set twice is one."""
    return digest(about, purpose, str(due_ms))


def provider_ref(subject: str, delivery: str) -> str:
    """The reference a provider echoes; it starts with the subject so that receipts carry their Kafka key."""
    return f"{subject}.{delivery}"


def parse_provider_ref(ref: str) -> tuple[str, str] | None:
    """(subject, delivery_id), or None when the reference is not ours."""
    subject, dot, delivery = ref.partition(".")
    if dot and len(subject) == 16 and len(delivery) == 32:
        return subject, delivery
    return None
