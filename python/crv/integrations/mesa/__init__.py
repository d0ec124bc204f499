"""Mesa's data collector, over a run of crv: what a model reports is on disk, step by step, and not in memory.

    from crv.integrations.mesa import CrvCollector

    self.datacollector = CrvCollector(dataset, model_reporters={"Gini": gini}, agent_reporters={"Wealth": "wealth"})

Needs Mesa 3. Nothing else of crv imports this package.
"""

from crv.integrations.mesa._collector import CrvCollector

__all__ = ["CrvCollector"]
