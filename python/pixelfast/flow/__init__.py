"""Optical flow: an ingredient that methods may use."""
