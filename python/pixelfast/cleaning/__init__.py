"""Frames readable and upright before any method sees them."""
