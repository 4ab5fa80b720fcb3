"""Panels in Grafana's JSON, so that a dashboard says only what it shows."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Units as Grafana calls them.
GRAMS, USD, SECONDS, SHARE, KWH = "massg", "currencyUSD", "s", "percentunit", "kwatth"
GRAMS_PER_KWH, COUNT, PER_SECOND, YES_NO = "suffix: g/kWh", "short", "reqps", "bool_yes_no"

GOOD, SO_SO, BAD, PLAIN = "green", "orange", "red", "blue"


def steps(*pairs):
    """Thresholds: a colour from the start, then colours from a value on."""
    first, *rest = pairs
    return [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in rest]


NEUTRAL = steps(PLAIN)
NEGATIVE_IS_BAD = steps(BAD, (0, GOOD))
ANY_IS_BAD = steps(GOOD, (0.001, BAD))
NONE_IS_BAD = steps(BAD, (1, GOOD))
EXACTLY_ONE = steps(BAD, (1, GOOD), (2, BAD))
INTENSITY = steps(GOOD, (150, "yellow"), (400, SO_SO), (600, BAD))


def query(expr, legend="", instant=False, form="time_series"):
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expr,
        "format": form,
        "instant": instant,
        "legendFormat": legend or "__auto",
        "range": not instant,
    }


def cells(expr):
    """A query for a table or a map: labels become columns."""
    return query(expr, instant=True, form="table")


def panel(kind, title, description, queries, unit, width, options, custom=None, thresholds=NEUTRAL, **defaults):
    targets = [{**target, "refId": chr(ord("A") + index)} for index, target in enumerate(queries)]
    overrides = defaults.pop("overrides", [])
    transformations = defaults.pop("transformations", None)
    height = defaults.pop("height", HEIGHT.get(kind, 8))
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "color": {"mode": "thresholds" if kind in ("stat", "gauge", "geomap") else "palette-classic"},
                "custom": custom or {},
                "mappings": [],
                "thresholds": {"mode": "absolute", "steps": thresholds},
                **defaults,
            },
            "overrides": overrides,
        },
        "options": options,
        "targets": targets,
        "size": (width, height),
    }
    if transformations:
        made["transformations"] = transformations
    return made


HEIGHT = {"stat": 4, "gauge": 7, "geomap": 11}
LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(title, description, unit, expr, legend="", width=4, thresholds=NEUTRAL, **more):
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": LAST,
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    }
    return panel(
        "stat",
        title,
        description,
        [query(expr, legend, instant=True)],
        unit,
        width,
        options,
        thresholds=thresholds,
        **more,
    )


def gauge(title, description, unit, expr, lowest, highest, thresholds, legend="", width=8, **more):
    options = {
        "minVizHeight": 75,
        "minVizWidth": 75,
        "orientation": "auto",
        "reduceOptions": LAST,
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "sizing": "auto",
    }
    queries = [query(expr, legend, instant=True)]
    return panel(
        "gauge",
        title,
        description,
        queries,
        unit,
        width,
        options,
        thresholds=thresholds,
        min=lowest,
        max=highest,
        **more,
    )


def lines(title, description, unit, *queries, width=12, stacked=False, limit=None, **more):
    """Values over time; `limit` draws a line at what is too much."""
    custom = {
        "axisPlacement": "auto",
        "drawStyle": "line",
        "fillOpacity": 30 if stacked else 10,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "off" if limit is None else "dashed"},
    }
    options = {
        "legend": {"calcs": ["lastNotNull"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    thresholds = NEUTRAL if limit is None else steps(GOOD, (limit, BAD))
    return panel("timeseries", title, description, queries, unit, width, options, custom, thresholds, **more)


def table(title, description, unit, queries, columns, width=12, sort=None, hidden=(), units=None, **more):
    """One row for each set of labels. `columns` names what is shown, in order; each query's value is `Value #A` and so on."""
    names = {"Value": "Value #A"} if len(queries) == 1 else {}
    renamed = {("Value" if names and column == "Value #A" else column): shown for column, shown in columns.items()}
    options = {
        "cellHeight": "sm",
        "frameIndex": 0,
        "footer": {"countRows": False, "fields": [], "reducer": ["sum"], "show": False},
        "showHeader": True,
        "sortBy": [{"desc": True, "displayName": sort}] if sort else [],
    }
    arrange = {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True, **{name: True for name in hidden}},
            "includeByName": {},
            "indexByName": {name: index for index, name in enumerate(renamed)},
            "renameByName": renamed,
        },
    }
    overrides = [
        {"matcher": {"id": "byName", "options": shown}, "properties": [{"id": "unit", "value": unit_of}]}
        for shown, unit_of in (units or {}).items()
    ]
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
    transformations = ([{"id": "merge", "options": {}}] if len(queries) > 1 else []) + [arrange]
    return panel(
        "table",
        title,
        description,
        [cells(expr) for expr in queries],
        unit,
        width,
        options,
        custom,
        overrides=overrides,
        transformations=transformations,
        **more,
    )


def heatmap(title, description, expr, width=12):
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": SECONDS},
    }
    custom = {"hideFrom": {"legend": False, "tooltip": False, "viz": False}, "scaleDistribution": {"type": "linear"}}
    return panel("heatmap", title, description, [query(expr, "{{le}}", form="heatmap")], COUNT, width, options, custom)


def region_map(title, description, intensity, pods, width=14):
    """Regions where they are, coloured by `intensity`; as large as `pods`. Both queries bring a label `region`, the first one coordinates."""
    number = {"destinationType": "number"}
    transformations = [
        {"id": "joinByField", "options": {"byField": "region", "mode": "outer"}},
        {
            "id": "convertFieldType",
            "options": {
                "conversions": [{"targetField": name, **number} for name in ("latitude", "longitude")],
                "fields": {},
            },
        },
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True, "Time 1": True, "Time 2": True},
                "includeByName": {},
                "indexByName": {},
                "renameByName": {"Value #A": "Intensity", "Value #B": "Pods sent here", "region": "Region"},
            },
        },
    ]
    overrides = [
        {
            "matcher": {"id": "byName", "options": "Pods sent here"},
            "properties": [{"id": "unit", "value": COUNT}, {"id": "decimals", "value": 0}],
        }
    ]
    layer = {
        "type": "markers",
        "name": "Regions",
        "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
        "config": {
            "showLegend": True,
            "style": {
                "color": {"field": "Intensity", "fixed": "dark-green"},
                "opacity": 0.8,
                "rotation": {"fixed": 0, "max": 360, "min": -360, "mode": "mod"},
                "size": {"field": "Pods sent here", "fixed": 8, "max": 24, "min": 8},
                "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
                "symbolAlign": {"horizontal": "center", "vertical": "center"},
                "text": {"field": "Region", "fixed": "", "mode": "field"},
                "textConfig": {
                    "fontSize": 11,
                    "offsetX": 0,
                    "offsetY": 18,
                    "textAlign": "center",
                    "textBaseline": "middle",
                },
            },
        },
        "tooltip": True,
    }
    options = {
        "basemap": {"type": "default", "name": "Base", "config": {}},
        "controls": {
            "mouseWheelZoom": False,
            "showAttribution": True,
            "showDebug": False,
            "showMeasure": False,
            "showScale": False,
            "showZoom": True,
        },
        "layers": [layer],
        "tooltip": {"mode": "details"},
        "view": {"allLayers": True, "id": "zero", "lat": 20, "lon": 0, "zoom": 1.5},
    }
    return panel(
        "geomap",
        title,
        description,
        [cells(intensity), cells(pods)],
        GRAMS_PER_KWH,
        width,
        options,
        thresholds=INTENSITY,
        overrides=overrides,
        transformations=transformations,
    )
