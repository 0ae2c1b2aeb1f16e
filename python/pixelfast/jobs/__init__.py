"""What pixelfast does, one file a verb."""
