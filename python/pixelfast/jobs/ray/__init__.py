"""Scoring on a Ray cluster: what `pixelfast.ray` does. Only `cluster` imports Ray, when a run begins."""
