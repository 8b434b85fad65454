package dev.attune.runtime.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Remembers measurements: {@code <directory>/v1/<environment>/} holds a manifest of the environment and one JSON file per
 * {@link TuningKey}. Thread-safe, and safe with several processes at once.
 *
 * <p>Files appear whole or not at all: they are written under another name, forced to the disk and renamed. What cannot
 * be read or is not what its name promises counts as absent, and what cannot be written is kept in memory; either is said
 * in the log of {@code dev.attune}, once for each file. No method throws because of the disk.
 */
public final class TuningStore {

    private static final Logger LOGGER = System.getLogger("dev.attune");

    private static final String VERSION = "v1";
    private static final String MANIFEST = "manifest.json";
    private static final String DRAFT = ".draft";

    /** Far more than a record takes: a file beyond it is not ours. */
    private static final long LARGEST_FILE = 1 << 20;

    private final StoreSettings settings;
    private final Environment environment;
    private final Path directory;
    private final Map<TuningKey, TuningRecord> memory = new ConcurrentHashMap<>();
    private final Set<Path> complained = ConcurrentHashMap.newKeySet();

    private TuningStore(StoreSettings settings, Environment environment) {
        this.settings = settings;
        this.environment = environment;
        this.directory = settings.directory().resolve(VERSION).resolve(environment.hash());
    }

    /** Opens the store of an environment. Touches no file yet. */
    public static TuningStore open(StoreSettings settings, Environment environment) {
        return new TuningStore(settings, environment);
    }

    /**
     * What is known of one environment.
     *
     * @param environment the environment
     * @param records its records, in the order of their files' names
     */
    public record Chapter(Environment environment, List<TuningRecord> records) {

        /** Copies the list of records. */
        public Chapter {
            records = List.copyOf(records);
        }
    }

    /** Returns the environment whose measurements this store finds. */
    public Environment environment() {
        return environment;
    }

    /** Returns the settings it was opened with. */
    public StoreSettings settings() {
        return settings;
    }

    /** Returns the directory of the environment's files; it need not exist. */
    public Path directory() {
        return directory;
    }

    /** Returns the record under a key: from memory, else from its file. */
    public Optional<TuningRecord> find(TuningKey key) {
        TuningRecord remembered = memory.get(key);
        if (remembered != null || settings.mode() == StoreSettings.Mode.OFF) {
            return Optional.ofNullable(remembered);
        }
        Optional<TuningRecord> read = readRecord(directory.resolve(key.fileName()))
                .filter(record -> isOf(record, key));
        read.ifPresent(record -> memory.putIfAbsent(key, record));
        return read;
    }

    private boolean isOf(TuningRecord record, TuningKey key) {
        boolean same = record.key().equals(key);
        if (!same) {
            complain(directory.resolve(key.fileName()), "is ignored, it is about something else: " + record.key());
        }
        return same;
    }

    /**
     * Keeps a record in place of an earlier one under its key.
     *
     * @return whether it is on disk
     */
    public boolean save(TuningRecord record) {
        memory.put(record.key(), record);
        if (settings.mode() != StoreSettings.Mode.WRITE) {
            return false;
        }
        Path file = directory.resolve(record.key().fileName());
        try {
            writeManifest(directory, environment);
            write(file, RecordFormat.write(record));
            return true;
        } catch (IOException cause) {
            complain(file, "cannot be written, its measurements last as long as this process: " + words(cause));
            return false;
        }
    }

    /** Adds what others measured, in place of records under the same keys; returns how many are on disk now. */
    public int add(List<Chapter> chapters) {
        int saved = 0;
        for (Chapter chapter : chapters) {
            TuningStore store = chapter.environment().equals(environment) ? this : open(settings, chapter.environment());
            for (TuningRecord record : chapter.records()) {
                saved += store.save(record) ? 1 : 0;
            }
        }
        return saved;
    }

    /** Returns what the files of all environments hold. */
    public List<Chapter> chapters() {
        List<Chapter> chapters = new ArrayList<>();
        for (Path folder : list(settings.directory().resolve(VERSION))) {
            Optional<Environment> owner = readJson(folder.resolve(MANIFEST)).flatMap(json -> manifest(folder, json));
            if (owner.isPresent()) {
                List<TuningRecord> records = list(folder).stream()
                        .filter(TuningStore::isRecord)
                        .flatMap(file -> readRecord(file).stream())
                        .toList();
                chapters.add(new Chapter(owner.get(), records));
            }
        }
        return chapters;
    }

    private Optional<Environment> manifest(Path folder, JsonObject json) {
        try {
            return Optional.of(Environment.of(json));
        } catch (JsonException invalid) {
            complain(folder.resolve(MANIFEST), "is ignored: " + invalid.getMessage());
            return Optional.empty();
        }
    }

    /**
     * Forgets everything measured in this environment, or in all of them; returns how many records there were. Other
     * files stay.
     */
    public int clear(boolean allEnvironments) {
        memory.clear();
        int cleared = 0;
        List<Path> folders =
                allEnvironments ? list(settings.directory().resolve(VERSION)) : List.of(directory);
        if (settings.mode() != StoreSettings.Mode.WRITE) {
            return 0;
        }
        for (Path folder : folders) {
            for (Path file : list(folder)) {
                boolean record = isRecord(file);
                if (record || isDraft(file)) {
                    cleared += delete(file) && record ? 1 : 0;
                }
            }
        }
        return cleared;
    }

    private boolean delete(Path file) {
        try {
            return Files.deleteIfExists(file);
        } catch (IOException cause) {
            complain(file, "cannot be deleted: " + words(cause));
            return false;
        }
    }

    private Optional<TuningRecord> readRecord(Path file) {
        return readJson(file).flatMap(json -> {
            try {
                return Optional.of(RecordFormat.readRecord(json));
            } catch (JsonException invalid) {
                complain(file, "is ignored, it is no record of measurements: " + invalid.getMessage());
                return Optional.empty();
            }
        });
    }

    private Optional<JsonObject> readJson(Path file) {
        try {
            return Optional.of(JsonReader.read(readText(file)));
        } catch (NoSuchFileException | NotDirectoryException absent) {
            return Optional.empty();
        } catch (IOException cause) {
            complain(file, "is ignored, it cannot be read: " + words(cause));
        } catch (JsonException invalid) {
            complain(file, "is ignored, it is damaged: " + invalid.getMessage());
        }
        return Optional.empty();
    }

    private static String readText(Path file) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes((int) LARGEST_FILE + 1);
            if (bytes.length > LARGEST_FILE) {
                throw new IOException("it has more than " + LARGEST_FILE + " bytes");
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        }
    }

    private static void writeManifest(Path folder, Environment environment) throws IOException {
        Files.createDirectories(folder);
        Path manifest = folder.resolve(MANIFEST);
        if (!Files.exists(manifest)) {
            write(manifest, new LinkedHashMap<>(environment.manifest()));
        }
    }

    /** Whoever reads the file while this happens, and whatever ends it, sees the file of before or that of after. */
    private static void write(Path file, Map<String, Object> object) throws IOException {
        Path draft = Files.createTempFile(file.getParent(), file.getFileName().toString(), DRAFT);
        try {
            ByteBuffer bytes = ByteBuffer.wrap(JsonWriter.write(object).getBytes(StandardCharsets.UTF_8));
            try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    private List<Path> list(Path folder) {
        if (settings.mode() == StoreSettings.Mode.OFF) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (NoSuchFileException | NotDirectoryException absent) {
            return List.of();
        } catch (IOException | UncheckedIOException cause) {
            complain(folder, "is ignored, it cannot be listed: " + cause.getMessage());
            return List.of();
        }
    }

    private static boolean isRecord(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".json") && !name.equals(MANIFEST);
    }

    private static boolean isDraft(Path file) {
        return file.getFileName().toString().endsWith(DRAFT);
    }

    private static String words(IOException cause) {
        return cause instanceof FileAlreadyExistsException exists ? exists.getFile() + " is no directory" : cause.toString();
    }

    private void complain(Path file, String about) {
        if (complained.add(file)) {
            LOGGER.log(Level.WARNING, "{0} {1}", file, about);
        }
    }
}
