"""Flags of `break-even` that work, to be added to and written otherwise."""

from tests.traces import SMALL

SILYBENCH = (
    "--replica-hourly-usd=2.69",
    "--tokens-per-second=5629.363",
    "--hosted-usd-per-mtok=0.20",
)
FULLY_USED = (*SILYBENCH, "--utilization=1")
ON_A_TRACE = (*SILYBENCH[:2], "--hosted-usd-per-mtok=2", f"--load-trace={SMALL}")
AUTOSCALED = (*ON_A_TRACE, "--autoscaled", "--lead-minutes=10", "--hold-minutes=60")
