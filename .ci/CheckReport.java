import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Fails unless the report of the default demo has a complete row for each of its six caches, and each is as accurate as
 * a float32 reference of the method says. All faults are listed.
 */
class CheckReport {

    private static final int PASSAGES = 24;
    private static final int NEEDLE_FILES = 2;
    private static final int PROMPTS = 12;
    private static final double NATS_TOLERANCE = 0.003;
    /** Bounds the loss of the one cache without a reference. */
    private static final double LARGEST_LOSS = 0.03;
    private static final String DENSE = "dense";

    private static final List<Expected> CACHES = List.of(
            new Expected(DENSE, 1.0196, 1, 1),
            new Expected("k0.8", 1.0258, 1, 1),
            new Expected("k0.8-centred", 1.0228, 1, 1),
            new Expected("k0.8-centred+v0.8", 1.0259, 1, 1),
            new Expected("k0.9-centred+v0.9", Double.NaN, 0.9, 1),
            new Expected("k0.8-zero", 1.1293, 0, 0.8));

    private final File file;
    private final List<String> faults = new ArrayList<>();

    /** @param nats NaN if there is no reference; {@code most} counts as too much unless it is 1 */
    private record Expected(String cache, double nats, double least, double most) {}

    private CheckReport(File file) {
        this.file = file;
    }

    public static void main(String[] arguments) throws IOException {
        new CheckReport(new File(arguments[0])).check();
    }

    private void check() throws IOException {
        Map<String, JsonNode> rows = new HashMap<>();
        JsonNode array = new ObjectMapper().readTree(file).path("rows");
        array.forEach(row -> rows.put(row.path("cache").asText(), row));
        if (array.size() != CACHES.size()) {
            faults.add(array.size() + " rows, expected " + CACHES.size());
        }
        for (Expected expected : CACHES) {
            JsonNode row = rows.get(expected.cache());
            if (row == null) {
                faults.add(expected.cache() + ": no row");
            } else {
                checkComplete(expected, row);
                checkNats(expected, row, rows.get(DENSE));
                checkNeedles(expected, row.path("needles"));
            }
        }
        if (!faults.isEmpty()) {
            faults.forEach(fault -> System.err.println(file + ": " + fault));
            System.exit(1);
        }
        System.out.println(file + " has " + CACHES.size() + " rows, all as accurate as expected");
    }

    private void checkComplete(Expected expected, JsonNode row) {
        for (String number : new String[] {"needleAccuracy", "natsPerByte", "bytesPerTokenPerHead", "decodeMicros"}) {
            if (!row.path(number).isNumber()) {
                faults.add(expected.cache() + ": no number \"" + number + "\"");
            }
        }
        int passages = row.path("passages").asInt();
        if (passages != PASSAGES) {
            faults.add(expected.cache() + ": " + passages + " passages, expected " + PASSAGES);
        }
    }

    private void checkNats(Expected expected, JsonNode row, JsonNode dense) {
        // Comparisons are such that NaN, which is what a missing number reads as, fails.
        double nats = row.path("natsPerByte").asDouble(Double.NaN);
        if (Double.isNaN(expected.nats())) {
            double base = dense == null ? Double.NaN : dense.path("natsPerByte").asDouble(Double.NaN);
            if (!(nats < base + LARGEST_LOSS)) {
                faults.add(format("%s: %.4f nats/byte, expected less than %.4f of the dense cache + %.4f",
                        expected.cache(), nats, base, LARGEST_LOSS));
            }
        } else if (!(Math.abs(nats - expected.nats()) <= NATS_TOLERANCE)) {
            faults.add(format("%s: %.4f nats/byte, expected %.4f, tolerance %.4f",
                    expected.cache(), nats, expected.nats(), NATS_TOLERANCE));
        }
    }

    private void checkNeedles(Expected expected, JsonNode needles) {
        if (needles.size() != NEEDLE_FILES) {
            faults.add(expected.cache() + ": " + needles.size() + " needle files, expected " + NEEDLE_FILES);
        }
        for (JsonNode needle : needles) {
            String where = expected.cache() + ", " + needle.path("file").asText();
            int prompts = needle.path("prompts").asInt();
            if (prompts != PROMPTS) {
                faults.add(where + ": " + prompts + " prompts, expected " + PROMPTS);
            }
            double accuracy = needle.path("needleAccuracy").asDouble(Double.NaN);
            if (!(accuracy >= expected.least())) {
                faults.add(format("%s: needle accuracy %.3f, expected at least %.3f, no tolerance",
                        where, accuracy, expected.least()));
            }
            if (expected.most() < 1 && !(accuracy < expected.most())) {
                faults.add(format("%s: needle accuracy %.3f, expected below %.3f, no tolerance",
                        where, accuracy, expected.most()));
            }
        }
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
