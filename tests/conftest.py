"""How far the laws are searched: the same examples each time in CI, new ones on a desk."""

import os

from hypothesis import settings

# No deadline: a busy machine is no failure. Laws that need more examples say so.
settings.register_profile("desk", deadline=None, max_examples=60)
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
