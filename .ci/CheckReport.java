import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;

/** Fails unless the demo's report parses and has a complete row for each of its six caches. */
class CheckReport {

    private static final int ROWS = 6;

    public static void main(String[] arguments) throws IOException {
        File file = new File(arguments[0]);
        JsonNode rows = new ObjectMapper().readTree(file).path("rows");
        if (!rows.isArray() || rows.size() != ROWS) {
            throw new IllegalStateException(file + " has " + rows.size() + " rows, not " + ROWS);
        }
        for (JsonNode row : rows) {
            for (String number : new String[] {"needleAccuracy", "natsPerByte", "bytesPerTokenPerHead", "decodeMicros"}) {
                if (!row.path(number).isNumber()) {
                    throw new IllegalStateException(file + ": no number \"" + number + "\" in " + row);
                }
            }
        }
        System.out.println(file + " has " + ROWS + " rows");
    }
}
