import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node on loopback: java -cp 'lib/*:classes' SearchNode DATA_FOLDER HTTP_PORT. */
public class SearchNode {
  public static void main(String[] arguments) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.onBuild((number, settings) -> {
      settings.put("http.port", arguments[1]);
      settings.put("transport.port", "0");
      settings.put("network.host", "127.0.0.1");
      settings.put("discovery.type", "single-node");
      settings.putNull("discovery.seed_hosts");
      // A full disk is the machine's trouble, not the test's.
      settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
    });
    try {
      runner.build(OpenSearchRunner.newConfigs().basePath(arguments[0]).numOfNode(1).clusterName("jumun-stack")
          .pluginTypes("NoriPlugin,KuromojiPlugin").useLogger());
    } catch (Throwable failure) {
      failure.printStackTrace();
      System.exit(1);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        runner.close();
      } catch (java.io.IOException failure) {
        failure.printStackTrace();
      }
    }));
    Thread.currentThread().join();
  }
}
