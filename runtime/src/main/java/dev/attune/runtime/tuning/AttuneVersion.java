package dev.attune.runtime.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/** The version of Attune that runs, which the build writes into a file beside this class. */
final class AttuneVersion {

    private static final String FILE = "attune.properties";

    private AttuneVersion() {}

    /** Returns for example {@code 0.1.0}; {@code unknown} if the file was lost when jars were merged. */
    static String read() {
        Properties properties = new Properties();
        try (InputStream file = AttuneVersion.class.getResourceAsStream(FILE)) {
            if (file != null) {
                properties.load(new InputStreamReader(file, StandardCharsets.UTF_8));
            }
        } catch (IOException unreadable) {
            return "unknown";
        }
        return properties.getProperty("version", "unknown");
    }
}
