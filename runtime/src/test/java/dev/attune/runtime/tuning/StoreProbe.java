package dev.attune.runtime.tuning;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;

/** Writes or reads a store, in a process of its own. */
final class StoreProbe {

    static final int[] CONTEXTS = {1024, 2048, 4096};

    /** A record of many pages, so that writing it takes its time. */
    private static final int LETTERS = 50_000;

    private StoreProbe() {}

    /** Arguments: what to do, the directory, and what that needs. */
    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "write" -> write(directory, arguments[2], Integer.parseInt(arguments[3]));
            case "read" -> readUntilTold(directory);
            case "stop-in-the-middle" -> stopInTheMiddle(directory, arguments[2]);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    /** Every letter of a record is its writer's, so that a mixture would show. */
    static TuningRecord record(int context, String letter) {
        return Samples.record(context, letter.repeat(LETTERS));
    }

    static boolean isWhole(TuningRecord record) {
        return record.equals(
                record(record.key().contextTokens(), record.reason().substring(0, 1)));
    }

    private static void write(Path directory, String letter, int times) {
        SplittableRandom random = new SplittableRandom(letter.charAt(0));
        System.out.println("writing");
        for (int i = 0; i < times; i++) {
            // A new store each time: it sees to the manifest and sweeps again.
            TuningStore store = TuningStore.open(Samples.writable(directory), Samples.HERE);
            if (!store.save(record(CONTEXTS[random.nextInt(CONTEXTS.length)], letter))) {
                throw new IllegalStateException("a record was not saved");
            }
        }
        System.out.println("written");
    }

    private static void readUntilTold(Path directory) throws IOException {
        int found = 0;
        int broken = 0;
        try (Warnings warnings = new Warnings()) {
            System.out.println("reading");
            while (System.in.available() == 0) {
                for (int context : CONTEXTS) {
                    Optional<TuningRecord> record = TuningStore.open(Samples.writable(directory), Samples.HERE)
                            .find(Samples.key(context));
                    found += record.isPresent() ? 1 : 0;
                    broken += record.isPresent() && !isWhole(record.get()) ? 1 : 0;
                }
            }
            System.out.println("found " + (found > 0) + ", broken " + broken + ", warnings " + warnings.messages());
        }
    }

    /** Half of the bytes are on the disk when the parent is told, and the rest never comes. */
    private static void stopInTheMiddle(Path directory, String letter) {
        WholeFile.Output output = (file, bytes) -> {
            if (!file.getFileName().toString().contains("attend")) {
                WholeFile.writeAndForce(file, bytes);
                return;
            }
            try (FileOutputStream stream = new FileOutputStream(file.toFile())) {
                stream.write(Arrays.copyOf(bytes, bytes.length / 2));
                stream.getFD().sync();
                System.out.println("in the middle");
                System.in.read();
            }
        };
        TuningStore.open(Samples.writable(directory), Samples.HERE, output).save(record(CONTEXTS[0], letter));
    }
}
