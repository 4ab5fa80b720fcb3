"""For who owns a namespace: what its pods used, avoided and saved, and which owners did."""

from page import ONE_NAMESPACE, REGION, REPORT, dashboard
from panels import COUNT, GRAMS, GRAMS_PER_KWH, KWH, NEGATIVE_IS_BAD, USD, lines, query, stat, table
from shared import (
    ATTRIBUTED,
    AVOIDED,
    CARBON,
    CASH,
    EMISSIONS,
    ENERGY,
    MODELLED,
    counted,
    hourly,
    intensity,
    net,
    sent,
)

HERE = 'namespace="$namespace"'
USED = f'{HERE}, region=~"$region"'
BOTH = "projected: as decided, at once. realised: from where pods really ran, hour by hour, where pods are watched."


def owners(metric, method):
    return f'max by (kind, owner) ({metric}{{{HERE}, method="{method}"}})'


def net_stat(title, unit, counters, means, **more):
    """Projected and realised beside each other."""
    description = f"Net, against the baseline. {BOTH} {means}"
    expr = net(*counters, f'{HERE}, against="baseline"', "method")
    return stat(title, description, unit, expr, "{{method}}", width=6, thresholds=NEGATIVE_IS_BAD, **more)


DASHBOARD = dashboard(
    "namespace",
    "Eco-Pulse / Namespace",
    "One namespace: what its pods used, avoided and saved, projected and realised, and by whose pods.",
    [ONE_NAMESPACE, REGION],
    [
        (
            "In the period shown",
            [
                net_stat("CO2e avoided", GRAMS, CARBON, AVOIDED),
                net_stat("USD saved", USD, CASH, ATTRIBUTED, decimals=2),
                stat(
                    "Energy",
                    "Of pods that were decided about, modelled from their requests.",
                    KWH,
                    counted(ENERGY, USED),
                    "energy",
                ),
                stat(
                    "Emissions",
                    f"Of pods that were decided about. {MODELLED}",
                    GRAMS,
                    counted(EMISSIONS, USED),
                    "emissions",
                ),
                stat(
                    "Intensity",
                    "Emissions by energy: how green what it used was.",
                    GRAMS_PER_KWH,
                    intensity(USED),
                    "intensity",
                    decimals=0,
                ),
            ],
        ),
        (
            "Top owners",
            [
                table(
                    "Owners with the most in the last seven days",
                    "Whatever period is shown. Up to 20, by what was avoided or added, net, against the baseline; negative: it emitted or cost more. Projected and realised side by side: where they differ, pods landed elsewhere, ended sooner, or the grid was not as expected.",
                    COUNT,
                    [
                        owners("eco_pulse_owner_carbon_avoided_grams", "projected"),
                        owners("eco_pulse_owner_carbon_avoided_grams", "realised"),
                        owners("eco_pulse_owner_cost_saved_usd", "projected"),
                        owners("eco_pulse_owner_cost_saved_usd", "realised"),
                    ],
                    {
                        "kind": "Kind",
                        "owner": "Owner",
                        "Value #A": "CO2e avoided, projected",
                        "Value #B": "CO2e avoided, realised",
                        "Value #C": "USD saved, projected",
                        "Value #D": "USD saved, realised",
                    },
                    width=24,
                    sort="CO2e avoided, realised",
                    units={
                        "CO2e avoided, projected": GRAMS,
                        "CO2e avoided, realised": GRAMS,
                        "USD saved, projected": USD,
                        "USD saved, realised": USD,
                    },
                    height=11,
                ),
            ],
        ),
        (
            "Over time",
            [
                hourly("CO2e avoided per hour", GRAMS, CARBON, HERE, "against, method", f"{BOTH} {AVOIDED}"),
                hourly("USD saved per hour", USD, CASH, HERE, "against, method", f"{BOTH} {ATTRIBUTED}"),
                lines(
                    "Energy per hour, by region",
                    "Modelled; the hour before each point.",
                    KWH,
                    query(counted(ENERGY, USED, "region", window="1h"), "{{region}}"),
                    stacked=True,
                ),
                lines(
                    "Emissions per hour, by region",
                    f"The hour before each point. {MODELLED}",
                    GRAMS,
                    query(counted(EMISSIONS, USED, "region", window="1h"), "{{region}}"),
                    stacked=True,
                ),
                sent(
                    "Pods sent to another region",
                    "In the hour before each point, from the baseline to the target.",
                    f'{HERE}, target=~"$region"',
                    "baseline, target",
                    "{{baseline}} to {{target}}",
                    width=24,
                ),
            ],
        ),
    ],
    period="7d",
    report=REPORT + "&namespace=${namespace:percentencode}",
)
