import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends what stdin says, in transactions: "TOPIC PARTITION KEY|- BASE64", "commit", "abort". */
public class StrangerProducer {
    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("compression.type", arguments[1]);
        settings.put("transactional.id", arguments[2]);
        settings.put("linger.ms", "50");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ");
                if (words[0].equals("commit")) {
                    producer.commitTransaction();
                    System.out.println("committed");
                    producer.beginTransaction();
                } else if (words[0].equals("abort")) {
                    producer.abortTransaction();
                    System.out.println("aborted");
                    producer.beginTransaction();
                } else {
                    byte[] key = words[2].equals("-") ? null : words[2].getBytes();
                    byte[] value = Base64.getDecoder().decode(words[3]);
                    producer.send(new ProducerRecord<>(words[0], Integer.valueOf(words[1]), key, value));
                }
            }
        }
    }
}
