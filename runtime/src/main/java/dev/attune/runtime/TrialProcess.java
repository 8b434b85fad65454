package dev.attune.runtime;

import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Verdict;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The process in which a {@link RemoteTrial} has its variants run. It reads a command a line, answers in lines, and
 * ends when there are no more commands to come, as when the process that gave them has ended.
 *
 * <pre>
 * prepare NAMES NANOS          progress STAGE FRACTION ..., result NAME VERDICT REASON ..., done
 * fill NAMES TOKENS THREADS    result NAME VERDICT REASON ..., done
 * run NAME TIMES               done
 * empty                        done
 * anything                     failed MESSAGE
 * </pre>
 *
 * <p>Words are kept apart by tabs, names by commas. A line that does not begin with {@link #MARK} is none of its
 * answers: drivers print.
 */
final class TrialProcess {

    /** Begins every line of an answer. */
    static final String MARK = "attune-trial";

    /** Keeps the names of variants apart. */
    static final String SEPARATOR = ",";

    static final String DONE = "done";
    static final String FAILED = "failed";
    static final String PROGRESS = "progress";
    static final String RESULT = "result";

    /** More often nobody wants to know. */
    private static final long PROGRESS_NANOS = 200_000_000;

    private final KernelProvider provider;
    private final LocalTrial trial;
    private final PrintStream answers;
    private String stage = "";
    private long lastProgress;

    private TrialProcess(KernelProvider provider, PrintStream answers) {
        this.provider = provider;
        this.trial = new LocalTrial(provider, Meter.ofJvm());
        this.answers = answers;
    }

    /**
     * Runs until there are no more commands.
     *
     * @param arguments the specification's class
     */
    public static void main(String[] arguments) throws InterruptedException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        BlockingQueue<String> commands = new LinkedBlockingQueue<>();
        Thread.ofPlatform().daemon().name("attune-commands").start(() -> read(commands));
        try {
            TrialProcess process =
                    new TrialProcess(Attune.provider(Class.forName(arguments[0])), answers);
            while (true) {
                process.obey(commands.take().split("\t"));
            }
        } catch (ClassNotFoundException | RuntimeException | LinkageError failure) {
            answer(answers, FAILED, failure.toString());
        }
    }

    /** Ends the process, whatever it does, when nobody is there any more to give commands. */
    private static void read(Queue<String> commands) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            lines.lines().forEach(commands::add);
        } catch (IOException | UncheckedIOException broken) {
            // The same as the end.
        }
        Runtime.getRuntime().halt(0);
    }

    private void obey(String[] command) {
        try {
            switch (command[0]) {
                case "prepare" -> {
                    trial.begin(variants(command[1]), Long.parseLong(command[2]));
                    results(trial.prepared(this::progress));
                }
                case "fill" -> results(trial.fill(
                        variants(command[1]), Integer.parseInt(command[2]), Integer.parseInt(command[3])));
                case "run" -> trial.contestant(variant(command[1])).run(Integer.parseInt(command[2]));
                case "empty" -> trial.empty();
                default -> throw new IllegalArgumentException(command[0] + " is no command");
            }
            answer(answers, DONE);
        } catch (RuntimeException | LinkageError failure) {
            String message = failure instanceof IllegalStateException ? failure.getMessage() : failure.toString();
            answer(answers, FAILED, message);
        }
    }

    private List<KernelVariant> variants(String names) {
        return Arrays.stream(names.split(SEPARATOR)).map(this::variant).toList();
    }

    private KernelVariant variant(String name) {
        return KnownVariants.variant(provider, name)
                .orElseThrow(() -> new IllegalArgumentException(name + " is none of " + provider.variants()));
    }

    private void progress(ContestListener.Progress progress) {
        long now = System.nanoTime();
        if (!progress.stage().equals(stage) || now - lastProgress > PROGRESS_NANOS) {
            stage = progress.stage();
            lastProgress = now;
            answer(answers, PROGRESS, stage, Double.toString(progress.fraction()));
        }
    }

    private void results(Map<String, CandidateResult> results) {
        results.values()
                .forEach(result -> answer(
                        answers, RESULT, result.variant(), result.verdict().name(), result.reason()));
    }

    /** Understands a line about a result, which never has times: nobody was timed yet. */
    static CandidateResult result(String[] words) {
        return CandidateResult.untimed(words[1], Verdict.valueOf(words[2]), words[3]);
    }

    private static void answer(PrintStream answers, String... words) {
        StringBuilder line = new StringBuilder(MARK);
        for (String word : words) {
            line.append('\t').append(word.replaceAll("\\s+", " "));
        }
        answers.print(line.append('\n'));
        answers.flush();
    }
}
