package dev.attune.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** byte-lm, which travels in the resources of this module with its held-out text and needle prompts. */
final class ShippedModel {

    static final String NAME = "byte-lm";
    static final String TEXT = "heldout.txt";
    static final List<String> NEEDLES = List.of("needle-1024.jsonl", "needle-4096.jsonl");

    private static final List<String> FILES =
            List.of("model.safetensors", "config.json", TEXT, NEEDLES.get(0), NEEDLES.get(1));

    private ShippedModel() {}

    /** Returns a directory with the model's files: the resources themselves, or copies if they are inside a jar. */
    static Path directory() {
        try {
            URI resource = resource(FILES.getFirst()).toURI();
            return resource.getScheme().equals("file") ? Path.of(resource).getParent() : copies();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("the class path has a malformed address: " + e.getInput(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("byte-lm cannot be copied out of its jar: " + e.getMessage(), e);
        }
    }

    private static Path copies() throws IOException {
        Path directory = Files.createTempDirectory(NAME);
        directory.toFile().deleteOnExit();
        for (String file : FILES) {
            Path copy = directory.resolve(file);
            try (InputStream source = resource(file).openStream()) {
                Files.copy(source, copy);
            }
            copy.toFile().deleteOnExit();
        }
        return directory;
    }

    private static URL resource(String file) {
        URL resource = ShippedModel.class.getResource(NAME + "/" + file);
        if (resource == null) {
            throw new IllegalStateException("resource " + NAME + "/" + file + " is missing; build the module again");
        }
        return resource;
    }
}
