"""How long a command takes that does next to nothing."""
import statistics

from setting import ROOT

TITLE = "Start"
RUNS = 20


def measured(setting):
    runs = [setting.run(setting.binary, "validate", "domains/ecommerce.yaml", folder=ROOT) for _ in range(RUNS)]
    wall, processor = sorted(run.seconds * 1000 for run in runs), [run.cpu * 1000 for run in runs]
    return [
        f"`streamplat validate domains/ecommerce.yaml`, {RUNS} runs: {statistics.median(wall):.0f} ms "
        f"({wall[0]:.0f}–{wall[-1]:.0f}), CPU {statistics.median(processor):.0f} ms. Target: 30 ms.",
    ]
