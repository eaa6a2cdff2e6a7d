"""Growth: what a turn costs on a database of 1 000 and of 200 000 stored consultations.

python -m benchmarks.growth [--small 1000] [--large 200000] [--seconds 15] [--json]
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from backend import migrations
from benchmarks.fill import fill
from benchmarks.product import running_product
from benchmarks.turns import Crowd, Load, measure
from qiaoyi.house import open_house
from qiaoyi.settings import load

_PEOPLE = 48


async def cost(consultations: int, seconds: float) -> Load:
    """Give what a turn costs on a database of so many consultations."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with open_house(load(data=data)) as house:
            await migrations.upgrade(house.settings.database)
            await fill(house.database, consultations)
        async with running_product(data) as product:
            crowd = Crowd(product, _PEOPLE)
            await crowd.greet()
            await measure(crowd, min(seconds, 5))  # warm
            return await measure(crowd, seconds, rate=40)


async def run(small: int, large: int, seconds: float) -> dict[str, object]:
    """Measure both, and their ratio."""
    first, second = await cost(small, seconds), await cost(large, seconds)
    return {
        "small": {"consultations": small, "core_ms": first.core_ms, "p50_ms": first.p50_ms},
        "large": {"consultations": large, "core_ms": second.core_ms, "p50_ms": second.p50_ms},
        "ratio": {
            "core_ms": round(second.core_ms / first.core_ms, 2),
            "p50_ms": round(second.p50_ms / first.p50_ms, 2),
        },
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.small, options.large, options.seconds))
    if options.json:
        print(json.dumps(result))
        return
    for name, values in result.items():
        print(f"{name:6}", values)


if __name__ == "__main__":
    main()
