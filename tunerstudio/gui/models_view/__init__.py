"""What the Models page shows once there is a completed trial."""
