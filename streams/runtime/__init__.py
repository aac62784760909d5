"""What every process has at its edge, whatever its stages: settings, logs, metrics, health and a small web server."""
