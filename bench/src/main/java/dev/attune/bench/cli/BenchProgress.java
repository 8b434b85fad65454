package dev.attune.bench.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.util.List;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Prints results as they come; below them, in a terminal, a bar shows what is being measured. */
final class BenchProgress {

    private static final String CLEAR_LINE = "\r\u001b[2K";
    private static final int BAR_COLUMNS = 100;

    private final PrintWriter out;
    private final PrintWriter errors;

    BenchProgress(PrintWriter out, PrintWriter errors) {
        this.out = out;
        this.errors = errors;
    }

    /** Starts with so many comparisons ahead. */
    Bar start(int comparisons) {
        Console console = System.console();
        return console != null && console.isTerminal() ? new Drawn(comparisons) : new Silent();
    }

    /** Closed when all comparisons are done. */
    interface Bar extends AutoCloseable {

        /** A comparison begins. */
        void begin(String title);

        /** It has ended; its results are to be printed. */
        void end(List<String> lines);

        @Override
        void close();
    }

    private void print(List<String> lines) {
        lines.forEach(out::println);
        out.flush();
    }

    private final class Silent implements Bar {

        @Override
        public void begin(String title) {}

        @Override
        public void end(List<String> lines) {
            print(lines);
        }

        @Override
        public void close() {}
    }

    private final class Drawn implements Bar {

        private final ProgressBar bar;

        Drawn(int comparisons) {
            bar = new ProgressBarBuilder()
                    .setTaskName("bench")
                    .setInitialMax(comparisons)
                    .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                    // Rare, because drawing takes time from what is measured.
                    .setUpdateIntervalMillis(1000)
                    .setConsumer(new ConsoleProgressBarConsumer(System.err, BAR_COLUMNS))
                    .build();
        }

        @Override
        public void begin(String title) {
            bar.setExtraMessage(title);
        }

        @Override
        public void end(List<String> lines) {
            errors.print(CLEAR_LINE);
            errors.flush();
            print(lines);
            bar.step();
        }

        @Override
        public void close() {
            bar.close();
        }
    }
}
