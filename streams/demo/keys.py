"""What the demo's processes and the sandboxes agree on. It opens nothing but them, on this machine, while they run.

Kept apart from both, so that whoever needs an address or a key does not load a stand-in with all it is made of.
"""

STORE = "abc123"
MESSENGER_ACCOUNT = "main"
DOMAIN = "retail"
TEMPLATE = "6f1c2a34-0000-4000-8000-00000000demo"
USER = "tidings-demo"
KEY = "for-sandboxes-only"
