package bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams, exactly once: told its topics by the environment, says BENCH (settings) and READY on stdout. */
public final class Main {
  private static final int PARTITIONS = 4;

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Properties settings = settings();
    String store = option("BENCH_KS_STORE", "memory");
    boolean cached = option("BENCH_KS_CACHED", "yes").equals("yes");
    AvroSerde orders = serde("order", 1);
    AvroSerde requests = serde("request", 3);
    AvroSerde states = serde("state", 4);
    Map<String, GenericRecord> profiles = profiles(serde("profile", 2));

    StreamsBuilder builder = new StreamsBuilder();
    KeyValueBytesStoreSupplier supplier =
        store.equals("memory") ? Stores.inMemoryKeyValueStore(Join.STORE) : Stores.persistentKeyValueStore(Join.STORE);
    var keeping = Stores.keyValueStoreBuilder(supplier, Serdes.String(), states).withLoggingEnabled(Map.of());
    builder.addStateStore(cached ? keeping.withCachingEnabled() : keeping.withCachingDisabled());
    builder.stream(env("ORDERS"), Consumed.with(Serdes.String(), orders))
        .process(() -> new Join(profiles, requests.schema(), states.schema()), Join.STORE)
        .to(
            env("REQUESTS"),
            Produced.with(
                Serdes.String(),
                requests,
                (topic, key, value, count) -> Optional.of(Set.of(Integer.parseInt(key.substring(5)) % count))));

    say(store, cached, settings);
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING) {
            System.out.println("READY");
            System.out.flush();
          }
        });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(3))));
    streams.start();
  }

  private static Properties settings() {
    Properties settings = new Properties();
    settings.put("application.id", env("RUN"));
    settings.put("bootstrap.servers", env("BOOTSTRAP"));
    settings.put("state.dir", env("SCRATCH"));
    settings.put("num.stream.threads", "1");
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("commit.interval.ms", "100");
    settings.put("statestore.cache.max.bytes", "67108864");
    settings.put("auto.offset.reset", "earliest");
    settings.put("replication.factor", "1");
    settings.put("max.poll.records", "2000");
    settings.put("producer.linger.ms", "5");
    settings.put("producer.batch.size", "400000");
    settings.put("producer.buffer.memory", "134217728");
    return settings;
  }

  private static Map<String, GenericRecord> profiles(AvroSerde serde) {
    Map<String, GenericRecord> profiles = new HashMap<>();
    Map<String, Object> settings = Map.of("bootstrap.servers", env("BOOTSTRAP"), "auto.offset.reset", "earliest");
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
      List<TopicPartition> all =
          IntStream.range(0, PARTITIONS).mapToObj(number -> new TopicPartition(env("PROFILES"), number)).toList();
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(part -> consumer.position(part) < ends.get(part))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          profiles.put(new String(record.key()), serde.deserialize(record.topic(), record.value()));
        }
      }
    }
    return profiles;
  }

  private static AvroSerde serde(String name, int number) throws Exception {
    Path schema = Path.of(env("SCRATCH"), name + ".avsc");
    return new AvroSerde(new Schema.Parser().parse(schema.toFile()), number);
  }

  private static String env(String name) {
    return System.getenv("BENCH_" + name);
  }

  private static String option(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }

  private static void say(String store, boolean cached, Properties settings) {
    StringBuilder line = new StringBuilder("BENCH {\"versions\": {\"kafka-streams\": \"");
    line.append(AppInfoParser.getVersion()).append("\", \"java\": \"").append(Runtime.version());
    line.append("\"}, \"settings\": {\"store\": \"").append(store).append("\", \"cached\": \"").append(cached);
    for (String name : settings.stringPropertyNames().stream().sorted().toList()) {
      if (!name.endsWith("dir") && !name.endsWith("id") && !name.endsWith("servers")) {
        line.append("\", \"").append(name).append("\": \"").append(settings.getProperty(name));
      }
    }
    System.out.println(line.append("\"}}"));
    System.out.flush();
  }
}
