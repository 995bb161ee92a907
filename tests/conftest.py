"""Settings for every test.

Hypothesis: no deadline for one example, because a machine that is busy with something
else is no defect. The profile ``ci`` tries the same examples each time, so that
a change is judged by what it changes; without it every run looks for new ones.
"""

import os

from hypothesis import HealthCheck, settings

from hub.files import raise_file_limit

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
# A thousand connections, both ends in one process.
raise_file_limit()

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
