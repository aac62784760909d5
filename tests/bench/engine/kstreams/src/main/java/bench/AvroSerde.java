package bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** Avro behind a zero and a schema number, like everybody's; reuses its buffers, so one instance serves one thread. */
final class AvroSerde implements Serde<GenericRecord>, Serializer<GenericRecord>, Deserializer<GenericRecord> {
  private static final int HEADER = 5;
  private final Schema schema;
  private final int number;
  private final GenericDatumReader<GenericRecord> reader;
  private final GenericDatumWriter<GenericRecord> writer;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
  private BinaryDecoder decoder;
  private BinaryEncoder encoder;

  AvroSerde(Schema schema, int number) {
    this.schema = schema;
    this.number = number;
    this.reader = new GenericDatumReader<>(schema);
    this.writer = new GenericDatumWriter<>(schema);
  }

  Schema schema() {
    return schema;
  }

  @Override
  public Serializer<GenericRecord> serializer() {
    return new AvroSerde(schema, number);
  }

  @Override
  public Deserializer<GenericRecord> deserializer() {
    return new AvroSerde(schema, number);
  }

  @Override
  public byte[] serialize(String topic, GenericRecord fields) {
    if (fields == null) {
      return null;
    }
    try {
      out.reset();
      out.write(0);
      out.writeBytes(ByteBuffer.allocate(4).putInt(number).array());
      encoder = EncoderFactory.get().binaryEncoder(out, encoder);
      writer.write(fields, encoder);
      encoder.flush();
      return out.toByteArray();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  @Override
  public GenericRecord deserialize(String topic, byte[] raw) {
    if (raw == null) {
      return null;
    }
    if (raw[0] != 0) {
      throw new IllegalArgumentException("no schema number in front");
    }
    try {
      decoder = DecoderFactory.get().binaryDecoder(raw, HEADER, raw.length - HEADER, decoder);
      return reader.read(null, decoder);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  @Override
  public void configure(Map<String, ?> settings, boolean isKey) {}

  @Override
  public void close() {}
}
