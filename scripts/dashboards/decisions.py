"""For who wonders why: outcomes with their reasons, where pods were sent, and where they landed."""

from page import NAMESPACE, REGION, dashboard
from panels import ANY_IS_BAD, BAD, COUNT, GOOD, PER_SECOND, SHARE, SO_SO, lines, query, stat, steps, table
from shared import PLACEMENTS, STEERED, counted, fail_open_share, landed_elsewhere, sent

# Every reason is a series from the start; those that never happened say nothing.
SEEN = "> 0"
SENT = 'namespace=~"$namespace", target=~"$region"'


def by_reason(outcome):
    return query(
        f'sum by (reason) (rate(eco_pulse_decisions_total{{outcome="{outcome}"}}[$__rate_interval])) {SEEN}',
        "{{reason}}",
    )


DASHBOARD = dashboard(
    "decisions",
    "Eco-Pulse / Decisions",
    "What was decided and why, where pods were sent, and where they landed. One pod's story is in its decision record.",
    [NAMESPACE, REGION],
    [
        (
            "In the period shown",
            [
                stat(
                    "Decisions",
                    "Answered in the period shown, all endpoints. A dry run is none.",
                    COUNT,
                    "sum(increase(eco_pulse_decisions_total[$__range]))",
                    "decisions",
                    decimals=0,
                ),
                stat(
                    "Steered",
                    "Share of the pods that could be decided about at admission (neither bypassed nor failed) and were sent to another region than the baseline.",
                    SHARE,
                    'sum(increase(eco_pulse_decisions_total{endpoint="mutate", outcome="steer"}[$__range])) / (sum(increase(eco_pulse_decisions_total{endpoint="mutate", outcome=~"steer|stay"}[$__range])) > 0)',
                    "steered",
                ),
                stat(
                    "Left alone",
                    "Share of the decisions at admission that leave the pod as it came, for whatever reason.",
                    SHARE,
                    'sum(increase(eco_pulse_decisions_total{endpoint="mutate", outcome="bypass"}[$__range])) / (sum(increase(eco_pulse_decisions_total{endpoint="mutate"}[$__range])) > 0)',
                    "left alone",
                ),
                stat(
                    "Failed open",
                    "Share of the requests that were answered as if Eco-Pulse were not there, because something failed; those that were refused count too.",
                    SHARE,
                    fail_open_share("increase", "$__range"),
                    "failed open",
                    thresholds=steps(GOOD, (0.001, SO_SO), (0.01, BAD)),
                ),
                landed_elsewhere(
                    "Landed elsewhere",
                    "Of the pods that were sent somewhere and bound, the share that got a node in another region.",
                ),
                stat(
                    "Annotations nobody can read",
                    "On pods at admission, in the period shown. They are ignored, with a warning to who created the pod.",
                    COUNT,
                    "sum(increase(eco_pulse_malformed_annotations_total[$__range]))",
                    "annotations",
                    thresholds=ANY_IS_BAD,
                    decimals=0,
                ),
            ],
        ),
        (
            "Why",
            [
                table(
                    "Outcome and reason",
                    "Decisions in the period shown. docs/observability.md says what each reason means.",
                    COUNT,
                    [f"sum by (endpoint, outcome, reason) (increase(eco_pulse_decisions_total[$__range])) {SEEN}"],
                    {"endpoint": "Asked by", "outcome": "Outcome", "reason": "Reason", "Value #A": "Decisions"},
                    sort="Decisions",
                    decimals=0,
                ),
                lines(
                    "By outcome",
                    "Decisions per second, by endpoint and outcome.",
                    PER_SECOND,
                    query(
                        f"sum by (endpoint, outcome) (rate(eco_pulse_decisions_total[$__rate_interval])) {SEEN}",
                        "{{endpoint}}: {{outcome}}",
                    ),
                    stacked=True,
                ),
                lines(
                    "Why pods stay",
                    "Per second. A pod that stays prefers the baseline, except in the control group.",
                    PER_SECOND,
                    by_reason("stay"),
                    width=12,
                ),
                lines(
                    "Why pods are left alone",
                    "Per second. The pod leaves as it came.",
                    PER_SECOND,
                    by_reason("bypass"),
                    width=12,
                ),
            ],
        ),
        (
            "Where",
            [
                sent(
                    "Pods sent to another region, by target",
                    "In the hour before each point.",
                    SENT,
                    "target",
                    "{{target}}",
                ),
                table(
                    "From where to where",
                    "Pods sent to another region than the baseline in the period shown.",
                    COUNT,
                    [counted(STEERED, SENT, "namespace, baseline, target")],
                    {"namespace": "Namespace", "baseline": "From", "target": "To", "Value #A": "Pods"},
                    sort="Pods",
                    decimals=0,
                ),
                lines(
                    "Where bound pods landed",
                    "In the hour before each point, by what was decided. elsewhere: the region preferred was full, or something the pod demands was stronger. unknown: nothing was preferred, or the node's region is not known.",
                    COUNT,
                    query(counted(PLACEMENTS, by="outcome, landed", window="1h"), "{{outcome}}: {{landed}}"),
                    width=24,
                    stacked=True,
                ),
            ],
        ),
    ],
)
