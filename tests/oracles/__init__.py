"""The source method written the plain way: what the product's numbers and speed are compared with.

Nothing here imports pixelfast. `networks` are the source's modules under its own state-dict names, `flip_training`
is its classifier's training, `plain_loop` its scoring (every window opens, decodes and resizes its 16 files),
`fair_loop` the same with each frame decoded once, and `global_pass` its normalisation, smoothing and ranks.
"""
