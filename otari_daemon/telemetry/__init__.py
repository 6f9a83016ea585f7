"""What the daemon says about itself: live activity, logs, metrics."""
