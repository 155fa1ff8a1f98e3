# Kafka in KRaft mode: every broker is a controller as well. Sourced by script/stack.

kafka_names() { seq -f 'kafka-%g' "$brokers"; }

need_kafka() {
  need_java
  need_package openssl openssl
}

kafka_pom=$here/stack.d/kafka/pom.xml
kafka_lib() { folder_for kafka "$kafka_pom"; }

kafka_java() { # kafka_java MEGABYTES CLASS ARGUMENT…: the command, a word a line
  printf '%s\n' "$(jdk java)" -Xms64m "-Xmx$1m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info -cp "$(kafka_lib)/*" "${@:2}"
}

kafka_create() {
  local name ca=$data/kafka-tls
  cached "$(kafka_lib)" jars "$kafka_pom"
  [ -d "$ca" ] || kafka_certificates "$ca"
  [ -f "$data/kafka-password" ] || (umask 077 && openssl rand -hex 16 >"$data/kafka-password")
  [ -f "$data/kafka-cluster" ] || openssl rand -base64 16 | tr '+/' 'AB' | cut -c 1-22 >"$data/kafka-cluster"
  for name in $(kafka_names); do
    mkdir -p "$data/$name"
    kafka_properties "$name" >"$data/$name/server.properties"
    [ -f "$data/$name/data/meta.properties" ] || kafka_format "$name"
  done
}

# An authority of our own, and one certificate of it for all brokers.
kafka_certificates() {
  local new=$1.new
  rm -rf "$new"
  mkdir "$new"
  kafka_sign "$new" 2>"$data/kafka-tls.log" || {
    cat "$data/kafka-tls.log" >&2
    exit 1
  }
  mv "$new" "$1"
}

kafka_sign() (
  cd "$1" &&
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=Jumun stack authority' -keyout ca.key -out ca.crt &&
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout broker.key -out broker.csr &&
    openssl x509 -req -in broker.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out broker.crt \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') &&
    cat broker.key broker.crt ca.crt >broker.pem &&
    chmod 600 ./*.key broker.pem
)

kafka_properties() {
  local id=${1#kafka-} voters=() name
  for name in $(kafka_names); do voters+=("${name#kafka-}@127.0.0.1:$(port "$name-controller")"); done
  local listeners="PLAINTEXT://127.0.0.1:$(port "$1"),TLS://127.0.0.1:$(port "$1-tls"),SCRAM://127.0.0.1:$(port "$1-scram")"
  cat "$here/stack.d/kafka/server.properties"
  local advertised=$listeners
  # Whoever comes through the proxy is sent through it again.
  if [ -n "$kafka_proxy" ]; then
    listeners+=",PROXIED://127.0.0.1:$(port "$1-proxied")"
    advertised+=",PROXIED://127.0.0.1:$kafka_proxy"
  fi
  cat <<-END
	node.id=$id
	controller.quorum.voters=$(IFS=, && echo "${voters[*]}")
	listeners=$listeners,CONTROLLER://127.0.0.1:$(port "$1-controller")
	advertised.listeners=$advertised
	ssl.keystore.location=$data/kafka-tls/broker.pem
	log.dirs=$data/$1/data
	default.replication.factor=$brokers
	offsets.topic.replication.factor=$brokers
	transaction.state.log.replication.factor=$brokers
	share.coordinator.state.topic.replication.factor=$brokers
	END
}

kafka_format() {
  local command
  mapfile -t command < <(kafka_java 128 kafka.tools.StorageTool format -t "$(cat "$data/kafka-cluster")" -c "$data/$1/server.properties" \
    --ignore-formatted --add-scram "SCRAM-SHA-512=[name=jumun,password=$(cat "$data/kafka-password")]")
  "${command[@]}" >"$data/$1/format.log" 2>&1 || {
    cat "$data/$1/format.log" >&2
    exit 1
  }
}

kafka_launch() {
  local command
  mapfile -t command < <(kafka_java 256 kafka.Kafka "$data/$1/server.properties")
  detach "$1" "${command[@]}"
}

# A broker listens before it may lead anything; it says when it may.
kafka_answers() { grep -q 'Kafka Server started' "$data/$1/log" 2>/dev/null && alive "$1"; }

kafka_addresses() { # kafka_addresses SUFFIX
  local name all=()
  for name in $(kafka_names); do all+=("127.0.0.1:$(port "$name$1")"); done
  (IFS=, && echo "${all[*]}")
}

kafka_environment() {
  printf '%s\n' \
    "JUMUN_TEST_KAFKA_BROKERS=$(kafka_addresses '')" \
    "JUMUN_TEST_KAFKA_TLS_BROKERS=$(kafka_addresses -tls)" \
    "JUMUN_TEST_KAFKA_SCRAM_BROKERS=$(kafka_addresses -scram)" \
    "JUMUN_TEST_KAFKA_CA_FILE=$data/kafka-tls/ca.crt" \
    "JUMUN_TEST_KAFKA_USERNAME=jumun" \
    "JUMUN_TEST_KAFKA_PASSWORD=$(cat "$data/kafka-password")" \
    "JUMUN_TEST_KAFKA_CLASSPATH=$(kafka_lib)/*" \
    "JUMUN_KAFKA_BROKERS=$(kafka_addresses '')" \
    "JUMUN_KAFKA_REPLICATION=$brokers"
  [ -z "$kafka_proxy" ] || echo "JUMUN_TEST_KAFKA_PROXIED=127.0.0.1:$(port kafka-1-proxied)"
}
