package dev.attune.runtime.tuning;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Remembers measurements: {@code <directory>/v1/<environment>/} holds a manifest of the environment and one JSON file
 * per {@link TuningKey}. Thread-safe, and safe with several processes at once: the last one to write a record wins.
 *
 * <p>Files appear whole or not at all: they are written under another name, forced to the disk and renamed. What cannot
 * be read or is not what its name promises counts as absent, and what cannot be written is kept in memory; either is
 * said in the log of {@code dev.attune}, once for each file or directory. No method throws because of the disk.
 */
public final class TuningStore {

    private static final String VERSION = "v1";
    private static final String MANIFEST = "manifest.json";

    /** The directory of an environment, and the file of a record: all else there is not ours to delete. */
    private static final Pattern ENVIRONMENT = Pattern.compile("[0-9a-f]{16}");

    private static final Pattern RECORD = Pattern.compile("\\w.*-[0-9a-f]{16}\\.json");

    /** Far more than a record takes: a file beyond it is not ours. */
    private static final int LARGEST_FILE = 1 << 20;

    private final StoreSettings settings;
    private final Environment environment;
    private final Path versionDirectory;
    private final Path directory;
    private final WholeFile.Output output;
    private final Map<TuningKey, TuningRecord> memory = new ConcurrentHashMap<>();
    private final Set<Path> complained = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean prepared = new AtomicBoolean();

    private TuningStore(StoreSettings settings, Environment environment, WholeFile.Output output) {
        this.settings = Objects.requireNonNull(settings, "settings is null");
        this.environment = Objects.requireNonNull(environment, "environment is null");
        this.versionDirectory = settings.directory().resolve(VERSION);
        this.directory = versionDirectory.resolve(environment.hash());
        this.output = output;
    }

    /** Opens the store of an environment. Touches no file yet. */
    public static TuningStore open(StoreSettings settings, Environment environment) {
        return open(settings, environment, WholeFile::writeAndForce);
    }

    static TuningStore open(StoreSettings settings, Environment environment, WholeFile.Output output) {
        return new TuningStore(settings, environment, output);
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
            Objects.requireNonNull(environment, "environment is null");
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
        Path file = directory.resolve(key.fileName());
        Optional<TuningRecord> read = readRecord(file, environment);
        if (read.isPresent() && !read.get().key().equals(key)) {
            // Only a collision of digits gets here: readRecord has compared the file's name.
            complain(file, "is ignored, it is about something else: " + read.get().key());
            return Optional.empty();
        }
        read.ifPresent(record -> memory.putIfAbsent(key, record));
        return read;
    }

    /**
     * Keeps a record in place of an earlier one under its key, in memory in any case.
     *
     * @return whether it is on disk; if it should be and is not, the log says why
     */
    public boolean save(TuningRecord record) {
        memory.put(record.key(), record);
        if (settings.mode() != StoreSettings.Mode.WRITE) {
            return false;
        }
        try {
            prepareDirectory();
            WholeFile.write(
                    directory.resolve(record.key().fileName()),
                    JsonWriter.write(RecordFormat.writeFile(environment, record)),
                    output);
            return true;
        } catch (IOException cause) {
            complain(directory, "cannot be written, measurements last as long as this process: " + words(cause));
            return false;
        }
    }

    /** Adds what others measured, in place of records under the same keys; returns how many are on disk now. */
    public int add(List<Chapter> chapters) {
        int saved = 0;
        for (Chapter chapter : chapters) {
            TuningStore store = chapter.environment().equals(environment)
                    ? this
                    : new TuningStore(settings, chapter.environment(), output);
            for (TuningRecord record : chapter.records()) {
                saved += store.save(record) ? 1 : 0;
            }
        }
        return saved;
    }

    /** Returns what the files of all environments hold; environments without records are left out. */
    public List<Chapter> chapters() {
        List<Chapter> chapters = new ArrayList<>();
        for (Path folder : environments()) {
            readManifest(folder).ifPresent(owner -> {
                List<TuningRecord> records = records(folder).stream()
                        .flatMap(file -> readRecord(file, owner).stream())
                        .toList();
                if (!records.isEmpty()) {
                    chapters.add(new Chapter(owner, records));
                }
            });
        }
        return List.copyOf(chapters);
    }

    /**
     * Forgets everything measured in this environment, or in all of them, here and in the files; files that are not
     * Attune's stay.
     *
     * @return how many records' files were deleted; none if the settings forbid it or the disk does, as the log says
     */
    public int clear(boolean allEnvironments) {
        memory.clear();
        if (settings.mode() == StoreSettings.Mode.READ) {
            complain(settings.directory(), "keeps its records, it may only be read: " + settings.reason());
            return 0;
        }
        int cleared = 0;
        for (Path folder : allEnvironments ? environments() : List.of(directory)) {
            for (Path file : records(folder)) {
                cleared += delete(file) ? 1 : 0;
            }
            list(folder).stream().filter(WholeFile::isAbandoned).forEach(this::delete);
        }
        return cleared;
    }

    /** Sees to the directory's manifest, and deletes what killed processes left there, once. */
    private void prepareDirectory() throws IOException {
        Files.createDirectories(directory);
        if (prepared.get()) {
            return;
        }
        if (readManifest(directory).isEmpty()) {
            WholeFile.write(directory.resolve(MANIFEST), JsonWriter.write(environment.manifest()), output);
        }
        list(directory).stream().filter(WholeFile::isAbandoned).forEach(this::delete);
        prepared.set(true);
    }

    /** Returns whose directory it is. */
    private Optional<Environment> readManifest(Path folder) {
        Path manifest = folder.resolve(MANIFEST);
        try {
            Environment owner = Environment.of(readJson(manifest));
            if (!folder.equals(versionDirectory.resolve(owner.hash()))) {
                throw new JsonException("it is the manifest of " + owner.hash());
            }
            return Optional.of(owner);
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException | JsonException invalid) {
            complainOfRead(manifest, invalid);
            return Optional.empty();
        }
    }

    private Optional<TuningRecord> readRecord(Path file, Environment owner) {
        try {
            TuningRecord record = RecordFormat.readFile(owner, readJson(file));
            if (!file.endsWith(record.key().fileName())) {
                throw new JsonException("it is about something else: " + record.key());
            }
            return Optional.of(record);
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException | JsonException invalid) {
            complainOfRead(file, invalid);
            return Optional.empty();
        }
    }

    private static JsonObject readJson(Path file) throws IOException, JsonException {
        return JsonReader.read(BoundedFile.readText(file, LARGEST_FILE));
    }

    private List<Path> environments() {
        return list(versionDirectory).stream()
                .filter(folder -> matches(ENVIRONMENT, folder))
                .toList();
    }

    private List<Path> records(Path folder) {
        return list(folder).stream().filter(file -> matches(RECORD, file)).toList();
    }

    private static boolean matches(Pattern name, Path file) {
        return name.matcher(file.getFileName().toString()).matches();
    }

    private List<Path> list(Path folder) {
        if (settings.mode() == StoreSettings.Mode.OFF) {
            return List.of();
        }
        try (Stream<Path> found = Files.list(folder)) {
            return found.sorted().toList();
        } catch (NoSuchFileException absent) {
            return List.of();
        } catch (IOException | UncheckedIOException cause) {
            complain(folder, "is ignored, it cannot be listed: " + words(cause));
            return List.of();
        }
    }

    private boolean delete(Path file) {
        try {
            return Files.deleteIfExists(file);
        } catch (IOException cause) {
            complain(file, "cannot be deleted: " + words(cause));
            return false;
        }
    }

    private void complainOfRead(Path file, Exception cause) {
        // A directory that is none is one mistake, however many files are looked for in it.
        boolean noDirectory = cause instanceof FileSystemException && !Files.isDirectory(file.getParent());
        complain(noDirectory ? directory : file, "is ignored: " + words(cause));
    }

    private static String words(Exception cause) {
        return switch (cause) {
            case FileAlreadyExistsException exists -> exists.getFile() + " is no directory";
            case JsonException damaged -> damaged.getMessage();
            default -> cause.toString();
        };
    }

    private void complain(Path file, String about) {
        if (complained.add(file)) {
            System.getLogger("dev.attune").log(Level.WARNING, "{0} {1}", file, about);
        }
    }
}
