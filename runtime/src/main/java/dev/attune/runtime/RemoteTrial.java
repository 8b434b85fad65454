package dev.attune.runtime;

import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.ContestAbortedException;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Contestant;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.Writer;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A trial in a process of its own, a {@link TrialProcess} on the same JVM with the same class path and those of its
 * options that change compiled code.
 *
 * <p>In one process, variants for vectors of several widths spoil each other: they share the Vector API's code, what
 * that code has seen decides how it is compiled into each of them, and after several widths it is sometimes compiled,
 * for good, in a way that makes objects of vectors. Most processes use vectors of one width, and never meet this.
 */
final class RemoteTrial implements Trial {

    private static final long POLL_MILLIS = 20;
    private static final long SECONDS_TO_END = 5;

    /** Lines of what the process printed that are quoted if it fails. */
    private static final int QUOTED_LINES = 12;

    private final Class<?> specification;

    /** What it runs, in words. */
    private final String name;

    private final String vmOptions;

    /** Nothing before it is started. */
    private Process process;

    private Path log;
    private Writer commands;
    private BufferedReader answers;

    /** What the process was told to do last, for the message if it does not survive it. */
    private String doing = "starting";

    private boolean ended;

    /**
     * Prepares a trial.
     *
     * @param name what it runs, in words
     * @param vmOptions options that change compiled code, with spaces between them
     */
    RemoteTrial(Class<?> specification, String name, String vmOptions) {
        this.specification = specification;
        this.name = name;
        this.vmOptions = vmOptions;
    }

    private void start() {
        try {
            log = Files.createTempFile("attune-trial", ".log");
            process = new ProcessBuilder(command()).redirectError(log.toFile()).start();
        } catch (IOException failure) {
            throw new ContestAbortedException(
                    "no process to time " + name + " in could be started: " + failure.getMessage(), failure);
        }
        commands = process.outputWriter(StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
    }

    private List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (!vmOptions.isEmpty()) {
            command.addAll(List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:+UnlockExperimentalVMOptions"));
            command.addAll(List.of(vmOptions.split(" ")));
        }
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("attune."))
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        if (ModuleLayer.boot().findModule(Platform.VECTOR_MODULE).isPresent()) {
            command.addAll(List.of("--add-modules", Platform.VECTOR_MODULE));
        }
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", classPath()));
        command.add(TrialProcess.class.getName());
        command.add(specification.getName());
        return command;
    }

    /** Returns everything this process finds classes in, and what the specification was loaded from. */
    private String classPath() {
        List<String> path = new ArrayList<>();
        path.add(System.getProperty("java.class.path"));
        String modules = System.getProperty("jdk.module.path");
        if (modules != null) {
            for (String place : modules.split(File.pathSeparator)) {
                Path folder = Path.of(place);
                boolean ofJars = Files.isDirectory(folder) && !Files.exists(folder.resolve("module-info.class"));
                path.add(ofJars ? folder.resolve("*").toString() : place);
            }
        }
        if (specification.getClassLoader() instanceof URLClassLoader loader) {
            for (URL url : loader.getURLs()) {
                try {
                    path.add(Path.of(url.toURI()).toString());
                } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException odd) {
                    // Not a file; if the class is in there, the process says that it did not find it.
                }
            }
        }
        path.removeIf(String::isEmpty);
        return String.join(File.pathSeparator, path);
    }

    @Override
    public void begin(List<KernelVariant> variants, long nanos) {
        if (process == null) {
            start();
        }
        tell("preparing " + variants, "prepare", names(variants), Long.toString(nanos));
    }

    private static String names(List<KernelVariant> variants) {
        return variants.stream().map(KernelVariant::name).collect(Collectors.joining(TrialProcess.SEPARATOR));
    }

    @Override
    public Map<String, CandidateResult> prepared(ContestListener listener) {
        Map<String, CandidateResult> results = new LinkedHashMap<>();
        while (true) {
            awaitAnswer();
            String[] words = answer();
            switch (words[0]) {
                case TrialProcess.PROGRESS -> {
                    doing = words[1];
                    listener.round(new ContestListener.Progress(
                            words[1], Double.parseDouble(words[2]), "", Double.NaN));
                }
                case TrialProcess.RESULT -> results.put(words[1], TrialProcess.result(words));
                default -> {
                    return results;
                }
            }
        }
    }

    /** Waits like {@link #answer}, and ends with an interrupt. */
    private void awaitAnswer() {
        try {
            while (!answers.ready() && process.isAlive()) {
                Thread.sleep(POLL_MILLIS);
            }
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the trial was cancelled");
        } catch (IOException failure) {
            throw ended(failure);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("the trial was cancelled");
        }
    }

    @Override
    public Map<String, CandidateResult> fill(List<KernelVariant> variants, int tokens, int threads) {
        tell("filling caches", "fill", names(variants), Integer.toString(tokens), Integer.toString(threads));
        Map<String, CandidateResult> results = new LinkedHashMap<>();
        for (String[] words = answer(); words[0].equals(TrialProcess.RESULT); words = answer()) {
            results.put(words[1], TrialProcess.result(words));
        }
        return results;
    }

    @Override
    public Contestant contestant(KernelVariant variant) {
        return new RemoteContestant(variant.name());
    }

    /** A variant in the process. */
    private final class RemoteContestant implements Contestant {

        private final String name;

        private RemoteContestant(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void run(int times) {
            tell("running " + name, "run", name, Integer.toString(times));
            answer();
        }
    }

    @Override
    public void empty() {
        if (process == null || ended) {
            return;
        }
        tell("giving caches back", "empty");
        answer();
    }

    private void tell(String what, String... words) {
        doing = what;
        try {
            commands.write(String.join("\t", words) + "\n");
            commands.flush();
        } catch (IOException failure) {
            throw ended(failure);
        }
    }

    /**
     * Returns the words of the next answer.
     *
     * @throws IllegalStateException if the process failed to do what it was told
     * @throws ContestAbortedException if the process is no more
     */
    private String[] answer() {
        try {
            String line = answers.readLine();
            while (line != null && !line.startsWith(TrialProcess.MARK + "\t")) {
                line = answers.readLine();
            }
            if (line == null) {
                throw ended(null);
            }
            String[] words = line.substring(TrialProcess.MARK.length() + 1).split("\t", -1);
            if (words[0].equals(TrialProcess.FAILED)) {
                throw new IllegalStateException(words[1]);
            }
            return words;
        } catch (IOException failure) {
            throw ended(failure);
        }
    }

    /** It speaks against none of the variants that their process is no more. */
    private ContestAbortedException ended(IOException cause) {
        ended = true;
        String end = "with nothing to say";
        try {
            if (process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
                end = "with exit value " + process.exitValue();
            }
            List<String> lines = Files.readAllLines(log);
            end += lines.stream()
                    .skip(Math.max(0, lines.size() - QUOTED_LINES))
                    .map("\n  "::concat)
                    .reduce("", String::concat);
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
        } catch (IOException unreadable) {
            end += " (what it printed cannot be read: " + unreadable.getMessage() + ")";
        }
        return new ContestAbortedException(
                "the process that timed " + name + " ended while " + doing
                        + ", nothing was kept of this measurement; it ended " + end,
                cause);
    }

    @Override
    public void close() {
        if (process == null) {
            return;
        }
        ended = true;
        // It has nothing to lose, and an interrupt must not leave it behind.
        process.destroyForcibly().onExit().join();
        try {
            Files.deleteIfExists(log);
        } catch (IOException busy) {
            log.toFile().deleteOnExit();
        }
    }
}
