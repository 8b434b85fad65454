import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Fails unless what {@code attune} printed about one tuned specification fits together: it is listed; what was measured
 * is what explains the choice; enough variants were considered; and both the chosen one and the default were timed. All
 * faults are listed.
 */
class CheckCommandLine {

    private static final int LEAST_CANDIDATES = 6;

    private final List<String> faults = new ArrayList<>();

    private CheckCommandLine() {}

    /** The specification's simple name, then what specs, tune and explain printed as JSON, and the report. */
    public static void main(String[] arguments) throws IOException {
        ObjectMapper json = new ObjectMapper();
        new CheckCommandLine().check(
                arguments[0],
                json.readTree(new File(arguments[1])),
                json.readTree(new File(arguments[2])),
                json.readTree(new File(arguments[3])),
                Files.readString(Path.of(arguments[4])));
    }

    private void check(String name, JsonNode specs, JsonNode profile, JsonNode explained, String page) {
        require(specs.findValuesAsText("name").stream().anyMatch(each -> each.endsWith("." + name)),
                "attune specs does not list " + name);
        JsonNode record = profile.path("environments").path(0).path("records").path(0);
        String chosen = record.path("chosen").asText();
        require(!chosen.isEmpty() && explained.path("chosen").asText().equals(chosen),
                "attune tune chose \"" + chosen + "\", attune explain says \""
                        + explained.path("chosen").asText() + "\"");
        require(explained.path("reason").asText().startsWith("measured, in the store"),
                "the choice is not from the store: " + explained.path("reason").asText());
        require(explained.path("ladder").size() >= LEAST_CANDIDATES,
                explained.path("ladder").size() + " variants are explained, expected " + LEAST_CANDIDATES
                        + " at least");
        // Not-a-number, which is what a missing time reads as, fails.
        require(nanos(record, chosen) > 0 && nanos(record, record.path("default").asText()) > 0,
                "the chosen variant or the default was not timed: " + record);
        require(page.contains("<svg") && page.contains(chosen) && page.endsWith("</html>\n"),
                "the report lacks its chart, the choice, or its end");
        require(!page.contains("<script") && !page.contains("src="), "the report needs other files");
        if (!faults.isEmpty()) {
            faults.forEach(fault -> System.err.println("attune: " + fault));
            System.exit(1);
        }
        System.out.println("attune chose " + chosen + " for " + name + ", explains it and draws it");
    }

    private static double nanos(JsonNode record, String variant) {
        for (JsonNode candidate : record.path("candidates")) {
            if (candidate.path("variant").asText().equals(variant)) {
                return candidate.path("medianNanos").asDouble(Double.NaN);
            }
        }
        return Double.NaN;
    }

    private void require(boolean holds, String fault) {
        if (!holds) {
            faults.add(fault);
        }
    }
}
