"""Any interleaving of functions, clocks, deaths and a table that fails keeps what the breaker promises."""

from hypothesis import HealthCheck, settings

from .breaker_machine import BreakerMachine

TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=150, stateful_step_count=40, suppress_health_check=list(HealthCheck))
