"""How random tests are run: CRV_TEST_SEED repeats a run, CRV_HYPOTHESIS_SCALE multiplies the number of examples."""

import os
import secrets

import hypothesis

SEED = int(os.environ.get("CRV_TEST_SEED") or secrets.randbits(32))
SCALE = float(os.environ.get("CRV_HYPOTHESIS_SCALE") or 1)


def settings(examples, **more):
    return hypothesis.settings(
        max_examples=max(1, round(examples * SCALE)), deadline=None, database=None, print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck), **more)


def examples(number):
    """A decorator for a test of hypothesis.given."""
    return lambda test: hypothesis.seed(SEED)(settings(number)(test))
