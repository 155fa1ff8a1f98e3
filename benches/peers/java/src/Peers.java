import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.net.URI;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.axonframework.common.transaction.NoTransactionManager;
import org.axonframework.eventhandling.GenericDomainEventMessage;
import org.axonframework.eventsourcing.eventstore.jdbc.JdbcEventStorageEngine;
import org.axonframework.eventsourcing.eventstore.jdbc.PostgresEventTableFactory;
import org.axonframework.modelling.command.AggregateStreamCreationException;
import org.axonframework.modelling.command.ConcurrencyException;
import org.axonframework.serialization.json.JacksonSerializer;

/**
 * Measures Axon Framework's JdbcEventStorageEngine; same tests and same TSV rows as rust/src/main.rs. The engine is
 * called alone and commits by itself, without the transaction and unit of work that a command handler would have.
 */
public class Peers {
    public record Line(String sku, int qty, long cents) {}

    public record Order(String orderId, String customerId, String currency, long totalCents, String channel, String placedAt, List<Line> lines) {}

    interface Step { boolean run(long[] seen) throws Exception; }

    static HikariDataSource pool;
    static JdbcEventStorageEngine engine;
    static volatile boolean stop;

    static void open(int size) {
        if (pool != null) pool.close();
        URI url = URI.create(System.getenv("PG_URL"));
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath());
        String[] user = url.getUserInfo().split(":", 2);
        config.setUsername(user[0]);
        if (user.length > 1) config.setPassword(user[1]);
        config.setMaximumPoolSize(size);
        pool = new HikariDataSource(config);
        engine = JdbcEventStorageEngine.builder()
            .connectionProvider(pool::getConnection).transactionManager(NoTransactionManager.INSTANCE)
            .eventSerializer(JacksonSerializer.defaultSerializer()).snapshotSerializer(JacksonSerializer.defaultSerializer())
            .persistenceExceptionResolver(e -> e instanceof SQLException s && "23505".equals(s.getSQLState())).build();
    }

    static boolean append(String id, long after, int n) {
        Line[] lines = {new Line("SKU-000001", 1, 4990), new Line("SKU-000002", 2, 4990)};
        var order = new Order(id, UUID.randomUUID().toString(), "EUR", 14970, "storefront", "2026-11-23T05:32:05.123Z", List.of(lines));
        try {
            engine.appendEvents(IntStream.rangeClosed(1, n)
                .mapToObj(i -> new GenericDomainEventMessage<>("order", id, after + i, order)).toList());
            return true;
        } catch (ConcurrencyException | AggregateStreamCreationException e) {
            return false;
        }
    }

    static boolean appendNew(int n) { return append(UUID.randomUUID().toString(), -1, n); }

    static boolean appendHot(String id, long[] seen) {
        if (append(id, seen[0], 1)) {
            seen[0]++;
            return true;
        }
        seen[0] = engine.lastSequenceNumberFor(id).orElse(-1L);
        return false;
    }

    static long readAll() {
        long[] n = {0};
        engine.readEvents(null, false).forEach(e -> { if (((Order) e.getPayload()).totalCents() > 0) n[0]++; });
        return n[0];
    }

    static double[] timed(int conc, double secs, Step step) throws Exception {
        AtomicLong done = new AtomicLong(), failed = new AtomicLong();
        stop = false;
        List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < conc; w++) {
            Thread thread = new Thread(() -> {
                long[] seen = {0};
                try {
                    while (!stop) (step.run(seen) ? done : failed).incrementAndGet();
                } catch (Exception e) {
                    e.printStackTrace();
                    System.exit(1);
                }
            });
            thread.start();
            threads.add(thread);
        }
        Thread.sleep(1000);
        long d = done.get(), f = failed.get(), t = System.nanoTime();
        Thread.sleep((long) (secs * 1000));
        double s = (System.nanoTime() - t) / 1e9;
        double[] rates = {(done.get() - d) / s, (failed.get() - f) / s};
        stop = true;
        for (Thread thread : threads) thread.join();
        return rates;
    }

    static void row(String test, int conc, double done, double failed, String note) {
        System.out.printf("axon\t%s\t%d\t%.0f\t%.0f\t%s%n", test, conc, done, failed, note);
    }

    static String env(String name, String other) { return System.getenv().getOrDefault(name, other); }

    static long sql(String sql) throws Exception {
        try (var c = pool.getConnection(); var s = c.createStatement()) {
            if (!s.execute(sql)) return 0;
            s.getResultSet().next();
            return s.getResultSet().getLong(1);
        }
    }

    public static void main(String[] args) throws Exception {
        double secs = Double.parseDouble(env("SECS", "5"));
        int runs = Integer.parseInt(env("RUNS", "3")), seed = Integer.parseInt(env("SEED", "200000"));
        open(8);
        engine.createSchema(PostgresEventTableFactory.INSTANCE);

        AtomicLong left = new AtomicLong(seed / 100);
        long start = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < 8; w++) threads.add(new Thread(() -> { while (left.decrementAndGet() >= 0) appendNew(100); }));
        for (Thread thread : threads) thread.start();
        for (Thread thread : threads) thread.join();
        row("append-100", 8, seed / ((System.nanoTime() - start) / 1e9), 0, "100 events per append");
        sql("VACUUM ANALYZE");
        sql("CHECKPOINT");

        for (int i = 0; i <= runs; i++) {
            start = System.nanoTime();
            long n = readAll();
            row("read", 1, n / ((System.nanoTime() - start) / 1e9), 0, n + " read");
        }
        for (int conc : new int[] {1, 16, 64}) {
            open(conc);
            for (int i = 0; i < runs; i++) {
                double[] rates = timed(conc, secs, seen -> appendNew(1));
                row("append", conc, rates[0], rates[1], "");
            }
        }
        for (int i = 0; i < runs; i++) {
            String id = UUID.randomUUID().toString();
            append(id, -1, 1);
            double[] rates = timed(64, secs, seen -> appendHot(id, seen));
            row("hot", 64, rates[0], rates[1], "");
        }
        row("check", 1, 0, 0, sql("SELECT count(*) FROM DomainEventEntry") + " rows, " + readAll() + " read from the start");
        System.exit(0);
    }
}
