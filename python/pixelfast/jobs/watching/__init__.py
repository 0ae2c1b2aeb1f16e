"""What becomes of a camera's results: events, clips, commands, a page."""
