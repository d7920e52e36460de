"""Uses the Python client of openapi-generator as a program of a customer would. Arguments: URL and token."""

import json
import sys

import harborlight as hl

url, token = sys.argv[1:]
api = hl.ApiClient(hl.Configuration(host=url, access_token=token))
monitors, history = hl.MonitorsApi(api), hl.HistoryApi(api)

created = monitors.create_monitor(
    hl.MonitorInput(
        hl.HttpsMonitorInput(
            name="Generated",
            protocol="https",
            host="127.0.0.1",
            port=9,
            settings=hl.HttpsSettings(path="/health", tls=hl.TlsSettings(verify=False)),
            alerts=hl.AlertsInput(emails=["ops@example.com"]),
        )
    )
)
changed = monitors.update_monitor(created.id, hl.MonitorPatch(interval_seconds=hl.Lane.NUMBER_30))
listed = hl.MonitorInput(
    hl.DnsMonitorInput(
        key="applied",
        name="Applied",
        protocol="dns",
        host="127.0.0.1",
        settings=hl.DnsSettings(hl.DnsTcpSettings(transport="tcp")),
    )
)
applied = monitors.apply_monitors(hl.ApplyInput(monitors=[listed]))
page = monitors.list_monitors(limit=10)
results = history.list_results(created.id, limit=5)
stats = history.get_stats(created.id, step=hl.Step.ENUM_1H, var_from="-2h")
refused = None
try:
    monitors.get_monitor("unknown")
except hl.exceptions.NotFoundException as error:
    refused = json.loads(error.body)["code"]
monitors.delete_monitor(created.id)
print(
    json.dumps(
        {
            "interval": changed.interval_seconds.value,
            "applied": len(applied.created + applied.updated + applied.unchanged),
            "names": [monitor.name for monitor in page.items],
            "results": len(results.items),
            "checks": stats.total.checks,
            "refused": refused,
        }
    )
)
