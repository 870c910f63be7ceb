"""Simulations that hold intervals and tests to what they promise; see docs/calibration.md."""
