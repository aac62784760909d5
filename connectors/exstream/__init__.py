"""OpenText Exstream (cloud-native): composes documents on demand over REST."""

from connectors.contract import Connector
from connectors.exstream.compose import open_client
from connectors.exstream.sandbox import app
from connectors.exstream.settings import Settings

CONNECTOR = Connector(name="exstream", roles=frozenset({"compose"}), settings=Settings, open=open_client, sandbox=app)
