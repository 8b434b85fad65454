package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One store, several processes, some of which are killed. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StoreOfSeveralProcessesTest {

    private final Warnings warnings = new Warnings();
    private final List<Process> started = new ArrayList<>();

    @TempDir
    private Path folder;

    @AfterEach
    void endWhatWasStarted() throws InterruptedException {
        warnings.close();
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void whileTwoWriteAThirdReadsWholeRecordsOrNone() throws Exception {
        Process reader = start("read", folder.toString());
        await(reader, "reading");
        Process first = start("write", folder.toString(), "a", "150");
        Process second = start("write", folder.toString(), "b", "150");
        assertEquals(List.of("writing", "written"), first.inputReader().lines().toList());
        assertEquals(List.of("writing", "written"), second.inputReader().lines().toList());
        reader.outputWriter().append("enough\n").flush();
        assertEquals("found true, broken 0, warnings []", reader.inputReader().readLine());
        assertEquals(StoreProbe.CONTEXTS.length, wholeRecords());
        assertEquals(List.of(), drafts());
    }

    @Test
    void aProcessKilledInTheMiddleOfAWriteLeavesTheRecordOfBefore() throws Exception {
        TuningRecord before = StoreProbe.record(StoreProbe.CONTEXTS[0], "a");
        assertTrue(store().save(before));
        Process killed = start("stop-in-the-middle", folder.toString(), "b");
        await(killed, "in the middle");
        assertEquals(Optional.of(before), store().find(before.key()), "while it is being written");
        kill(killed);
        assertEquals(1, drafts().size(), "half a record");
        assertEquals(Optional.of(before), store().find(before.key()));
        assertEquals(1, wholeRecords());
        assertTrue(store().save(before));
        assertEquals(List.of(), drafts());
        assertEquals(List.of(), warnings.messages());
    }

    @Test
    void aProcessKilledInTheMiddleOfItsFirstWriteLeavesNoRecord() throws Exception {
        Process killed = start("stop-in-the-middle", folder.toString(), "b");
        await(killed, "in the middle");
        kill(killed);
        assertEquals(Optional.empty(), store().find(Samples.key(StoreProbe.CONTEXTS[0])));
        assertEquals(List.of(), store().chapters());
        assertEquals(List.of(), warnings.messages());
    }

    @Test
    void processesKilledAtAnyMomentLeaveWholeRecordsOrNone() throws Exception {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 8; round++) {
            Process killed = start("write", folder.toString(), "a", "1000000");
            await(killed, "writing");
            Thread.sleep(random.nextInt(5, 150));
            kill(killed);
            wholeRecords();
        }
        assertTrue(store().save(StoreProbe.record(StoreProbe.CONTEXTS[0], "a")));
        assertEquals(List.of(), drafts(), "of dead processes");
        assertTrue(wholeRecords() >= 1);
    }

    private TuningStore store() {
        return TuningStore.open(Samples.writable(folder), Samples.HERE);
    }

    /** Returns how many records there are, all of them whole. */
    private int wholeRecords() {
        int records = 0;
        for (int context : StoreProbe.CONTEXTS) {
            Optional<TuningRecord> record = store().find(Samples.key(context));
            assertTrue(record.isEmpty() || StoreProbe.isWhole(record.get()));
            records += record.isPresent() ? 1 : 0;
        }
        assertEquals(List.of(), warnings.messages());
        return records;
    }

    private List<Path> drafts() throws IOException {
        try (Stream<Path> files = Files.list(store().directory())) {
            return files.filter(file -> file.toString().endsWith("draft")).toList();
        }
    }

    private Process start(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp"));
        command.add(String.join(File.pathSeparator, path(TuningStore.class), path(StoreProbe.class)));
        command.add(StoreProbe.class.getName());
        command.addAll(List.of(arguments));
        Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        started.add(process);
        return process;
    }

    private static String path(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    private static void await(Process process, String line) throws IOException {
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        assertEquals(line, output.readLine());
    }

    /** As {@code kill -9} does. */
    private static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertFalse(process.isAlive());
    }
}
