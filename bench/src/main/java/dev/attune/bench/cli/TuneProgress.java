package dev.attune.bench.cli;

import dev.attune.runtime.tuning.ContestListener;
import java.io.Console;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine;

/** Prints results as they come; below them, in a terminal, a bar shows what is done and the fastest so far. */
final class TuneProgress implements ContestListener, AutoCloseable {

    private static final String CLEAR_LINE = "\r\u001b[2K";
    private static final int BAR_COLUMNS = 110;

    /** Of one contest. */
    private static final int STEPS = 100;

    private final boolean quiet;
    private final PrintWriter out;
    private final PrintWriter errors;
    private final boolean terminal;
    private ProgressBar bar;
    private int contests;
    private int done;

    private TuneProgress(boolean quiet, CommandLine command) {
        this.quiet = quiet;
        this.out = command.getOut();
        this.errors = command.getErr();
        Console console = System.console();
        this.terminal = console != null && console.isTerminal();
        if (terminal) {
            Runtime.getRuntime().addShutdownHook(new Thread(this::interrupted, "attune-interrupted"));
        }
    }

    /**
     * Starts to listen.
     *
     * @param quiet whether results are not to be printed, since they are printed in another way at the end
     */
    static TuneProgress start(boolean quiet, CommandLine command) {
        return new TuneProgress(quiet, command);
    }

    /** A specification is next, with so many contests. */
    synchronized void begin(String name, int contests) {
        close();
        this.contests = contests;
        this.done = 0;
        if (terminal) {
            bar = new ProgressBarBuilder()
                    .setTaskName(name)
                    .setInitialMax((long) contests * STEPS)
                    .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                    // Rare, because drawing takes time from what is measured.
                    .setUpdateIntervalMillis(500)
                    .setConsumer(new ConsoleProgressBarConsumer(System.err, BAR_COLUMNS))
                    .build();
        }
    }

    @Override
    public synchronized void round(Progress progress) {
        if (bar != null) {
            bar.stepTo((long) done * STEPS + (long) (progress.fraction() * STEPS));
            bar.setExtraMessage(progress.best().isEmpty()
                    ? progress.stage()
                    : String.format(
                            Locale.ROOT, "%s: %s %.2f ns", progress.stage(), progress.best(), progress.bestNanos()));
        }
    }

    /** A contest has ended; its results are to be printed. */
    synchronized void end(List<String> lines) {
        done = Math.min(done + 1, contests);
        if (bar != null) {
            errors.print(CLEAR_LINE);
            errors.flush();
            bar.stepTo((long) done * STEPS);
        }
        if (!quiet) {
            lines.forEach(out::println);
            out.flush();
        }
    }

    /** Leaves the terminal in order if the process ends before its work does, as by Ctrl-C. */
    private synchronized void interrupted() {
        if (bar != null) {
            close();
            errors.println("interrupted; what was measured before is kept, and the same command goes on from there");
            errors.flush();
        }
    }

    @Override
    public synchronized void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
