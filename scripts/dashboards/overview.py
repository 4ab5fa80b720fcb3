"""For everybody: where it is green, what was avoided and saved, how fast it decides."""

from page import METHOD, NAMESPACE, REGION, dashboard
from panels import (
    ANY_IS_BAD,
    BAD,
    COUNT,
    GOOD,
    GRAMS,
    GRAMS_PER_KWH,
    INTENSITY,
    NEGATIVE_IS_BAD,
    PER_SECOND,
    SECONDS,
    SO_SO,
    USD,
    gauge,
    lines,
    query,
    region_map,
    stat,
    steps,
    table,
)
from shared import (
    ATTRIBUTED,
    AVOIDED,
    CARBON,
    CASH,
    STEERED,
    counted,
    hourly,
    intensity,
    landed_elsewhere,
    net,
    quantile,
    sent,
    so_far,
)


HERE = 'namespace=~"$namespace", method="$method"'
BASELINE = f'{HERE}, against="baseline"'
# What has no counterfactual has no method.
USED = 'namespace=~"$namespace", region=~"$region"'
SENT = 'namespace=~"$namespace", target=~"$region"'
MOST = f"topk(20, {net(*CARBON, BASELINE, 'namespace')})"


DASHBOARD = dashboard(
    "overview",
    "Eco-Pulse / Overview",
    "What placement by carbon and cost did, and what it had to choose from.",
    [NAMESPACE, REGION, METHOD],
    [
        (
            "Now",
            [
                gauge(
                    "Carbon intensity now",
                    "As last read, for each region. With many regions, choose some above. A region without a needle is not known, and is no candidate.",
                    GRAMS_PER_KWH,
                    'max by (region) (eco_pulse_grid_intensity_grams_per_kwh{region=~"$region"})',
                    0,
                    800,
                    INTENSITY,
                    "{{region}}",
                    decimals=0,
                ),
                gauge(
                    "USD saved",
                    f"Net, against the baseline, in the period shown: price, egress and migration, never carbon. Below zero it cost more. {ATTRIBUTED} The scale ends at 100 USD either way, the number does not.",
                    USD,
                    net(*CASH, BASELINE),
                    -100,
                    100,
                    NEGATIVE_IS_BAD,
                    "saved",
                    decimals=2,
                ),
                gauge(
                    "Decision latency",
                    "99th percentile of the last minutes. The deadline is 190 ms, and the scale ends there: what takes longer fails open. No value while nobody asks.",
                    SECONDS,
                    f"{quantile(0.99)} >= 0",
                    0,
                    0.19,
                    steps(GOOD, (0.05, SO_SO), (0.15, BAD)),
                    "{{endpoint}}",
                ),
            ],
        ),
        (
            "Regions",
            [
                region_map(
                    "Regions by carbon intensity, with the pods sent there",
                    "Colour: intensity as last read. Size: pods sent to another region than the baseline in the period shown. Regions of which nobody knows where they are do not show.",
                    'max by (region, latitude, longitude) (eco_pulse_region_info) * on (region) group_left () max by (region) (eco_pulse_grid_intensity_grams_per_kwh{region=~"$region"})',
                    f'sum by (region) (label_replace({counted(STEERED, SENT, "target")}, "region", "$1", "target", "(.+)"))',
                ),
                lines(
                    "Carbon intensity",
                    "As last read, for each region. A gap: not known.",
                    GRAMS_PER_KWH,
                    query('max by (region) (eco_pulse_grid_intensity_grams_per_kwh{region=~"$region"})', "{{region}}"),
                    width=10,
                    height=11,
                ),
            ],
        ),
        (
            "Savings, net",
            [
                stat(
                    "CO2e avoided",
                    f"Net, in the period shown, by what it is compared with: the configured baseline, what Kubernetes does alone (it spreads), and always the greenest region. {AVOIDED}",
                    GRAMS,
                    net(*CARBON, HERE, "against"),
                    "{{against}}",
                    width=12,
                    thresholds=NEGATIVE_IS_BAD,
                ),
                stat(
                    "CO2e avoided, all that is counted",
                    f"Net, since the accounts began, or without a watch on pods since the processes started. {AVOIDED}",
                    GRAMS,
                    " - ".join(so_far(counter, HERE, "against") for counter in CARBON),
                    "{{against}}",
                    width=12,
                    thresholds=NEGATIVE_IS_BAD,
                ),
                hourly(
                    "CO2e avoided per hour",
                    GRAMS,
                    CARBON,
                    HERE,
                    "against",
                    f"Below zero: the placement emitted more. {AVOIDED}",
                ),
                hourly("USD saved per hour", USD, CASH, HERE, "against", f"Below zero: it cost more. {ATTRIBUTED}"),
                table(
                    "Namespaces",
                    f"The 20 that avoided the most, net, against the baseline, in the period shown. {AVOIDED} {ATTRIBUTED}",
                    COUNT,
                    [
                        MOST,
                        f"({net(*CASH, BASELINE, 'namespace')}) and on (namespace) {MOST}",
                    ],
                    {"namespace": "Namespace", "Value #A": "CO2e avoided", "Value #B": "USD saved"},
                    sort="CO2e avoided",
                    units={"CO2e avoided": GRAMS, "USD saved": USD},
                ),
                lines(
                    "Intensity of the energy used",
                    "Emissions by energy of the pods that were decided about, in the region they prefer or, where pods are watched, run in. Below the baseline's intensity, placement helps.",
                    GRAMS_PER_KWH,
                    query(intensity(USED, "rate", "1h"), "pods"),
                ),
            ],
        ),
        (
            "Decisions",
            [
                lines(
                    "Decisions",
                    "Answered per second, by outcome. A dry run is none.",
                    PER_SECOND,
                    query("sum by (outcome) (rate(eco_pulse_decisions_total[$__rate_interval]))", "{{outcome}}"),
                    width=8,
                    stacked=True,
                ),
                sent(
                    "Pods sent to another region",
                    "In the hour before each point, by target.",
                    SENT,
                    "target",
                    "{{target}}",
                    width=8,
                ),
                stat(
                    "Failed open",
                    "Requests in the period shown that were answered as if Eco-Pulse were not there, because something failed. Operations says why.",
                    COUNT,
                    "sum(increase(eco_pulse_fail_open_total[$__range]))",
                    "failed open",
                    thresholds=ANY_IS_BAD,
                    decimals=0,
                    height=8,
                ),
                landed_elsewhere(
                    "Pods that landed elsewhere",
                    "Of the pods that were sent somewhere and bound in the period shown, the share that got a node in another region: a preference is a preference.",
                    height=8,
                ),
            ],
        ),
    ],
)
