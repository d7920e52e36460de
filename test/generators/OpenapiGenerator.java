import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.HistoryApi;
import org.openapitools.client.api.MonitorsApi;
import org.openapitools.client.model.*;

/** Uses the Java client of openapi-generator as a program of a customer would. Arguments: URL and token. */
public class OpenapiGenerator {
    public static void main(String[] arguments) throws ApiException {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + arguments[1]));
        MonitorsApi monitors = new MonitorsApi(client);
        HistoryApi history = new HistoryApi(client);

        HttpsMonitorInput https = new HttpsMonitorInput()
            .name("Generated").protocol(HttpsMonitorInput.ProtocolEnum.HTTPS).host("127.0.0.1").port(9)
            .settings(new HttpsSettings().path("/health").tls(new TlsSettings().verify(false)))
            .alerts(new AlertsInput().emails(List.of("ops@example.com")));
        Monitor created = monitors.createMonitor(new MonitorInput(https), null, null);
        MonitorPatch patch = new MonitorPatch().intervalSeconds(Lane.NUMBER_30);
        Monitor changed = monitors.updateMonitor(created.getId(), patch, null);
        TcpMonitorInput tcp = new TcpMonitorInput()
            .key("applied").name("Applied").protocol(TcpMonitorInput.ProtocolEnum.TCP).host("127.0.0.1").port(9);
        Applied applied = monitors.applyMonitors(new ApplyInput().monitors(List.of(new MonitorInput(tcp))), null, null, null, null, null);
        ListedMonitorPage page = monitors.listMonitors(null, null, null, null, null, null, null, null, 10, null, null);
        ResultPage results = history.listResults(created.getId(), null, null, null, 5, null, null);
        Stats stats = history.getStats(created.getId(), "-2h", null, Step._1H, null, null, null, null);
        String refused = null;
        try {
            monitors.getMonitor("unknown", null);
        } catch (ApiException error) {
            refused = error.getResponseBody().replaceAll("(?s).*\"code\":\"([^\"]+)\".*", "$1");
        }
        monitors.deleteMonitor(created.getId(), null);
        List<String> names = page.getItems().stream().map(item -> '"' + item.getName() + '"').toList();
        System.out.printf(
            "{\"interval\":%s,\"applied\":%d,\"names\":%s,\"results\":%d,\"checks\":%d,\"refused\":\"%s\"}%n",
            changed.getIntervalSeconds().getValue(),
            applied.getCreated().size() + applied.getUpdated().size() + applied.getUnchanged().size(),
            names, results.getItems().size(), stats.getTotal().getChecks(), refused);
    }
}
