import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.activemq.broker.BrokerPlugin;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.plugin.StatisticsBrokerPlugin;
import org.jolokia.backend.BackendManager;
import org.jolokia.config.ConfigKey;
import org.jolokia.config.Configuration;
import org.jolokia.http.HttpRequestHandler;
import org.jolokia.restrictor.RestrictorFactory;
import org.jolokia.util.LogHandler;
import org.jolokia.util.QuietLogHandler;

/**
 * A real ActiveMQ broker and, in its virtual machine, the real Jolokia behind a small web server.
 *
 * Debian's package has neither web console nor Jolokia; the answers come from Debian's
 * jolokia-core and the broker's own beans, under the policy that ActiveMQ ships.
 * Arguments: data directory, policy file, port of STOMP, port of HTTP, user, password, address,
 * "plugin" for the statistics plugin, and the MiB of memory for messages.
 */
public class Broker {
    public static void main(String[] args) throws Exception {
        BrokerService broker = new BrokerService();
        broker.setBrokerName("netmon-lab");
        broker.setDataDirectory(args[0]);
        broker.setUseJmx(true);
        broker.getManagementContext().setCreateConnector(false);
        broker.getSystemUsage().getMemoryUsage().setLimit(Long.parseLong(args[8]) << 20);
        if (args[7].equals("plugin")) {
            broker.setPlugins(new BrokerPlugin[] {new StatisticsBrokerPlugin()});
        }
        broker.addConnector("stomp://" + args[6] + ":" + args[2]);
        broker.start();
        broker.waitUntilStarted();
        InetSocketAddress place = new InetSocketAddress(args[6], Integer.parseInt(args[3]));
        serve(Path.of(args[1]), place, args[4], args[5]);
        System.out.println("started");
        broker.waitUntilStopped();
    }

    private static void serve(Path policy, InetSocketAddress place, String user, String password)
            throws IOException {
        Configuration configuration = new Configuration(
            ConfigKey.POLICY_LOCATION, policy.toUri().toString(), ConfigKey.AGENT_ID, "psops-test");
        LogHandler log = new QuietLogHandler();
        BackendManager backend = new BackendManager(
            configuration, log, RestrictorFactory.createRestrictor(configuration, log));
        HttpRequestHandler handler = new HttpRequestHandler(configuration, backend, log);
        HttpServer server = HttpServer.create(place, 0);
        server.setExecutor(Executors.newFixedThreadPool(2, task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/api/jolokia", exchange -> answer(handler, exchange))
            .setAuthenticator(new BasicAuthenticator("test") {
                @Override
                public boolean checkCredentials(String given, String secret) {
                    return given.equals(user) && secret.equals(password);
                }
            });
        server.start();
    }

    private static void answer(HttpRequestHandler handler, HttpExchange exchange) throws IOException {
        Object json;
        try {
            handler.checkAccess("127.0.0.1", "127.0.0.1", exchange.getRequestHeaders().getFirst("Origin"));
            String path = exchange.getRequestURI().getPath().substring("/api/jolokia".length());
            json = handler.handleGetRequest(exchange.getRequestURI().toString(), path, Map.of());
        } catch (Throwable error) {
            json = handler.handleThrowable(error);
        }
        byte[] body = json.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
