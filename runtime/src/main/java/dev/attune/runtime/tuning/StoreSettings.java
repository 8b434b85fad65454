package dev.attune.runtime.tuning;

import dev.attune.runtime.settings.Setting;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
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
 */
public record StoreSettings(Path directory, Mode mode) {

    /** What may be done with the files of a store. */
    public enum Mode {
        /** They are read and written. */
        WRITE,

        /** They are read. */
        READ,

        /** They are not touched; records live as long as the process. */
        OFF
    }

    /**
     * Reads the settings of the process. Without a setting and without a home directory the store is off.
     *
     * @throws IllegalArgumentException if a setting has a value it cannot have
     */
    public static StoreSettings ofProcess() {
        return of(Setting::ofProcess, System::getenv, System.getProperty("os.name"), System.getProperty("user.home"));
    }

    static StoreSettings of(Setting.Source settings, UnaryOperator<String> environment, String system, String home) {
        Mode mode = settings.find("attune.store.mode").oneOf(Mode.values(), Mode.WRITE);
        Setting directory = settings.find("attune.store");
        if (directory.isSet()) {
            return new StoreSettings(parse(directory), mode);
        }
        Optional<Path> caches = caches(environment, system, home);
        return new StoreSettings(
                caches.orElse(Path.of("")).resolve("attune").toAbsolutePath(), caches.isEmpty() ? Mode.OFF : mode);
    }

    private static Path parse(Setting directory) {
        try {
            if (directory.value().isEmpty()) {
                throw directory.invalid("names of directories");
            }
            return Path.of(directory.value()).toAbsolutePath();
        } catch (InvalidPathException invalid) {
            throw directory.invalid("names of directories (" + invalid.getReason() + ")");
        }
    }

    private static Optional<Path> caches(UnaryOperator<String> environment, String system, String home) {
        String name = system.toLowerCase(Locale.ROOT);
        Optional<Path> own = Optional.ofNullable(home)
                .filter(known -> !known.isEmpty() && !known.equals("?"))
                .map(Path::of)
                .filter(Path::isAbsolute);
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
        return Optional.ofNullable(path).filter(given -> !given.isEmpty()).map(Path::of).filter(Path::isAbsolute);
    }
}
