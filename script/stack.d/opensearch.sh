# OpenSearch: one node, with Korean and Japanese analysis. Sourced by script/stack.

opensearch_names() { echo opensearch; }

need_opensearch() {
  need_java
  need_package curl curl
}

# OpenSearch 3 wants Java 21.
opensearch_version() { if [ "$(jdk_major)" -ge 21 ]; then echo 3.8; else echo 2.19; fi; }
opensearch_pom() { echo "$here/stack.d/opensearch/$(opensearch_version)/pom.xml"; }
opensearch_lib() { folder_for "opensearch-$(opensearch_version)" "$(opensearch_pom)"; }
opensearch_classes() { folder_for "opensearch-node-$(opensearch_version)-java$(jdk_major)" "$(opensearch_pom)" "$here"/stack.d/opensearch/node/*.java; }

opensearch_create() {
  port opensearch >/dev/null
  cached "$(opensearch_lib)" jars "$(opensearch_pom)"
  cached "$(opensearch_classes)" opensearch_compile
}

opensearch_compile() {
  "$(jdk javac)" -nowarn -proc:none -cp "$(opensearch_lib)/*" -d "$1" "$here"/stack.d/opensearch/node/*.java
}

opensearch_launch() {
  detach "$1" "$(jdk java)" -Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --add-modules jdk.incubator.vector \
    -cp "$(opensearch_lib)/*:$(opensearch_classes)" SearchNode "$data/opensearch/node" "$(port opensearch)"
}

opensearch_answers() {
  curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$(port opensearch)/_cluster/health?wait_for_status=yellow&timeout=4s" 2>/dev/null
}

opensearch_environment() {
  printf '%s\n' \
    "JUMUN_TEST_OPENSEARCH_URL=http://127.0.0.1:$(port opensearch)" \
    "JUMUN_OPENSEARCH_URL=http://127.0.0.1:$(port opensearch)"
}
