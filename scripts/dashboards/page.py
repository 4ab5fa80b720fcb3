"""What is around the panels: what can be chosen, links, where each panel stands."""

from panels import DATASOURCE


def several(name, label, values_of):
    """A variable of which several values may be chosen; all of them at first."""
    return {
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": DATASOURCE,
        "includeAll": True,
        "label": label,
        "multi": True,
        "name": name,
        "options": [],
        "query": {"query": values_of, "refId": "values"},
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "type": "query",
    }


NAMESPACES = "label_values(eco_pulse_energy_kwh_total, namespace)"
REGION = several("region", "Region", "label_values(eco_pulse_region_info, region)")
NAMESPACE = several("namespace", "Namespace", NAMESPACES)
ONE_NAMESPACE = {**NAMESPACE, "current": {}, "includeAll": False, "multi": False}
del ONE_NAMESPACE["allValue"]
METHOD = {
    "current": {"selected": True, "text": "projected", "value": "projected"},
    "description": "projected: as decided, at once. realised: from where pods really ran, hour by hour; only where pods are watched.",
    "label": "Method",
    "name": "method",
    "options": [{"selected": name == "projected", "text": name, "value": name} for name in ("projected", "realised")],
    "query": "projected,realised",
    "type": "custom",
}
DATASOURCE_CHOICE = {
    "current": {},
    "label": "Prometheus",
    "name": "datasource",
    "options": [],
    "query": "prometheus",
    "refresh": 1,
    "regex": "",
    "type": "datasource",
}
REPORT_URL = {
    "current": {"text": "http://localhost:8080", "value": "http://localhost:8080"},
    "description": "How your browser reaches the controller's port 8080, for the link to the report.",
    "label": "Report at",
    "name": "report_url",
    "options": [],
    "query": "http://localhost:8080",
    "type": "textbox",
}

REPORT = "${report_url}/report?from=${__from:date:iso}&to=${__to:date:iso}&output=pdf"


def link(title, **more):
    return {
        "asDropdown": False,
        "icon": "external link",
        "includeVars": False,
        "keepTime": False,
        "tags": [],
        "targetBlank": True,
        "title": title,
        "tooltip": "",
        "type": "link",
        "url": "",
        **more,
    }


def place(sections):
    """Panels from left to right, a new line when one does not fit, under a row for each section."""
    placed, top = [], 0
    for title, panels in sections:
        placed.append(
            {
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"h": 1, "w": 24, "x": 0, "y": top},
            }
        )
        left, top, tallest = 0, top + 1, 0
        for made in panels:
            made = dict(made)
            width, height = made.pop("size")
            if left + width > 24:
                left, top, tallest = 0, top + tallest, 0
            placed.append({**made, "gridPos": {"h": height, "w": width, "x": left, "y": top}})
            left, tallest = left + width, max(tallest, height)
        top += tallest
    return [{"id": index, **made} for index, made in enumerate(placed, start=1)]


def dashboard(name, title, description, variables, sections, period="24h", report=REPORT):
    return {
        "annotations": {"list": []},
        "description": description,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": [
            link(
                "Eco-Pulse",
                type="dashboards",
                tags=["eco-pulse"],
                asDropdown=True,
                includeVars=True,
                keepTime=True,
                targetBlank=False,
            ),
            link(
                "Report of this period",
                url=report,
                icon="doc",
                tooltip="A PDF of the period shown, from the controller's port 8080",
            ),
        ],
        "panels": place(sections),
        "refresh": "1m",
        "schemaVersion": 39,
        "tags": ["eco-pulse"],
        "templating": {"list": [DATASOURCE_CHOICE, *variables, REPORT_URL]},
        "time": {"from": f"now-{period}", "to": "now"},
        "timepicker": {},
        "timezone": "utc",
        "title": title,
        "uid": f"eco-pulse-{name}",
        "version": 1,
        "weekStart": "",
    }
