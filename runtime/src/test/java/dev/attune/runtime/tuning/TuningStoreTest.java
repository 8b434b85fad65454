package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store of measurements, on disks that are well and on disks that are not. */
class TuningStoreTest {

    private static final TuningRecord RECORD = Samples.record(4096);
    private static final TuningKey KEY = RECORD.key();

    private final Warnings warnings = new Warnings();

    @TempDir
    private Path folder;

    @AfterEach
    void stopListening() {
        warnings.close();
    }

    /** Another store on the same files, as another process has it. */
    private TuningStore store() {
        return TuningStore.open(Samples.writable(folder), Samples.HERE);
    }

    private Path saved() {
        TuningStore store = store();
        assertTrue(store.save(RECORD), () -> warnings.messages().toString());
        return store.directory().resolve(KEY.fileName());
    }

    private List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void assertMissWithOneWarning(String words) {
        TuningStore store = store();
        assertEquals(Optional.empty(), store.find(KEY));
        assertEquals(Optional.empty(), store.find(KEY));
        assertEquals(1, warnings.messages().size(), () -> warnings.messages().toString());
        assertTrue(warnings.messages().getFirst().contains(words), () -> warnings.messages().toString());
    }

    @Test
    void aRecordComesBackAsItWas() throws Exception {
        Path file = saved();
        assertEquals(Optional.of(RECORD), store().find(KEY));
        assertEquals(folder.resolve("v1").resolve(Samples.HERE.hash()), file.getParent());
        assertEquals(List.of("Llama_Attention-attend-4096-2-" + digits(file) + ".json", "manifest.json"),
                names(file.getParent()));
        assertEquals(List.of(), warnings.messages());
    }

    private static String digits(Path file) {
        String name = file.getFileName().toString();
        return name.substring(name.length() - 21, name.length() - 5);
    }

    @Test
    void theLastRecordUnderAKeyIsTheOneFound() {
        saved();
        TuningRecord newer = Samples.record(4096, "measured again");
        TuningStore second = store();
        second.save(newer);
        assertEquals(Optional.of(newer), second.find(KEY));
        assertEquals(Optional.of(newer), store().find(KEY));
    }

    @Test
    void nothingIsFoundNorSaidWhereNothingWasSaved() throws Exception {
        assertEquals(Optional.empty(), store().find(KEY));
        assertEquals(List.of(), store().chapters());
        assertEquals(0, store().clear(true));
        assertEquals(List.of(), names(folder), "looking creates nothing");
        saved();
        assertEquals(Optional.empty(), store().find(Samples.key(8192)));
        assertEquals(
                Optional.empty(), TuningStore.open(Samples.writable(folder), Samples.ELSEWHERE).find(KEY));
        assertEquals(List.of(), warnings.messages());
    }

    @Test
    void missingDirectoriesAreCreated() {
        TuningStore store = TuningStore.open(Samples.writable(folder.resolve("not/yet/there")), Samples.HERE);
        assertTrue(store.save(RECORD));
        assertTrue(Files.isRegularFile(store.directory().resolve("manifest.json")));
    }

    @Test
    void keysThatDifferInOneThingHaveFilesOfTheirOwn() {
        TuningKey key = Samples.key(1024);
        List<TuningKey> others = List.of(
                new TuningKey("b.A", "1", "2", "attend", 1024, 4, 2, "p"),
                new TuningKey("c.A", "1", "2", "attend", 1024, 4, 2, "p"),
                new TuningKey("b.A", "12", "", "attend", 1024, 4, 2, "p"),
                new TuningKey("b.A", "1", "2", "attend", 2048, 4, 2, "p"),
                new TuningKey("b.A", "1", "2", "attend", 1024, 8, 2, "p"),
                new TuningKey("b.A", "1", "2", "attend", 1024, 4, 3, "p"),
                new TuningKey("b.A", "1", "2", "attend", 1024, 4, 2, "q"),
                new TuningKey("b.a", "1", "2", "attend", 1024, 4, 2, "p"),
                key);
        assertEquals(
                others.size(),
                others.stream().map(each -> each.fileName().toLowerCase(Locale.ROOT)).distinct().count());
    }

    @Test
    void namesOfFilesAreSafeWhateverTheSpecificationIsCalled() {
        for (String name : List.of(
                "a.../../../etc/passwd", "CON", "\u00c4\u00f6\ud83d\ude00", "a b:*?<>|\0", "", "x".repeat(999))) {
            TuningRecord record = new TuningRecord(
                    new TuningKey(name, "", "", "attend", 1024, 1, 1, ""),
                    "scalar",
                    "scalar",
                    "",
                    Instant.EPOCH,
                    List.of(new CandidateResult("scalar", Verdict.TIMED, "", 1, 1, 1, 1)));
            String file = record.key().fileName();
            assertTrue(file.matches("[A-Za-z0-9_]{0,40}-attend-1024-1-[0-9a-f]{16}\\.json"), file);
            assertTrue(store().save(record));
            assertEquals(Optional.of(record), store().find(record.key()));
        }
    }

    @Test
    void aFileTruncatedAnywhereIsAMiss() throws Exception {
        Path file = saved();
        byte[] whole = Files.readAllBytes(file);
        // The last byte ends the last line; the value is whole without it.
        for (int length = 0; length < whole.length - 1; length += length < 64 ? 1 : 37) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertEquals(Optional.empty(), store().find(KEY), "of " + length + " bytes");
        }
        Files.write(file, whole);
        assertEquals(Optional.of(RECORD), store().find(KEY));
    }

    @Test
    void aTruncatedFileIsSaidOnce() throws Exception {
        Path file = saved();
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 200));
        assertMissWithOneWarning(file + " is ignored: expected ");
    }

    @Test
    void garbageIsAMiss() throws Exception {
        byte[] garbage = new byte[5000];
        new Random(1).nextBytes(garbage);
        Files.write(saved(), garbage);
        assertMissWithOneWarning(" is ignored: ");
    }

    @Test
    void anEmptyFileIsAMiss() throws Exception {
        Files.write(saved(), new byte[0]);
        assertMissWithOneWarning("found the end");
    }

    @Test
    void aHugeFileIsAMissAndIsNotReadWhole() throws Exception {
        Path file = saved();
        try (var stream = new RandomAccessFile(file.toFile(), "rw")) {
            // Sparse: eight GiB that no heap of a test holds.
            stream.setLength(8L << 30);
        }
        assertMissWithOneWarning("it has more than 1048576 bytes");
    }

    @Test
    void aDirectoryInPlaceOfAFileIsAMiss() throws Exception {
        Path file = saved();
        Files.delete(file);
        Files.createDirectory(file);
        assertMissWithOneWarning("it is no regular file");
    }

    @Test
    void aPipeInPlaceOfAFileIsAMissAndNotWaitedFor() throws Exception {
        Path file = saved();
        Files.delete(file);
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/mkfifo"))
                        && new ProcessBuilder("/usr/bin/mkfifo", file.toString()).start().waitFor() == 0,
                "this system makes no pipes");
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> assertMissWithOneWarning("it is no regular file"));
    }

    @Test
    void theRecordOfAnotherKeyIsAMiss() throws Exception {
        Path file = saved();
        TuningRecord other = Samples.record(8192);
        store().save(other);
        Files.copy(file.resolveSibling(other.key().fileName()), file, StandardCopyOption.REPLACE_EXISTING);
        assertMissWithOneWarning("it is about something else: TuningKey[");
    }

    @Test
    void theRecordOfAnotherEnvironmentIsAMiss() throws Exception {
        Path file = saved();
        TuningStore elsewhere = TuningStore.open(Samples.writable(folder), Samples.ELSEWHERE);
        elsewhere.save(RECORD);
        Files.copy(
                elsewhere.directory().resolve(KEY.fileName()), file, StandardCopyOption.REPLACE_EXISTING);
        assertMissWithOneWarning("\"environment\" is \"" + Samples.ELSEWHERE.hash());
    }

    @Test
    void aRecordOfAnotherFormatIsAMiss() throws Exception {
        replaceIn(saved(), "attune-record-1", "attune-record-2");
        assertMissWithOneWarning("\"format\" is \"attune-record-2\", not \"attune-record-1\"");
    }

    @Test
    void aRecordThatChoosesARefusedVariantIsAMiss() throws Exception {
        replaceIn(saved(), "\"chosen\": \"vector512-heads2\"", "\"chosen\": \"scalar\"");
        assertMissWithOneWarning("the chosen variant scalar is not among the timed candidates");
    }

    @Test
    void aRecordWithoutAMemberIsAMiss() throws Exception {
        replaceIn(saved(), "\"groupSize\"", "\"size\"");
        assertMissWithOneWarning("lacks \"groupSize\"");
    }

    private static void replaceIn(Path file, String words, String others) throws IOException {
        String text = Files.readString(file);
        assertTrue(text.contains(words), text);
        Files.writeString(file, text.replace(words, others));
    }

    @Test
    void aDamagedRecordIsReplacedByTheNextOne() throws Exception {
        Path file = saved();
        Files.writeString(file, "damaged");
        TuningStore store = store();
        assertEquals(Optional.empty(), store.find(KEY));
        assertTrue(store.save(RECORD));
        assertEquals(Optional.of(RECORD), store().find(KEY));
    }

    @Test
    void aDamagedManifestIsReplacedByTheNextRecord() throws Exception {
        Path manifest = saved().resolveSibling("manifest.json");
        for (String damaged : List.of("{", "{}", JsonWriter.write(Samples.ELSEWHERE.manifest()))) {
            Files.writeString(manifest, damaged);
            assertEquals(List.of(), store().chapters());
            assertTrue(store().save(RECORD));
            assertEquals(List.of(new TuningStore.Chapter(Samples.HERE, List.of(RECORD))), store().chapters());
        }
    }

    @Test
    void aFileInPlaceOfTheDirectoryIsSaidOnceAndMemoryAnswers() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "not ours");
        assertMemoryAnswers(TuningStore.open(Samples.writable(file), Samples.HERE));
        assertEquals("not ours", Files.readString(file));
    }

    @Test
    void aFileInPlaceOfTheEnvironmentsDirectoryIsSaidOnceAndMemoryAnswers() throws Exception {
        Files.createDirectories(folder.resolve("v1"));
        Files.writeString(folder.resolve("v1").resolve(Samples.HERE.hash()), "");
        assertMemoryAnswers(store());
    }

    @Test
    void aDirectoryThatCannotBeWrittenIsSaidOnceAndMemoryAnswers() {
        // Nobody, not even root, creates files there.
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "this system has no /proc");
        assertMemoryAnswers(TuningStore.open(Samples.writable(Path.of("/proc/attune")), Samples.HERE));
    }

    @Test
    void aFullDiskIsSaidOnceAndMemoryAnswersAndNoDraftStays() throws Exception {
        assumeTrue(Files.exists(Path.of("/dev/full")), "this system has no /dev/full");
        TuningStore store = TuningStore.open(Samples.writable(folder), Samples.HERE, (file, bytes) -> {
            Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
            try (FileOutputStream full = new FileOutputStream("/dev/full")) {
                full.write(bytes);
            }
        });
        assertMemoryAnswers(store);
        assertTrue(warnings.messages().getFirst().contains("No space left on device"), warnings.messages()::toString);
        assertEquals(List.of(), names(store.directory()));
    }

    @Test
    void aDiskThatFillsUpKeepsTheRecordOfBefore() throws Exception {
        Path file = saved();
        TuningStore store = TuningStore.open(Samples.writable(folder), Samples.HERE, (draft, bytes) -> {
            Files.write(draft, Arrays.copyOf(bytes, bytes.length - 1));
            throw new IOException("No space left on device");
        });
        TuningRecord newer = Samples.record(4096, "newer");
        assertFalse(store.save(newer));
        assertEquals(Optional.of(newer), store.find(KEY), "from memory");
        assertEquals(Optional.of(RECORD), store().find(KEY), "from the disk");
        assertEquals(2, names(file.getParent()).size());
    }

    @Test
    void aDraftThatVanishesIsWrittenAgain() {
        AtomicInteger writes = new AtomicInteger();
        TuningStore store = TuningStore.open(Samples.writable(folder), Samples.HERE, (draft, bytes) -> {
            WholeFile.writeAndForce(draft, bytes);
            if (writes.incrementAndGet() <= 2) {
                Files.delete(draft);
            }
        });
        assertTrue(store.save(RECORD));
        assertEquals(Optional.of(RECORD), store().find(KEY));
        assertEquals(List.of(), warnings.messages());
    }

    private void assertMemoryAnswers(TuningStore store) {
        TuningRecord other = Samples.record(8192);
        assertEquals(Optional.empty(), store.find(KEY));
        assertEquals(Optional.empty(), store.find(other.key()));
        assertFalse(store.save(RECORD));
        assertFalse(store.save(other));
        assertEquals(Optional.of(RECORD), store.find(KEY));
        assertEquals(Optional.of(other), store.find(other.key()));
        assertEquals(1, warnings.messages().size(), warnings.messages()::toString);
        assertTrue(warnings.messages().getFirst().startsWith(store.directory().toString()));
    }

    @Test
    void aStoreToBeReadWritesNothing() throws Exception {
        Path file = saved();
        Map<String, String> before = contents(file.getParent());
        TuningStore store =
                TuningStore.open(new StoreSettings(folder, StoreSettings.Mode.READ), Samples.HERE);
        assertEquals(Optional.of(RECORD), store.find(KEY));
        TuningRecord other = Samples.record(8192);
        assertFalse(store.save(other));
        assertEquals(Optional.of(other), store.find(other.key()));
        assertEquals(List.of(), warnings.messages(), "that is as it should be");
        assertEquals(0, store.clear(true));
        assertEquals(1, warnings.messages().size(), warnings.messages()::toString);
        assertEquals(before, contents(file.getParent()));
    }

    @Test
    void aStoreThatIsOffTouchesNothing() throws Exception {
        Path file = saved();
        Map<String, String> before = contents(file.getParent());
        TuningStore store = TuningStore.open(new StoreSettings(folder, StoreSettings.Mode.OFF), Samples.HERE);
        assertEquals(Optional.empty(), store.find(KEY));
        assertFalse(store.save(RECORD));
        assertEquals(Optional.of(RECORD), store.find(KEY));
        assertEquals(List.of(), store.chapters());
        assertEquals(0, store.clear(true));
        assertEquals(Optional.empty(), store.find(KEY));
        assertEquals(before, contents(file.getParent()));
        assertEquals(List.of(), warnings.messages());
    }

    private Map<String, String> contents(Path directory) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        for (String name : names(directory)) {
            contents.put(name, Files.readString(directory.resolve(name)));
        }
        return contents;
    }

    @Test
    void draftsOfDeadProcessesAreIgnoredAndSweptByTheNextRecord() throws Exception {
        Path directory = saved().getParent();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process dead = new ProcessBuilder(java, "-version").redirectErrorStream(true).start();
        dead.getInputStream().readAllBytes();
        dead.waitFor();
        long self = ProcessHandle.current().pid();
        String end = ".0123456789abcdef.1.draft";
        String draft = "." + KEY.fileName() + ".";
        Files.writeString(directory.resolve(draft + dead.pid() + end), "half");
        Files.writeString(directory.resolve(draft + self + end), "of an earlier process of this number");
        String living = draft + ProcessHandle.current().parent().orElseThrow().pid() + end;
        Files.writeString(directory.resolve(living), "in work");
        Files.writeString(directory.resolve("notes.draft"), "not ours");
        assertEquals(1, store().chapters().getFirst().records().size());
        assertTrue(store().save(RECORD));
        assertEquals(
                Stream.of(living, "notes.draft", "manifest.json", KEY.fileName()).sorted().toList(), names(directory));
        assertEquals(List.of(), warnings.messages());
    }

    @Test
    void anInterruptedThreadSavesAndFinds() {
        Thread.currentThread().interrupt();
        try {
            assertTrue(store().save(RECORD));
            assertEquals(Optional.of(RECORD), store().find(KEY));
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertEquals(List.of(), warnings.messages());
    }

    @Test
    void timesOfFilesAndRecordsDecideNothing() throws Exception {
        Path file = saved();
        for (Instant instant : List.of(Instant.EPOCH, Instant.parse("2300-01-01T00:00:00Z"))) {
            Files.setLastModifiedTime(file, FileTime.from(instant));
            Files.setLastModifiedTime(file.getParent(), FileTime.from(instant));
            assertEquals(Optional.of(RECORD), store().find(KEY));
        }
        for (Instant instant : List.of(Instant.MAX, Instant.MIN, Instant.parse("1969-12-31T23:59:59.999999999Z"))) {
            TuningRecord earlier = new TuningRecord(
                    KEY, RECORD.chosen(), RECORD.defaultVariant(), RECORD.reason(), instant, RECORD.candidates());
            assertTrue(store().save(earlier));
            assertEquals(Optional.of(earlier), store().find(KEY), "the last one written, whatever its time");
        }
    }

    @Test
    void chaptersHoldAllEnvironments() {
        TuningRecord other = Samples.record(8192);
        TuningStore elsewhere = TuningStore.open(Samples.writable(folder), Samples.ELSEWHERE);
        assertTrue(elsewhere.save(other));
        saved();
        assertTrue(store().save(other));
        List<TuningStore.Chapter> chapters = store().chapters();
        assertEquals(2, chapters.size());
        var here = new TuningStore.Chapter(Samples.HERE, List.of(RECORD, other));
        assertTrue(chapters.contains(here), chapters::toString);
        assertTrue(chapters.contains(new TuningStore.Chapter(Samples.ELSEWHERE, List.of(other))), chapters::toString);
        assertEquals(chapters, elsewhere.chapters());
    }

    @Test
    void chaptersAddedAreFoundByTheirEnvironments() {
        TuningRecord other = Samples.record(8192);
        List<TuningStore.Chapter> chapters = List.of(
                new TuningStore.Chapter(Samples.HERE, List.of(RECORD)),
                new TuningStore.Chapter(Samples.ELSEWHERE, List.of(RECORD, other)));
        TuningStore store = store();
        assertEquals(3, store.add(chapters));
        assertEquals(Optional.of(RECORD), store.find(KEY));
        assertEquals(Optional.empty(), store.find(other.key()));
        assertEquals(3, store.chapters().stream().mapToInt(chapter -> chapter.records().size()).sum());
    }

    @Test
    void clearingForgetsOneEnvironmentOrAllAndNothingOfOthers() throws Exception {
        Path directory = saved().getParent();
        TuningStore elsewhere = TuningStore.open(Samples.writable(folder), Samples.ELSEWHERE);
        elsewhere.save(RECORD);
        Files.writeString(directory.resolve("notes.json"), "not ours");
        Path foreign = Files.createDirectories(folder.resolve("v1/projects"));
        Files.writeString(foreign.resolve(KEY.fileName()), "not ours");
        TuningStore store = store();
        assertEquals(Optional.of(RECORD), store.find(KEY));
        assertEquals(1, store.clear(false));
        assertEquals(Optional.empty(), store.find(KEY));
        assertEquals(Optional.of(RECORD), TuningStore.open(Samples.writable(folder), Samples.ELSEWHERE).find(KEY));
        store.save(RECORD);
        assertEquals(2, store.clear(true));
        assertEquals(List.of(), store.chapters());
        assertEquals(List.of("manifest.json", "notes.json"), names(directory));
        assertEquals(List.of(KEY.fileName()), names(foreign));
        assertEquals(List.of(), warnings.messages());
    }
}
