"""What runs an engine file, whatever it computes."""
