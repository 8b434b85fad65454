package dev.attune.bench.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What a command prints: lines for people, or one JSON value for machines. */
final class Output {

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    @Option(names = "--json", description = "Print JSON instead of text.")
    boolean json;

    @Spec(Spec.Target.MIXEE)
    CommandSpec spec;

    /** Prints lines, unless JSON is wanted. */
    void text(List<String> lines) {
        if (!json) {
            lines.forEach(out()::println);
            out().flush();
        }
    }

    /** Prints a value as JSON if that is wanted. */
    void json(Object value) {
        if (json) {
            try {
                printJson(JSON.writeValueAsString(value) + "\n");
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("a result that cannot be written as JSON", e);
            }
        }
    }

    /** Prints JSON that is there already if it is wanted. */
    void printJson(String text) {
        if (json) {
            out().print(text);
            out().flush();
        }
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
