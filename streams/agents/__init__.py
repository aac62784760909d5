"""One thin module per stage, under the stage's name: decode, call the core or a connector, send what came of it."""
