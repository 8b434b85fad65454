package dev.attune.examples;

import java.io.PrintWriter;

/** Writes bytes to the terminal as they come, breaking lines between words. */
final class TextStream {

    private static final int WIDTH = 96;
    private static final String INDENT = "  ";

    private final PrintWriter out;
    private int column;

    TextStream(PrintWriter out) {
        this.out = out;
    }

    void write(int token) {
        if (token == '\n' || token == ' ' && column >= WIDTH) {
            out.println();
            column = 0;
            out.flush();
            return;
        }
        // Nothing a model says may steer the terminal.
        String shown = token >= ' ' && token <= '~' ? String.valueOf((char) token) : String.format("\\x%02x", token);
        out.print(column == 0 ? INDENT + shown : shown);
        column += shown.length();
        out.flush();
    }

    /** Writes a mark that takes no column. */
    void mark(String mark) {
        out.print(column == 0 ? INDENT + mark : mark);
        column = Math.max(column, 1);
        out.flush();
    }
}
