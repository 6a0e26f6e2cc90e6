"""What tests stand on beside the test kit."""
