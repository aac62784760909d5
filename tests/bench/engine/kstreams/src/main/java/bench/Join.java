package bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The decision of workload.py: an order, the profile and the customer's state become a request and a new state. */
final class Join implements Processor<String, GenericRecord, String, GenericRecord> {
  static final String STORE = "state";
  private static final int RECENT = 5;
  private final Map<String, GenericRecord> profiles;
  private final Schema requests;
  private final Schema states;
  private ProcessorContext<String, GenericRecord> context;
  private KeyValueStore<String, GenericRecord> store;

  Join(Map<String, GenericRecord> profiles, Schema requests, Schema states) {
    this.profiles = profiles;
    this.requests = requests;
    this.states = states;
  }

  @Override
  public void init(ProcessorContext<String, GenericRecord> context) {
    this.context = context;
    this.store = context.getStateStore(STORE);
  }

  @Override
  public void process(Record<String, GenericRecord> record) {
    GenericRecord order = record.value();
    GenericRecord profile = profiles.get(record.key());
    GenericRecord before = store.get(record.key());
    String number = order.get("order_id").toString();
    List<Object> recent = new ArrayList<>(RECENT + 1);
    boolean duplicate = false;
    if (before != null) {
      for (Object known : (List<?>) before.get("recent")) {
        recent.add(known);
        duplicate |= known.toString().equals(number);
      }
    }
    String channel = duplicate || profile == null ? "" : channel(profile);
    String reason =
        duplicate ? "duplicate" : profile == null ? "no-profile" : channel.isEmpty() ? "no-consent" : "consented";

    GenericRecord request = new GenericData.Record(requests);
    request.put("request_id", "req-" + number);
    request.put("order_id", number);
    request.put("customer_id", order.get("customer_id"));
    request.put("decision", channel.isEmpty() ? "suppress" : "send");
    request.put("channel", channel);
    request.put("reason", reason);
    request.put("template", "order-confirmation-v3");
    request.put("locale", duplicate || profile == null ? "en" : profile.get("locale"));
    request.put("subject", "Your order " + number + " at " + order.get("store"));
    request.put("recipient", channel.isEmpty() ? "" : profile.get(reachedBy(channel)));
    request.put("amount", order.get("total"));
    request.put("order_ts", order.get("ts"));
    request.put("lines", lines((List<?>) order.get("items")));

    recent.add(number);
    GenericRecord after = new GenericData.Record(states);
    after.put("count", before == null ? 1 : (Integer) before.get("count") + 1);
    after.put("total", (before == null ? 0.0 : (Double) before.get("total")) + (Double) order.get("total"));
    after.put("last_ts", order.get("ts"));
    after.put("last_channel", channel);
    after.put("recent", recent.size() > RECENT ? recent.subList(recent.size() - RECENT, recent.size()) : recent);
    store.put(record.key(), after);
    context.forward(record.withValue(request));
  }

  private static String channel(GenericRecord profile) {
    for (String way : new String[] {profile.get("preferred").toString(), "email", "sms", "push"}) {
      if ((Boolean) profile.get("consent_" + way) && (!way.equals("sms") || profile.get("phone") != null)) {
        return way;
      }
    }
    return "";
  }

  private static String reachedBy(String channel) {
    return channel.equals("email") ? "email" : channel.equals("sms") ? "phone" : "customer_id";
  }

  private static List<String> lines(List<?> items) {
    List<String> lines = new ArrayList<>(items.size());
    for (Object item : items) {
      GenericRecord fields = (GenericRecord) item;
      lines.add(fields.get("qty") + "x " + fields.get("name"));
    }
    return lines;
  }
}
