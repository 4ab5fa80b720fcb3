#!/usr/bin/env python3
"""Derives the catalogue's tables from the files they come from, and checks the hand-typed ones against them.

    scripts/catalogue.py DATA_DIR            write src/catalogue/data/*.csv
    scripts/catalogue.py DATA_DIR --check    write nothing; exit 1 if a committed table would change

DATA_DIR holds the source files named below; docs/catalogue.md says where each comes from and under which licence.
regions.csv, providers.csv and instances.csv are typed by hand: they are read here, never written. Python 3 standard
library only; the same files in give the same bytes out.
"""

import argparse
import csv
import io
import json
import math
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

TABLES = Path(__file__).resolve().parent.parent / "src" / "catalogue" / "data"

# Cloud Carbon Footprint publishes these for an AWS instance whose processor is not known.
AWS_AVERAGE_WATTS = (0.74, 3.5)
# Four times the watts of its neighbours on either side of it: not used until its source explains it.
SUSPECT_ARCHITECTURES = {"EPYC 5th Gen"}

GPU_MODELS = {
    "T4": "NVIDIA_T4",
    "L4": "NVIDIA_L4",
    "A10G": "NVIDIA_A10G",
    "V100": "NVIDIA_TESLA_V100",
    "P100": "NVIDIA_TESLA_P100",
    "K80": "NVIDIA_TESLA_K80",
    "M60": "NVIDIA_TESLA_M60",
    "L40S": "NVIDIA_L40S",
    "A100": "NVIDIA_A100",
    "H100": "NVIDIA_H100",
    "H200": "NVIDIA_H200",
    "B200": "NVIDIA_B200",
}

# List prices of one type per provider, USD per hour, Linux, on demand. The comparison they were read from gives the
# year 2026 and no day, so they are dated its first. AWS states three decimals; Google's were rounded to them.
AS_OF_LISTED = "2026-01-01"
AWS_M5_XLARGE = {
    "us-east-1": "0.192",
    "ca-central-1": "0.214",
    "eu-west-1": "0.214",
    "eu-west-2": "0.222",
    "eu-central-1": "0.23",
    "eu-west-3": "0.224",
    "eu-north-1": "0.204",
    "ap-northeast-1": "0.248",
    "ap-southeast-1": "0.24",
    "ap-south-1": "0.202",
    "af-south-1": "0.254",
}
# The price for "Stockholm / Finland" is europe-north1's: 8.91 times its E2 core price, as everywhere else (8.88 to
# 8.92). The one for Johannesburg is left out: at 7.50 times it disagrees with the other source.
GCP_N2_STANDARD_4 = {
    "us-east4": "0.219",
    "us-central1": "0.194",
    "northamerica-northeast1": "0.214",
    "europe-west2": "0.25",
    "europe-west3": "0.25",
    "europe-west1": "0.214",
    "europe-west4": "0.214",
    "europe-west9": "0.225",
    "europe-north1": "0.214",
    "asia-northeast1": "0.249",
    "asia-southeast1": "0.24",
    "asia-south1": "0.233",
}
N2_STANDARD_4_PER_E2_CORE = (8.85, 8.95)

AS_OF_AZURE = "2026-06-18"
AZURE_REFERENCE_SKU = "Standard_D4s_v5"
# A Windows licence multiplies a price by at least 1.3 (24 vCPUs beside an A100), usually by 1.7 to 2; prices of one
# SKU relative to D4s_v5 differ between regions by less than 1.23.
WINDOWS_FACTOR = 1.25

# The advisor's file names its month only.
AS_OF_SPOT = "2025-07-01"
SPOT_FAMILIES = {
    "m5": ("large", "xlarge", "2xlarge", "4xlarge"),
    "m6i": ("large", "xlarge", "2xlarge", "4xlarge"),
    "m7i": ("xlarge", "2xlarge", "4xlarge"),
    "m6g": ("large", "xlarge", "2xlarge", "4xlarge"),
    "c5": ("large", "xlarge", "2xlarge", "4xlarge"),
    "c6i": ("xlarge", "2xlarge", "4xlarge"),
    "r5": ("large", "xlarge", "2xlarge", "4xlarge"),
    "t3": ("medium", "large", "xlarge"),
    "g4dn": ("xlarge", "2xlarge", "12xlarge"),
    "g5": ("xlarge", "2xlarge", "12xlarge"),
    "p3": ("2xlarge", "8xlarge"),
    "p4d": ("24xlarge",),
    "p5": ("48xlarge",),
}

# Azure, by the sender's group: to the same group, to another one, to the internet.
AZURE_EGRESS = {
    "na": ("0.02", "0.05", "0.0875"),
    "eu": ("0.02", "0.05", "0.0875"),
    "asia": ("0.08", "0.08", "0.12"),
    "oceania": ("0.08", "0.08", "0.12"),
    "mea": ("0.08", "0.08", "0.12"),
    "sa": ("0.181", "0.16", "0.181"),
}
# Google, within a group; between groups 0.08, and 0.15 where Oceania or Jakarta is one of them. Asia to Jakarta is
# within a continent. No source gives its internet price, nor prices for the Middle East and Africa.
GCP_EGRESS_WITHIN = {"na": "0.02", "eu": "0.02", "asia": "0.05", "oceania": "0.08", "sa": "0.08"}
GCP_GROUPS = ("asia", "eu", "jakarta", "na", "oceania", "sa")

EARTH_RADIUS_KM = 6371.0088


class SourceError(Exception):
    """A source file, or a hand-typed table, is not what this script was written for."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, metavar="DATA_DIR")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a table would change")
    arguments = parser.parse_args()
    try:
        return run(arguments.data_dir, arguments.check)
    except (SourceError, OSError, KeyError, ValueError) as error:
        print(f"error: {error!r}", file=sys.stderr)
        return 1


def run(data, check):
    regions = {row["name"]: row for row in read_csv(TABLES / "regions.csv")}
    instances = {row["instance_type"]: row for row in read_csv(TABLES / "instances.csv")}
    check_zones(data, regions)
    check_pues(data, regions)
    check_shapes(data, instances)
    pairs = round_trips(data, regions)
    tables = {
        "cpu_power.csv": cpu_power(data),
        "gpu_power.csv": gpu_power(data),
        "prices_on_demand.csv": prices(data, regions),
        "spot_savings.csv": spot_savings(data, regions),
        "egress.csv": egress(data, regions),
        "round_trip.csv": as_csv(("from", "to", "ms", "source"), [(*pair, "gcp-rtt") for pair in pairs]),
        "climatology.csv": climatology(data),
    }
    report_fit(pairs, regions)
    changed = [name for name, text in tables.items() if not same(TABLES / name, text)]
    for name in changed:
        print(("differs: " if check else "wrote: ") + name)
        if not check:
            (TABLES / name).write_bytes(tables[name].encode())
    return 1 if check and changed else 0


# Hand-typed tables against their sources


def check_zones(data, regions):
    known = json.loads((data / "em_v3_sample_zones.json").read_text())
    for name, row in regions.items():
        if row["grid_zone"] not in known:
            raise SourceError(f"regions.csv: {name}: `{row['grid_zone']}` is no zone of Electricity Maps")


def check_pues(data, regions):
    """AWS: the most specific row that has a figure. Azure: the region's own row."""
    aws = [(row[-3], row[-2]) for row in csv.reader((data / "aws_pue_wue_2024.csv").open()) if row[-2]]
    azure = {row[-3]: row[-2] for row in csv.reader((data / "azure_pue_wue.csv").open()) if len(row) > 3}
    for name, row in regions.items():
        if row["provider"] == "aws":
            matching = [pue for pattern, pue in aws if pattern == name]
            matching += [pue for pattern, pue in aws if re.fullmatch(pattern, name)]
            expected = matching[0] if matching else ""
        elif row["provider"] == "azure":
            expected = azure[name]
        else:
            continue
        if row["pue"] != expected:
            raise SourceError(f"regions.csv: {name}: `pue` is `{row['pue']}`, its source says `{expected}`")


def check_shapes(data, instances):
    """AWS types: cores and memory as the advisor's feed states them, GPUs as the GPU list does."""
    shapes = json.loads((data / "aws_spot_advisor_2025-07.json").read_text())["instance_types"]
    gpus = json.loads((data / "gpu_idle_max_watts.json").read_text())["GPU_INSTANCES_TYPES"]
    for name, row in instances.items():
        if row["provider"] != "aws":
            continue
        gpu = gpus.get(name, {"quantity": 0, "type": None})
        expected = (shapes[name]["cores"], shapes[name]["ram_gb"], gpu["quantity"], gpu["type"])
        typed = (int(row["vcpus"]), float(row["memory_gib"]), int(row["gpus"]), GPU_MODELS.get(row["gpu_model"]))
        if typed != expected:
            raise SourceError(f"instances.csv: {name}: {typed}, its sources say {expected}")


# Derived tables


def cpu_power(data):
    rows = []
    everything = []
    for provider in ("aws", "gcp", "azure"):
        own = [
            (row["Architecture"], float(row["Min Watts"]), float(row["Max Watts"]))
            for row in read_csv(data / f"ccf_coefficients_{provider}_use.csv")
            if row["Architecture"] not in SUSPECT_ARCHITECTURES
        ]
        everything += own
        if provider == "aws":
            rows.append((provider, "average", *map(decimals, AWS_AVERAGE_WATTS), "ccf-average"))
        else:
            rows.append((provider, "average", *mean_watts(own), "mean-of-provider"))
        rows += [(provider, name, decimals(idle), decimals(most), "ccf-use") for name, idle, most in sorted(own)]
    rows.append(("on-prem", "average", *mean_watts(everything), "mean-of-all"))
    return as_csv(("provider", "architecture", "idle_w_per_vcpu", "max_w_per_vcpu", "source"), rows)


def mean_watts(rows):
    return tuple(decimals(math.fsum(row[column] for row in rows) / len(rows)) for column in (1, 2))


def gpu_power(data):
    info = json.loads((data / "gpu_idle_max_watts.json").read_text())["GPU_INFO"]
    rows = [
        (model, decimals(info[name]["min"]), decimals(info[name]["max"]), "spruce-gpu")
        for model, name in sorted(GPU_MODELS.items())
    ]
    return as_csv(("model", "idle_w", "max_w", "source"), rows)


def prices(data, regions):
    rows = [(name, "m5.xlarge", price, "0", AS_OF_LISTED, "price-comparison") for name, price in AWS_M5_XLARGE.items()]
    e2_core = json.loads((data / "gcp_region_e2core_price_usd_per_vcpu_hour.json").read_text())
    low, high = N2_STANDARD_4_PER_E2_CORE
    for name, price in GCP_N2_STANDARD_4.items():
        if not low < float(price) / e2_core[name]["gce"] < high:
            raise SourceError(f"n2-standard-4 in {name} at {price} is out of line with its E2 core price")
        rows.append((name, "n2-standard-4", price, "0.0005", AS_OF_LISTED, "price-comparison"))
    rows += azure_prices(data, regions)
    header = ("region", "instance_type", "usd_per_hour", "precision_usd_per_hour", "as_of", "source")
    return as_csv(header, sorted(rows))


def azure_prices(data, regions):
    by_region = defaultdict(dict)
    for row in read_csv(data / "azure_ondemand_usd_per_hour_2026-06.csv"):
        by_region[row["arm_region"]][row["arm_sku"]] = float(row["usd_per_hour"])
    relative = defaultdict(list)
    for skus in by_region.values():
        for sku, price in skus.items():
            relative[sku].append(price / skus[AZURE_REFERENCE_SKU])
    usual = {sku: statistics.median(ratios) for sku, ratios in relative.items()}
    for region, skus in by_region.items():
        if regions.get(region, {}).get("provider") != "azure":
            continue
        for sku, price in skus.items():
            if price / skus[AZURE_REFERENCE_SKU] > WINDOWS_FACTOR * usual[sku]:
                print(f"left out as a Windows price: {sku} in {region} at {price}", file=sys.stderr)
                continue
            yield region, sku, decimals(price), "0.0005", AS_OF_AZURE, "karpenter-azure"


def spot_savings(data, regions):
    advisor = json.loads((data / "aws_spot_advisor_2025-07.json").read_text())["spot_advisor"]
    types = [f"{family}.{size}" for family, sizes in SPOT_FAMILIES.items() for size in sizes]
    rows = []
    for region, systems in advisor.items():
        if region not in regions:
            continue
        for name in types:
            if row := systems["Linux"].get(name):
                if row["s"] < 0:  # one row of 14,962; spot is never dearer than on demand
                    print(f"left out as impossible: {name} in {region} saves {row['s']} %", file=sys.stderr)
                    continue
                rows.append((region, name, row["s"], row["r"], AS_OF_SPOT, "aws-spot-advisor"))
    header = ("region", "instance_type", "saving_percent", "interruption_band", "as_of", "source")
    return as_csv(header, sorted(rows))


def egress(data, regions):
    groups = {row["egress_group"] for row in regions.values() if row["provider"] == "aws"} | {"internet"}
    rows = [
        ("aws", row["src"], row["dst"], row["cost"], "skyplane-aws")
        for row in read_csv(data / "aws_interregion_transfer_usd_per_gb.csv")
        if {row["src"], row["dst"]} <= groups
    ]
    for sender, (within, elsewhere, internet) in AZURE_EGRESS.items():
        rows += [
            ("azure", sender, to, within if to == sender else elsewhere, "skyplane-azure") for to in AZURE_EGRESS
        ]
        rows.append(("azure", sender, "internet", internet, "skyplane-azure"))
    for sender in GCP_GROUPS:
        for to in GCP_GROUPS:
            if not sender == to == "jakarta":  # one region: nothing to send within
                rows.append(("gcp", sender, to, *gcp_egress(sender, to)))
    return as_csv(("provider", "from_group", "to_group", "usd_per_gb", "source"), sorted(rows))


def gcp_egress(sender, to):
    ends = {sender, to}
    if ends == {"na"}:
        return GCP_EGRESS_WITHIN["na"], "gcp-raised"
    if ends == {"na", "eu"}:
        return "0.05", "gcp-raised"
    if ends <= {"asia", "jakarta"}:
        return GCP_EGRESS_WITHIN["asia"], "skyplane-gcp"
    if sender == to:
        return GCP_EGRESS_WITHIN[sender], "skyplane-gcp"
    if ends & {"oceania", "jakarta"}:
        return "0.15", "skyplane-gcp"
    return "0.08", "skyplane-gcp"


def round_trips(data, regions):
    """The mean of both directions, once per pair, the alphabetically first region in front."""
    directed = {}
    for row in read_csv(data / "gcp_interregion_latency_ms.csv"):
        directed[row["sending_region"], row["receiving_region"]] = float(row["milliseconds"])
    pairs = []
    for (one, other), ms in sorted(directed.items()):
        if one < other:
            if one not in regions or other not in regions:
                raise SourceError(f"regions.csv lacks {one} or {other}, which have a measured round trip")
            pairs.append((one, other, decimals((ms + directed[other, one]) / 2)))
    return pairs


def report_fit(pairs, regions):
    """Least squares of the round trip on the great-circle distance: the constants in src/catalogue/latency.rs."""
    points = [(distance_km(regions[one], regions[other]), float(ms)) for one, other, ms in pairs]
    slope, intercept = statistics.linear_regression(*zip(*points))
    errors = [ms - intercept - slope * km for km, ms in points]
    print(f"fit: rtt_ms = {intercept!r} + {slope!r} * km, n = {len(points)}")
    print(
        f"     RMSE {math.sqrt(math.fsum(e * e for e in errors) / len(errors)):.2f} ms,"
        f" median absolute error {statistics.median(map(abs, errors)):.2f} ms,"
        f" least measured {min(ms for _, ms in points)} ms"
    )
    for low, high in ((0, 1000), (1000, 3000), (3000, 8000), (8000, 25000)):
        band = [e for (km, _), e in zip(points, errors) if low <= km < high]
        print(
            f"     {low} to {high} km: n = {len(band)}, mean error {statistics.mean(band):+.1f} ms,"
            f" median absolute {statistics.median(map(abs, band)):.1f} ms, worst {max(map(abs, band)):.0f} ms"
        )


def distance_km(one, other):
    phi_1, phi_2 = math.radians(float(one["latitude"])), math.radians(float(other["latitude"]))
    half_dlambda = math.radians(float(other["longitude"]) - float(one["longitude"])) / 2
    haversine = (
        math.sin((phi_2 - phi_1) / 2) ** 2 + math.cos(phi_1) * math.cos(phi_2) * math.sin(half_dlambda) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(haversine)))


def climatology(data):
    sums = defaultdict(list)
    rows = read_csv(data / "carbon_intensity_2022_hourly_cloudzones_lca.csv")
    zones = sorted(name for name in rows[0] if name != "datetime_utc")
    for row in rows:
        month, hour = int(row["datetime_utc"][5:7]), int(row["datetime_utc"][11:13])
        for zone in zones:
            sums[zone, month, hour].append(float(row[zone]))
    header = ("zone", "month", *(f"h{hour:02}" for hour in range(24)), "source")
    table = [
        (zone, month, *(mean(sums[zone, month, hour]) for hour in range(24)), "emaps-2022-lca")
        for zone in zones
        for month in range(1, 13)
    ]
    notice = (
        "# Contains information from Electricity Maps, made available under the Open Database License (ODbL) 1.0.\n"
        "# Mean carbon intensity of 2022, gCO2eq/kWh, life cycle, average (not marginal), by month and hour of day UTC,\n"
        "# from the hourly traces of the EuroSys'24 artefact of Sukprasert et al. (umassos/decarbonization-potential).\n"
        "# This derived table is under the ODbL 1.0 as well: see LICENSE-ODbL.md.\n"
    )
    return notice + as_csv(header, table)


def mean(values):
    return decimals(math.fsum(values) / len(values), 2)


# Reading and writing


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def decimals(value, most=4):
    """At most so many decimals, none that say nothing: 0.23, not 0.2300."""
    return f"{float(value):.{most}f}".rstrip("0").rstrip(".")


def as_csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def same(path, text):
    return path.exists() and path.read_bytes() == text.encode()


if __name__ == "__main__":
    sys.exit(main())
