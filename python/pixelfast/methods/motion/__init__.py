"""The motion method: optical flow, and the error of predicting it."""
