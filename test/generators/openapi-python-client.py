"""Uses the client of openapi-python-client as a program of a customer would. Arguments: URL and token."""

import json
import sys

from harborlight_client import AuthenticatedClient, models
from harborlight_client.api.history import get_stats, list_results
from harborlight_client.api.monitors import (
    apply_monitors,
    create_monitor,
    delete_monitor,
    get_monitor,
    list_monitors,
    update_monitor,
)

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)

created = create_monitor.sync(
    client=client,
    body=models.HttpsMonitorInput(
        name="Generated",
        protocol=models.HttpsMonitorInputProtocol.HTTPS,
        host="127.0.0.1",
        port=9,
        settings=models.HttpsSettings(path="/health", tls=models.TlsSettings(verify=False)),
        alerts=models.AlertsInput(emails=["ops@example.com"]),
    ),
)
changed = update_monitor.sync(created.id, client=client, body=models.MonitorPatch(interval_seconds=models.Lane.VALUE_30))
listed = models.DnsMonitorInput(
    key="applied",
    name="Applied",
    protocol=models.DnsMonitorInputProtocol.DNS,
    host="127.0.0.1",
    settings=models.DnsTcpSettings(transport=models.DnsTcpSettingsTransport.TCP),
)
applied = apply_monitors.sync(client=client, body=models.ApplyInput(monitors=[listed]))
page = list_monitors.sync(client=client, limit=10)
results = list_results.sync(created.id, client=client, limit=5)
stats = get_stats.sync(created.id, client=client, step=models.Step.VALUE_0, from_="-2h")
refused = get_monitor.sync("unknown", client=client)
delete_monitor.sync_detailed(created.id, client=client)
print(
    json.dumps(
        {
            "interval": changed.interval_seconds.value,
            "applied": len(applied.created + applied.updated + applied.unchanged),
            "names": [monitor.name for monitor in page.items],
            "results": len(results.items),
            "checks": stats.total.checks,
            "refused": refused.code.value,
        }
    )
)
