import java.io.*;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Follows Jumun's log on Kafka by the header rule of ../following-kafka.md, and writes a line of JSON per event to a file.
 *
 * <pre>java -cp 'FOLDER_OF_JARS/*' Consumer.java BROKERS PREFIX OUTPUT     (kafka-clients, slf4j)</pre>
 *
 * Its places are in OUTPUT.places. They say how long OUTPUT was when they were right, so that after a crash each event is in it once.
 */
public class Consumer {
    static final List<String> TOPICS =
        List.of("customers", "catalog", "stock", "carts", "orders", "payments", "notifications");

    /** All of a partition up to `position` is taken; it goes on at `offset`. */
    static class Place {
        long position, offset;
        String epoch = "", hole = "";

        /** The header rule: whether this record is the next one. */
        boolean see(long position, long prev, String epoch) {
            if (!this.epoch.isEmpty() && !this.epoch.equals(epoch))
                throw new IllegalStateException("this is the log " + epoch + ", and we have followed " + this.epoch);
            this.epoch = epoch;
            if (position <= this.position) return false;
            if (prev > this.position) {
                hole = "after " + this.position + " up to " + prev;
                return false;
            }
            this.position = position;
            hole = "";
            return true;
        }
    }

    final Map<TopicPartition, Place> places = new HashMap<>();
    final Path kept;
    final FileChannel output;

    Consumer(String path) throws IOException {
        kept = Path.of(path + ".places");
        output = FileChannel.open(Path.of(path), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        long length = 0;
        if (Files.exists(kept)) {
            List<String> lines = Files.readAllLines(kept);
            length = Long.parseLong(lines.get(0));
            for (String line : lines.subList(1, lines.size())) {
                String[] words = line.split(" ", -1);
                Place place = new Place();
                place.position = Long.parseLong(words[2]);
                place.offset = Long.parseLong(words[3]);
                place.epoch = words[4];
                places.put(new TopicPartition(words[0], Integer.parseInt(words[1])), place);
            }
        }
        output.truncate(length).position(length);
    }

    void keep() throws IOException {
        output.force(false);
        StringBuilder text = new StringBuilder().append(output.position());
        places.forEach((key, place) -> text.append('\n').append(key.topic()).append(' ').append(key.partition())
            .append(' ').append(place.position).append(' ').append(place.offset).append(' ').append(place.epoch));
        Path fresh = Path.of(kept + ".new");
        try (FileOutputStream file = new FileOutputStream(fresh.toFile())) {
            file.write(text.toString().getBytes(StandardCharsets.UTF_8));
            file.getFD().sync();
        }
        Files.move(fresh, kept, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    static String header(ConsumerRecord<?, ?> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    void take(ConsumerRecord<String, String> record) throws IOException {
        Place place = places.get(new TopicPartition(record.topic(), record.partition()));
        long position = Long.parseLong(header(record, "ce_position"));
        long prev = Long.parseLong(header(record, "ce_prevposition"));
        String had = place.hole;
        if (place.see(position, prev, header(record, "ce_epoch")) && record.key() != null) {
            String line = "{\"topic\": " + quoted(record.topic()) + ", \"partition\": " + record.partition()
                + ", \"position\": " + position + ", \"id\": " + quoted(header(record, "ce_id"))
                + ", \"type\": " + quoted(header(record, "ce_type")) + ", \"stream\": " + quoted(record.key())
                + ", \"version\": " + header(record, "ce_streamversion") + ", \"data\": " + record.value() + "}\n";
            output.write(StandardCharsets.UTF_8.encode(line));
        }
        if (place.hole.isEmpty()) place.offset = record.offset() + 1;
        else if (!place.hole.equals(had))
            System.err.println(record.topic() + "/" + record.partition() + " lacks events " + place.hole);
    }

    public static void main(String[] arguments) throws IOException {
        Consumer own = new Consumer(arguments[2]);
        Map<String, Object> settings =
            Map.of("bootstrap.servers", arguments[0], "enable.auto.commit", false, "auto.offset.reset", "earliest");
        try (var kafka = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            for (String topic : TOPICS)
                for (var found : kafka.partitionsFor(arguments[1] + "." + topic))
                    own.places.putIfAbsent(new TopicPartition(found.topic(), found.partition()), new Place());
            kafka.assign(own.places.keySet());
            own.places.forEach((key, place) -> kafka.seek(key, place.offset));
            while (true) {
                for (var record : kafka.poll(Duration.ofMillis(200))) own.take(record);
                own.keep();
            }
        }
    }
}
