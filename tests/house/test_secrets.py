"""Nothing in the tree is secret, personal or bound to one machine.

Covered, in every text file that is or would be committed: shapes of keys and tokens (private keys, cloud, forge, chat
and payment keys, signed web tokens), long random values assigned to names that say secret, paths of one person's
machine, e-mail addresses outside example domains, and web addresses outside the lists below. Not covered: binary files,
and secrets that look like words.
"""

import math
import re

from tests.house.tree import files, text

NOT_OURS = {"uv.lock", "LICENSE"}
TEXTS = [name for name in files() if name not in NOT_OURS and text(name) is not None]

KEYS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{50,})\b",
    "GitLab token": r"\bglpat-[0-9A-Za-z_-]{20}\b",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}\b",
    "payment key": r"\b[rs]k_live_[0-9A-Za-z]{20,}\b",
    "PyPI token": r"\bpypi-[0-9A-Za-z_-]{50,}\b",
    "web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
}
MACHINE = re.compile(r"(?<![\w.$}/])/(?:root|work|home/\w+|Users/\w+|private/tmp|tmp)/|[A-Z]:\\\\?Users\\")
ASSIGNED = re.compile(
    r"""(?:secret|token|password|api_?key|private_?key)\w*["']?\s*[:=]\s*["']?([A-Za-z0-9+/_=-]{24,})""", re.IGNORECASE
)
MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
HOST = re.compile(r"https?://(?:[^\s/@'\"`{}<>]*@)?(\[[0-9a-f:]+\]|[\w.-]+)", re.IGNORECASE)

EXAMPLES = re.compile(r"(?:.*\.)?(?:example|test|invalid|localhost|example\.(?:com|org|net|test))")
LOCAL = {"localhost", "127.0.0.1", "[::1]", "kafka", "registry", "prometheus", "ingress", "sandbox", "host"}
VENDORS: set[str] = {
    "api.bigcommerce.com",
    "developer.bigcommerce.com",
    "login.bigcommerce.com",
}
"""Where customers' systems really are: defaults of settings, and what their answers point to."""
REFERENCES: set[str] = {
    "json-schema.org",
    "maven.apache.org",
    "keepachangelog.com",
    "semver.org",
    "www.apache.org",
    "www.w3.org",
}
"""Standards and documentation that people may look up; nothing is fetched from there."""


def content(name: str) -> str:
    """A file's text."""
    return text(name) or ""


def random_looking(value: str) -> bool:
    """More than four bits per character: too even for words, too long for an example."""
    counts = [value.count(character) / len(value) for character in set(value)]
    return -sum(share * math.log2(share) for share in counts) > 4.0


def test_no_file_holds_a_key() -> None:
    """Nothing has the shape of a key that opens something."""
    found = [f"{name}: {kind}" for name in TEXTS for kind, shape in KEYS.items() if re.search(shape, content(name))]
    for name in TEXTS:
        found += [f"{name}: {value}" for value in ASSIGNED.findall(content(name)) if random_looking(value)]
    assert found == []


def test_no_file_knows_a_machine() -> None:
    """A clone works wherever it lies, and tells nobody where it was made."""
    found = [f"{name}: {line}" for name in TEXTS for line in content(name).splitlines() if MACHINE.search(line)]
    assert found == []


def test_addresses_of_people_are_examples() -> None:
    """No mail can reach anybody by accident."""
    found = {(name, domain.lower()) for name in TEXTS for domain in MAIL.findall(content(name))}
    assert {(name, domain) for name, domain in found if not EXAMPLES.fullmatch(domain)} == set()


def test_web_addresses_are_known() -> None:
    """Each host that is named is an example, a vendor or a reference, and is listed here with its reason."""
    known = LOCAL | VENDORS | REFERENCES
    found = {(name, host.lower().rstrip(".")) for name in TEXTS for host in HOST.findall(content(name))}
    assert {(name, host) for name, host in found if host not in known and not EXAMPLES.fullmatch(host)} == set()
