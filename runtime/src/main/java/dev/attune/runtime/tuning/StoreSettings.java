package dev.attune.runtime.tuning;

import dev.attune.runtime.settings.Setting;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Where measurements are kept.
 *
 * <table class="striped">
 * <caption>Settings of the process; a system property goes before an environment variable</caption>
 * <thead><tr><th scope="col">property</th><th scope="col">environment</th><th scope="col">meaning</th></tr></thead>
 * <tbody>
 * <tr><th scope="row">attune.store</th><td>ATTUNE_STORE</td><td>the directory</td></tr>
 * <tr><th scope="row">attune.store.mode</th><td>ATTUNE_STORE_MODE</td>
 *     <td>{@code write}, the default; {@code read}: nothing is written; {@code off}: no file is touched</td></tr>
 * </tbody>
 * </table>
 *
 * <p>Without a setting it is {@code attune} in the user's directory for caches: {@code $XDG_CACHE_HOME} or
 * {@code ~/.cache}, {@code ~/Library/Caches} on macOS, {@code %LOCALAPPDATA%} on Windows.
 *
 * @param directory the directory, absolute; of no meaning if the mode is off
 * @param mode what may be done there
 * @param reason why there and so, in words
 */
public record StoreSettings(Path directory, Mode mode, String reason) {

    /** What may be done with the files of a store. */
    public enum Mode {
        /** They are read and written. */
        WRITE,

        /** They are read. */
        READ,

        /** They are not touched; records live as long as the process. */
        OFF
    }

    private static final String MODE = "attune.store.mode";
    private static final String DIRECTORY = "attune.store";

    /** Makes the directory absolute. */
    public StoreSettings {
        directory = directory.toAbsolutePath();
        Objects.requireNonNull(mode, "mode is null");
        Objects.requireNonNull(reason, "reason is null");
    }

    /** Settings of a caller. */
    public StoreSettings(Path directory, Mode mode) {
        this(directory, mode, "set by the caller");
    }

    /**
     * Reads the settings of the process. Without a setting and without a home directory the store is off.
     *
     * @throws IllegalArgumentException if a setting has a value it cannot have; the message says which ones it can have
     */
    public static StoreSettings ofProcess() {
        return of(Setting::ofProcess, System::getenv, System.getProperty("os.name"), System.getProperty("user.home"));
    }

    static StoreSettings of(Setting.Source settings, UnaryOperator<String> environment, String system, String home) {
        Setting modeSetting = settings.find(MODE);
        Mode mode = modeSetting.oneOf(Mode.values(), Mode.WRITE);
        Setting directory = settings.find(DIRECTORY);
        String switchedOff = mode == Mode.OFF ? "switched off by " + modeSetting.source() : null;
        if (directory.isSet()) {
            return new StoreSettings(
                    parse(directory), mode, Objects.requireNonNullElse(switchedOff, "set by " + directory.source()));
        }
        return caches(environment, system, home)
                .map(caches -> new StoreSettings(
                        caches.resolve("attune"),
                        mode,
                        Objects.requireNonNullElse(switchedOff, "in the user's directory for caches")))
                .orElseGet(() -> new StoreSettings(
                        Path.of(""),
                        Mode.OFF,
                        Objects.requireNonNullElse(
                                switchedOff,
                                "the home directory is unknown; " + DIRECTORY + " sets another directory")));
    }

    private static Path parse(Setting directory) {
        if (directory.value().isEmpty()) {
            throw directory.invalid("the names of directories");
        }
        try {
            return Path.of(directory.value());
        } catch (InvalidPathException invalid) {
            throw directory.invalid("the names of directories (" + invalid.getReason() + ")");
        }
    }

    private static Optional<Path> caches(UnaryOperator<String> environment, String system, String home) {
        String name = system.toLowerCase(Locale.ROOT);
        // The JVM calls an unknown home directory "?", which is no absolute path.
        Optional<Path> own = absolute(home);
        if (name.startsWith("windows")) {
            return absolute(environment.apply("LOCALAPPDATA")).or(() -> own.map(path -> path.resolve("AppData/Local")));
        }
        if (name.startsWith("mac")) {
            return own.map(path -> path.resolve("Library/Caches"));
        }
        // A relative path is to be ignored, says the XDG base directory specification.
        return absolute(environment.apply("XDG_CACHE_HOME")).or(() -> own.map(path -> path.resolve(".cache")));
    }

    private static Optional<Path> absolute(String path) {
        try {
            return Optional.ofNullable(path).map(Path::of).filter(Path::isAbsolute);
        } catch (InvalidPathException notOne) {
            return Optional.empty();
        }
    }
}
