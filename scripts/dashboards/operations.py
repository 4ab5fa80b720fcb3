"""For who runs it: data, duties, latency, failures, certificate, ledger."""

from page import REGION, dashboard
from panels import (
    ANY_IS_BAD,
    BAD,
    COUNT,
    EXACTLY_ONE,
    GOOD,
    NONE_IS_BAD,
    PER_SECOND,
    SECONDS,
    SHARE,
    SO_SO,
    YES_NO,
    heatmap,
    lines,
    query,
    stat,
    steps,
    table,
)
from shared import fail_open_share, quantile

# Whose it is: the pod, where the scrape says so, else the address.
WHO = "{{pod}} {{instance}}"


def happened(title, description, metric, by, width=8):
    """How often things happened in the quarter of an hour before each point, each with its labels."""
    return lines(
        title,
        description,
        COUNT,
        query(f"sum by ({by}) (increase({metric}[15m]))", ", ".join(f"{{{{{label}}}}}" for label in by.split(", "))),
        width=width,
    )


def by_process(title, description, unit, expr, width=8, **more):
    """A value over time of each process."""
    return lines(title, description, unit, query(expr, WHO), width=width, **more)


DASHBOARD = dashboard(
    "operations",
    "Eco-Pulse / Operations",
    "Whether it works: data and their age, who does which duty, latency, what fails open, certificate, ledger. docs/observability.md says what to do.",
    [REGION],
    [
        (
            "At a glance",
            [
                stat(
                    "Processes",
                    "That Prometheus sees.",
                    COUNT,
                    "count(eco_pulse_snapshot_version)",
                    "processes",
                    width=3,
                    thresholds=NONE_IS_BAD,
                ),
                stat(
                    "Collectors",
                    "Processes that ask the providers. There should be one.",
                    COUNT,
                    "sum(eco_pulse_collector)",
                    "collectors",
                    width=3,
                    thresholds=EXACTLY_ONE,
                ),
                stat(
                    "Accountants",
                    "Processes that account for what pods really did. There should be one; none is told of where pods are not watched.",
                    COUNT,
                    "sum(eco_pulse_accountant)",
                    "accountants",
                    width=3,
                    thresholds=EXACTLY_ONE,
                ),
                stat(
                    "Oldest snapshot",
                    "Age of the grid data and prices in use, of the replica that is farthest behind. It should stay near grid.refresh.",
                    SECONDS,
                    "max(eco_pulse_snapshot_age_seconds)",
                    "age",
                    width=3,
                    thresholds=steps(GOOD, (900, SO_SO), (1800, BAD)),
                ),
                stat(
                    "Regions without data",
                    "Regions whose grid data cannot be used now: stale, missing or implausible. They are no candidates.",
                    COUNT,
                    'count(max by (region) (eco_pulse_reading_state{state!~"fresh|estimated"})) or vector(0)',
                    "regions",
                    width=3,
                    thresholds=ANY_IS_BAD,
                ),
                stat(
                    "Failing open",
                    "Share of the requests of the last minutes that were answered as if Eco-Pulse were not there; those that were refused count too.",
                    SHARE,
                    fail_open_share("rate", "$__rate_interval"),
                    "failing open",
                    width=3,
                    thresholds=steps(GOOD, (0.001, SO_SO), (0.01, BAD)),
                ),
                stat(
                    "Certificate ends in",
                    "Time until the first serving certificate expires.",
                    SECONDS,
                    "min((eco_pulse_certificate_expiry_seconds > 0) - time())",
                    "left",
                    width=3,
                    thresholds=steps(BAD, (86400, SO_SO), (604800, GOOD)),
                ),
                stat(
                    "Shared store",
                    "Whether the shared store answers every replica. Nothing where there is none.",
                    YES_NO,
                    "min(eco_pulse_store_up)",
                    "answers",
                    width=3,
                    thresholds=NONE_IS_BAD,
                ),
            ],
        ),
        (
            "Requests",
            [
                heatmap(
                    "Decision latency",
                    "Requests by how long they took, from arrival to the answer, all endpoints. The last bucket ends at the deadline of 190 ms.",
                    "sum by (le) (increase(eco_pulse_decision_duration_seconds_bucket[$__rate_interval]))",
                ),
                lines(
                    "Percentiles",
                    "By endpoint. Never above 190 ms, where the last bucket ends: whether it is longer, the share over the budget tells.",
                    SECONDS,
                    *[
                        query(quantile(share), f"{{{{endpoint}}}} p{share:.0%}".replace("%", ""))
                        for share in (0.5, 0.99)
                    ],
                    limit=0.19,
                ),
                lines(
                    "Requests",
                    "Decisions answered per second, by endpoint.",
                    PER_SECOND,
                    query("sum by (endpoint) (rate(eco_pulse_decisions_total[$__rate_interval]))", "{{endpoint}}"),
                    width=8,
                ),
                lines(
                    "Failing open, by reason",
                    "Per second. docs/observability.md says what each reason means.",
                    PER_SECOND,
                    query(
                        "sum by (endpoint, reason) (rate(eco_pulse_fail_open_total[$__rate_interval])) > 0",
                        "{{endpoint}}: {{reason}}",
                    ),
                    width=8,
                ),
                lines(
                    "Over the latency budget",
                    "Share of the decisions that took longer than 190 ms. Above 1 %, the 99th percentile is over the budget.",
                    SHARE,
                    query(
                        '1 - sum by (endpoint) (rate(eco_pulse_decision_duration_seconds_bucket{le="0.19"}[$__rate_interval])) / (sum by (endpoint) (rate(eco_pulse_decision_duration_seconds_count[$__rate_interval])) > 0)',
                        "{{endpoint}}",
                    ),
                    width=8,
                    limit=0.01,
                ),
            ],
        ),
        (
            "Grid data and prices",
            [
                by_process(
                    "Snapshot age",
                    "Of each replica. It rises, and falls each time the collector publishes.",
                    SECONDS,
                    "eco_pulse_snapshot_age_seconds",
                    limit=1800,
                ),
                by_process(
                    "Snapshot version",
                    "Of each replica: all should rise together.",
                    COUNT,
                    "eco_pulse_snapshot_version",
                ),
                lines(
                    "Age of readings",
                    "Since the end of the interval that each region's reading describes. Above grid.maxAge it is stale.",
                    SECONDS,
                    query('max by (region) (eco_pulse_reading_age_seconds{region=~"$region"})', "{{region}}"),
                    width=8,
                ),
                table(
                    "Readings",
                    "State, intensity and provider of each region's grid data now.",
                    COUNT,
                    [
                        'max by (region, state) (eco_pulse_reading_state{region=~"$region"})',
                        'max by (region, zone, provider) (eco_pulse_grid_intensity_grams_per_kwh{region=~"$region"})',
                        'max by (region) (eco_pulse_reading_age_seconds{region=~"$region"})',
                    ],
                    {
                        "region": "Region",
                        "zone": "Zone",
                        "state": "State",
                        "provider": "Provider",
                        "Value #B": "g/kWh",
                        "Value #C": "Age",
                    },
                    hidden=("Value #A",),
                    units={"Age": SECONDS},
                ),
                table(
                    "Prices",
                    "Of a whole machine, an hour, as last read.",
                    "currencyUSD",
                    ['max by (region, instance_type, capacity_type) (eco_pulse_price_usd_per_hour{region=~"$region"})'],
                    {
                        "region": "Region",
                        "instance_type": "Machine",
                        "capacity_type": "Capacity",
                        "Value #A": "An hour",
                    },
                    sort="An hour",
                    decimals=4,
                ),
                lines(
                    "Questions to providers",
                    "In the hour before each point, by provider and what came of them: ok, or the name of a failure.",
                    COUNT,
                    query(
                        "sum by (provider, result) (increase(eco_pulse_provider_requests_total[1h]))",
                        "{{provider}}: {{result}}",
                    ),
                    width=8,
                ),
                lines(
                    "Providers left alone",
                    "1 while a provider is not asked since it failed five times in a row.",
                    YES_NO,
                    query("max by (provider) (eco_pulse_provider_circuit_open)", "{{provider}}"),
                    width=8,
                    limit=1,
                ),
                happened(
                    "Readings refused",
                    "Values that cannot be, in the quarter of an hour before each point, by provider and what is wrong with them.",
                    "eco_pulse_readings_refused_total",
                    "provider, reason",
                ),
            ],
        ),
        (
            "Duties and the cluster",
            [
                by_process(
                    "Who collects",
                    "1 on the process that asks the providers.",
                    YES_NO,
                    "eco_pulse_collector",
                ),
                by_process(
                    "Who accounts",
                    "1 on the process that accounts for what pods really did.",
                    YES_NO,
                    "eco_pulse_accountant",
                ),
                by_process(
                    "Whether the store answers",
                    "As each replica sees it; nothing where there is none.",
                    YES_NO,
                    "eco_pulse_store_up",
                ),
                table(
                    "Kinds that are watched",
                    "Objects known, and whether every process has seen them all. Until it has, pods are left alone.",
                    COUNT,
                    ["max by (kind) (eco_pulse_cluster_objects)", "min by (kind) (eco_pulse_cluster_synced)"],
                    {"kind": "Kind", "Value #A": "Objects", "Value #B": "All seen"},
                    width=8,
                    units={"All seen": YES_NO},
                ),
                happened(
                    "Watching fails",
                    "Failed attempts to list or watch in the quarter of an hour before each point. What was known stays known.",
                    "eco_pulse_cluster_watch_errors_total",
                    "kind",
                ),
                happened(
                    "Objects skipped",
                    "That could not be read, in the quarter of an hour before each point. The log names them.",
                    "eco_pulse_cluster_objects_skipped_total",
                    "kind",
                ),
                happened(
                    "Rehearsed pods",
                    "How they came back, in the quarter of an hour before each point. unanswered: the API server does not ask.",
                    "eco_pulse_canary_total",
                    "result",
                ),
                happened(
                    "Events written",
                    "About placements, in the quarter of an hour before each point.",
                    "eco_pulse_events_total",
                    "result",
                ),
                lines(
                    "Webhook configuration",
                    "1 where a field is not as shipped, and Eco-Pulse could be in the way of pods when it fails.",
                    YES_NO,
                    query("max by (field) (eco_pulse_webhook_configuration_drift)", "{{field}}"),
                    width=8,
                    limit=1,
                ),
            ],
        ),
        (
            "Configuration and certificate",
            [
                happened(
                    "Configuration changes",
                    "In the quarter of an hour before each point. refused: the one before stays in use, and the log says why.",
                    "eco_pulse_config_reloads_total",
                    "result",
                    width=6,
                ),
                happened(
                    "Certificate changes",
                    "In the quarter of an hour before each point. refused: the one before stays in use.",
                    "eco_pulse_certificate_reloads_total",
                    "result",
                    width=6,
                ),
                happened(
                    "Keeping the certificate",
                    "Steps in the quarter of an hour before each point.",
                    "eco_pulse_certificate_steps_total",
                    "result",
                    width=6,
                ),
                by_process(
                    "Certificate ends in",
                    "Of each process that serves TLS.",
                    SECONDS,
                    "(eco_pulse_certificate_expiry_seconds > 0) - time()",
                    width=6,
                ),
            ],
        ),
        (
            "Ledger and accounts",
            [
                happened(
                    "Records dropped",
                    "In the quarter of an hour before each point, by where: queue (standard output too slow) or store. The ledger then has gaps.",
                    "eco_pulse_ledger_dropped_total",
                    "at",
                ),
                lines(
                    "Pods being accounted",
                    "That run and carry a decision, as the accountant knows them.",
                    COUNT,
                    query("max(eco_pulse_runs_open)", "pods"),
                    width=8,
                ),
                lines(
                    "Pod-hours that wait for readings",
                    "Hours of which not all readings are there yet. They are filled when those come, or stay open; nothing is made up.",
                    COUNT,
                    query("max(eco_pulse_waiting_pod_hours)", "pod-hours"),
                    width=8,
                ),
                by_process(
                    "Records written",
                    "Number of the last record of each process's chain.",
                    COUNT,
                    "eco_pulse_ledger_head_seq",
                    width=12,
                ),
                table(
                    "Heads of the chains",
                    "Checkpoints, renewed hourly. Write one down to prove later, with report --verify --head, that nothing was cut off.",
                    COUNT,
                    ["max by (replica, seq, hash) (eco_pulse_ledger_head_info)"],
                    {"replica": "Replica", "seq": "Record", "hash": "Hash"},
                    hidden=("Value",),
                ),
            ],
        ),
    ],
    period="6h",
)
