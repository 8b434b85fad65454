import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Fails unless the report of a short run of the benchmarks has a complete row for every operation and layer, none of
 * which allocated once it was warm. Says nothing about speed: that is for long runs on idle machines.
 */
class CheckBenchReport {

    private static final List<String> OPERATIONS = List.of(
            "decode-step", "key-scores", "value-sums", "pack-keys", "pack-values");
    private static final List<String> LAYERS = List.of(
            "dense bf16", "k0.8-centred bf16", "k0.8-centred int8", "k0.8-centred+v0.8 bf16", "k0.8-centred+v0.8 int8");
    private static final List<String> POSITIVE = List.of(
            "contextTokens", "groupSize", "threads", "nanosPerTokenHead", "bytesPerTokenHead",
            "fractionOfReadBandwidth", "speedupOverDenseBf16");

    private final File file;
    private final List<String> faults = new ArrayList<>();

    private CheckBenchReport(File file) {
        this.file = file;
    }

    public static void main(String[] arguments) throws IOException {
        new CheckBenchReport(new File(arguments[0])).check();
    }

    private void check() throws IOException {
        JsonNode report = new ObjectMapper().readTree(file);
        List<String> found = new ArrayList<>();
        for (JsonNode row : report.path("rows")) {
            String name = row.path("operation").asText() + ": " + row.path("spec").asText() + " "
                    + row.path("format").asText();
            found.add(name);
            checkRow(name, row);
        }
        for (String operation : OPERATIONS) {
            for (String layer : LAYERS) {
                if (!found.contains(operation + ": " + layer)) {
                    faults.add(operation + ": " + layer + ": no row");
                }
            }
        }
        if (!(report.at("/readBandwidth/0/gigabytesPerSecond").asDouble() > 0)) {
            faults.add("no read bandwidth");
        }
        if (!faults.isEmpty()) {
            faults.forEach(fault -> System.err.println(file + ": " + fault));
            System.exit(1);
        }
        System.out.println(file + " has " + found.size() + " rows, all complete");
    }

    private void checkRow(String name, JsonNode row) {
        for (String number : POSITIVE) {
            // Such that NaN, which is what a missing number reads as, fails.
            if (!(row.path(number).asDouble(Double.NaN) > 0)) {
                faults.add(name + ": \"" + number + "\" is no positive number");
            }
        }
        if (row.path("settled").asBoolean() && row.path("allocatedBytesPerStep").asLong(-1) != 0) {
            faults.add(name + ": allocated " + row.path("allocatedBytesPerStep") + " bytes per step, expected 0");
        }
    }
}
