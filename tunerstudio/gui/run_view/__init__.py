"""What the Run page shows once there is something to show."""
