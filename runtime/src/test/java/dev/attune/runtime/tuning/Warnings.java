package dev.attune.runtime.tuning;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Collects what is logged under {@code dev.attune} from warnings upwards, and keeps it from the console. */
public final class Warnings extends Handler implements AutoCloseable {

    // Loggers that nobody holds are collected, with their handlers.
    private final Logger logger = Logger.getLogger("dev.attune");
    private final List<String> messages = new ArrayList<>();

    public Warnings() {
        logger.addHandler(this);
        logger.setUseParentHandlers(false);
    }

    @Override
    public synchronized void publish(LogRecord record) {
        if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
            messages.add(new SimpleFormatter().formatMessage(record));
        }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
    }

    public synchronized List<String> messages() {
        return List.copyOf(messages);
    }
}
