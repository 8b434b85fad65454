package dev.attune.examples;

import dev.attune.examples.evaluation.Progress;
import java.io.PrintWriter;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar per part in a terminal; elsewhere one line when a part is done. */
final class TerminalProgress implements Progress {

    private final boolean terminal;
    private final PrintWriter errors;

    TerminalProgress(boolean terminal, PrintWriter errors) {
        this.terminal = terminal;
        this.errors = errors;
    }

    @Override
    public Part start(String name, int steps) {
        return terminal ? new Bar(name, steps) : new Line(name, steps);
    }

    private static final class Bar implements Part {

        private final ProgressBar bar;

        Bar(String name, int steps) {
            bar = new ProgressBarBuilder()
                    .setTaskName(String.format("%-14s", name))
                    .setInitialMax(steps)
                    .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                    .setUpdateIntervalMillis(250)
                    .setConsumer(new ConsoleProgressBarConsumer(System.err, 90))
                    .build();
        }

        @Override
        public void step() {
            bar.step();
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    private final class Line implements Part {

        private final String name;
        private final int steps;
        private final long start = System.nanoTime();
        private int done;

        Line(String name, int steps) {
            this.name = name;
            this.steps = steps;
        }

        @Override
        public void step() {
            done++;
        }

        @Override
        public void close() {
            errors.printf("%s: %d of %d in %.1f s%n", name, done, steps, (System.nanoTime() - start) / 1e9);
            errors.flush();
        }
    }
}
