"""Writes the Grafana dashboards, and copies what the chart ships into it.

    python3 scripts/dashboards            write dashboards/*.json, and the chart's copies of them and of rules.yaml
    python3 scripts/dashboards --check    write nothing; exit 1 if a committed file would change

To change a panel, edit overview.py, namespace.py, decisions.py or operations.py beside this file and run it; what they
have in common is in shared.py (questions), panels.py and page.py. Python 3 standard library only; the same source gives the same bytes.
"""

import importlib
import json
import sys
from pathlib import Path

# No folders of compiled code beside the source.
sys.dont_write_bytecode = True
DASHBOARDS = [importlib.import_module(name).DASHBOARD for name in ("overview", "namespace", "decisions", "operations")]

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "dashboards"
# Helm cannot read what lies outside a chart.
CHART = ROOT / "deploy" / "chart" / "eco-pulse" / "files" / "monitoring"


def files():
    for dashboard in DASHBOARDS:
        text = json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"
        name = dashboard["uid"] + ".json"
        yield FOLDER / name, text
        yield CHART / name, text
    yield CHART / "rules.yaml", (FOLDER / "rules.yaml").read_text(encoding="utf-8")


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    different = [
        (file, text) for file, text in files() if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv:
        if different:
            sys.exit(
                "python3 scripts/dashboards writes anew: "
                + ", ".join(str(file.relative_to(ROOT)) for file, _ in different)
            )
        return
    for file, text in different:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print("wrote", file.relative_to(ROOT))


main()
