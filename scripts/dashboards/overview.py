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
    SHARE,
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


def net(gained, lost, chosen, by="", over="increase", window="$__range"):
    """Gains less losses: savings may be negative, and a counter cannot fall."""
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} ({over}({gained}{{{chosen}}}[{window}])) - {grouped} ({over}({lost}{{{chosen}}}[{window}]))"


CARBON = ("eco_pulse_carbon_avoided_grams_total", "eco_pulse_carbon_added_grams_total")
CASH = ("eco_pulse_cost_saved_usd_total", "eco_pulse_cost_added_usd_total")
HERE = 'namespace=~"$namespace", method="$method"'
BASELINE = f'{HERE}, against="baseline"'

ATTRIBUTED = "Attributed: a bill changes only when machines are taken away."
MODELLED = "Modelled. Never to be subtracted from an inventory."


def hourly(title, unit, counters, chosen, by, means):
    """Net of the hour before each point."""
    description = f"Net of the hour before each point, against each counterfactual. {means}"
    legend = ", ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return lines(title, description, unit, query(f"3600 * ({net(*counters, chosen, by, 'rate', '1h')})", legend))


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
                    "histogram_quantile(0.99, sum by (endpoint, le) (rate(eco_pulse_decision_duration_seconds_bucket[$__rate_interval]))) >= 0",
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
                    'sum by (region) (label_replace(increase(eco_pulse_steered_pods_total{namespace=~"$namespace", target=~"$region"}[$__range]), "region", "$1", "target", "(.+)"))',
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
                    f"Net, in the period shown, by what it is compared with: the configured baseline, what Kubernetes does alone (it spreads), and always the greenest region. {MODELLED}",
                    GRAMS,
                    net(*CARBON, HERE, "against"),
                    "{{against}}",
                    width=12,
                    thresholds=NEGATIVE_IS_BAD,
                ),
                stat(
                    "CO2e avoided, all that is counted",
                    f"Net, since the accounts began, or without a watch on pods since the processes started. For some minutes after a replica vanished it may count twice. {MODELLED}",
                    GRAMS,
                    f"sum by (against) ({CARBON[0]}{{{HERE}}}) - sum by (against) ({CARBON[1]}{{{HERE}}})",
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
                    f"Below zero: the placement emitted more. {MODELLED}",
                ),
                hourly("USD saved per hour", USD, CASH, HERE, "against", f"Below zero: it cost more. {ATTRIBUTED}"),
                table(
                    "Namespaces",
                    f"The 20 with the most, net, against the baseline, in the period shown. {MODELLED} {ATTRIBUTED}",
                    COUNT,
                    [
                        f"topk(20, {net(*CARBON, BASELINE, 'namespace')})",
                        f"topk(20, {net(*CASH, BASELINE, 'namespace')})",
                    ],
                    {"namespace": "Namespace", "Value #A": "CO2e avoided", "Value #B": "USD saved"},
                    sort="CO2e avoided",
                    units={"CO2e avoided": GRAMS, "USD saved": USD},
                ),
                lines(
                    "Intensity of the energy used",
                    "Emissions by energy of the pods that were decided about, in the region they prefer or, where pods are watched, run in. Below the baseline's intensity, placement helps.",
                    GRAMS_PER_KWH,
                    query(
                        'sum(rate(eco_pulse_emissions_grams_total{namespace=~"$namespace", region=~"$region"}[1h])) / sum(rate(eco_pulse_energy_kwh_total{namespace=~"$namespace", region=~"$region"}[1h]))',
                        "pods",
                    ),
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
                lines(
                    "Pods sent to another region",
                    "In the hour before each point, by target.",
                    COUNT,
                    query(
                        'sum by (target) (increase(eco_pulse_steered_pods_total{namespace=~"$namespace", target=~"$region"}[1h]))',
                        "{{target}}",
                    ),
                    width=8,
                    stacked=True,
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
                stat(
                    "Pods that landed elsewhere",
                    "Of the pods that were sent somewhere and bound in the period shown, the share that got a node in another region: a preference is a preference.",
                    SHARE,
                    'sum(increase(eco_pulse_placements_total{landed="elsewhere"}[$__range])) / (sum(increase(eco_pulse_placements_total{landed=~"target|elsewhere"}[$__range])) > 0)',
                    "elsewhere",
                    thresholds=steps(GOOD, (0.1, SO_SO), (0.5, BAD)),
                    height=8,
                ),
            ],
        ),
    ],
)
