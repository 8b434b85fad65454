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
 * The process in which a {@link RemoteTrial} has its variants run. It reads a command a line, answers in lines, and ends
 * when there are no more commands to come, as when the process that gave them has ended.
 *
 * <pre>
 * prepare NANOS          progress STAGE FRACTION ..., result NAME VERDICT REASON ..., done
 * fill TOKENS THREADS    result NAME VERDICT REASON ..., done
 * run NAME TIMES         done
 * empty                  done
 * anything               failed MESSAGE
 * </pre>
 *
 * <p>Words are kept apart by tabs. A line that does not begin with {@link #MARK} is none of its answers: drivers print.
 */
final class TrialProcess {

    /** Begins every line of an answer. */
    static final String MARK = "attune-trial";

    static final String DONE = "done";
    static final String FAILED = "failed";
    static final String PROGRESS = "progress";
    static final String RESULT = "result";

    /** More often nobody wants to know. */
    private static final long PROGRESS_NANOS = 200_000_000;

    private final LocalTrial trial;
    private final PrintStream answers;
    private String stage = "";
    private long lastProgress;

    private TrialProcess(LocalTrial trial, PrintStream answers) {
        this.trial = trial;
        this.answers = answers;
    }

    /**
     * Runs until there are no more commands.
     *
     * @param arguments the specification's class, then names of variants
     */
    public static void main(String[] arguments) throws InterruptedException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        BlockingQueue<String> commands = new LinkedBlockingQueue<>();
        Thread.ofPlatform().daemon().name("attune-commands").start(() -> read(commands));
        try {
            KernelProvider provider = Attune.provider(Class.forName(arguments[0]));
            List<String> names = Arrays.asList(arguments).subList(1, arguments.length);
            List<KernelVariant> variants = provider.variants().stream()
                    .filter(variant -> names.contains(variant.name()))
                    .toList();
            TrialProcess process =
                    new TrialProcess(new LocalTrial(provider, variants, Meter.ofJvm()), answers);
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
                    trial.begin(Long.parseLong(command[1]));
                    results(trial.prepared(this::progress));
                }
                case "fill" ->
                    results(trial.fill(Integer.parseInt(command[1]), Integer.parseInt(command[2])));
                case "run" -> run(command[1], Integer.parseInt(command[2]));
                case "empty" -> trial.empty();
                default -> throw new IllegalArgumentException(command[0] + " is no command");
            }
            answer(answers, DONE);
        } catch (RuntimeException | LinkageError failure) {
            String message = failure instanceof IllegalStateException ? failure.getMessage() : failure.toString();
            answer(answers, FAILED, message);
        }
    }

    private void run(String name, int times) {
        KernelVariant variant = trial.variants().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name + " is none of " + trial.variants()));
        trial.contestant(variant).run(times);
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
