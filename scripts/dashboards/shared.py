"""Questions that several dashboards ask, each written once, and the words that go with them."""

from panels import BAD, COUNT, GOOD, SHARE, SO_SO, lines, query, stat, steps

ENERGY, EMISSIONS = "eco_pulse_energy_kwh_total", "eco_pulse_emissions_grams_total"
STEERED, PLACEMENTS = "eco_pulse_steered_pods_total", "eco_pulse_placements_total"
# What was gained, and what was lost: savings may be negative, and a counter cannot fall.
CARBON = ("eco_pulse_carbon_avoided_grams_total", "eco_pulse_carbon_added_grams_total")
CASH = ("eco_pulse_cost_saved_usd_total", "eco_pulse_cost_added_usd_total")
# By what each is counted.
COUNTED_BY = {
    ENERGY: "namespace, region",
    EMISSIONS: "namespace, region",
    STEERED: "namespace, baseline, target",
    PLACEMENTS: "outcome, landed",
    **{counter: "namespace, against, method" for counter in CARBON + CASH},
}

# In the order of the program. What fails open is in both counters, and what was refused before it came to a decision only
# in that of what fails open.
FAILING_OPEN = "deadline|overloaded|panic|internal|cluster_unknown|no_snapshot|stale_snapshot|baseline_unknown|undecodable"

ATTRIBUTED = "Attributed: a bill changes only when machines are taken away."
MODELLED = "Modelled."
AVOIDED = f"{MODELLED} Never to be subtracted from an inventory."


def totals(metric, chosen, by, of_highest, of_each):
    """Of the accounts' totals, looked at by `of_highest` where pods are watched, and by `of_each` where they are not.

    Where they are, one process at a time shows stored totals. When it hands over, the next one shows the same, and when the
    accounts come back to it, its old series goes on higher up: the highest at each moment is right. Where they are not, each
    process counts its own decisions, and the sum is right.
    """
    labels, selected = f"cluster, {COUNTED_BY[metric]}", metric + (f"{{{chosen}}}" if chosen else "")
    kept = of_highest(f"max by ({labels}) ({selected})")
    own = f"sum by ({labels}) ({of_each(selected)})"
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} ({kept} and on (cluster) count by (cluster) (eco_pulse_accountant) or {own})"


def so_far(metric, chosen="", by=""):
    """All that was ever counted."""
    return totals(metric, chosen, by, lambda highest: highest, lambda each: each)


def counted(metric, chosen="", by="", over="increase", window="$__range"):
    """What was counted in a time."""
    step = "5m" if window == "1h" else "$__interval"
    return totals(
        metric,
        chosen,
        by,
        lambda highest: f"{over}({highest}[{window}:{step}])",
        lambda each: f"{over}({each}[{window}])",
    )


def net(gained, lost, chosen, by="", over="increase", window="$__range"):
    """Gains less losses."""
    return f"{counted(gained, chosen, by, over, window)} - {counted(lost, chosen, by, over, window)}"


def intensity(chosen, over="increase", window="$__range"):
    """Emissions by energy; nothing where none was used."""
    return f"{counted(EMISSIONS, chosen, '', over, window)} / ({counted(ENERGY, chosen, '', over, window)} > 0)"


def hourly(title, unit, counters, chosen, by, means):
    """Net of the hour before each point."""
    description = f"Net of the hour before each point, against each counterfactual. {means}"
    legend = ", ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return lines(title, description, unit, query(f"3600 * ({net(*counters, chosen, by, 'rate', '1h')})", legend))


def sent(title, description, chosen, by, legend, **more):
    """Pods sent to another region in the hour before each point."""
    return lines(title, description, COUNT, query(counted(STEERED, chosen, by, window="1h"), legend), stacked=True, **more)


def landed_elsewhere(title, description, **more):
    """Of the pods that were sent somewhere and bound, the share that landed elsewhere. Until the first does there is no series."""
    missed, all_sent = counted(PLACEMENTS, 'landed="elsewhere"'), counted(PLACEMENTS, 'landed=~"target|elsewhere"')
    expr = f"({missed} or vector(0)) / ({all_sent} > 0)"
    return stat(
        title,
        description,
        SHARE,
        expr,
        "elsewhere",
        thresholds=steps(GOOD, (0.1, SO_SO), (0.5, BAD)),
        **more,
    )


def fail_open_share(over, window):
    """Of all requests the share that failed open; 0 while nobody asks."""
    failed = f"sum({over}(eco_pulse_fail_open_total[{window}]))"
    decided = f'sum({over}(eco_pulse_decisions_total{{reason!~"{FAILING_OPEN}"}}[{window}]))'
    return f"{failed} / ({decided} + {failed} > 0) or vector(0)"


def quantile(share):
    """How long decisions of the last minutes took at most, but for the slowest."""
    bucket = "eco_pulse_decision_duration_seconds_bucket"
    return f"histogram_quantile({share}, sum by (endpoint, le) (rate({bucket}[$__rate_interval])))"
