package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.settings.Setting;
import dev.attune.runtime.spi.KernelVariant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What somebody insists on when kernels are chosen; immutable. Names are those of variants, {@code vector512-ahead0},
 * or of backends, {@code vector512}: forcing a backend forces its default variant, forbidding it forbids all its
 * variants.
 *
 * <table class="striped">
 * <caption>Settings of the process; a system property goes before an environment variable</caption>
 * <thead><tr><th scope="col">property</th><th scope="col">environment</th><th scope="col">meaning</th></tr></thead>
 * <tbody>
 * <tr><th scope="row">attune.backend</th><td>ATTUNE_BACKEND</td><td>the variant or backend to use, no other</td></tr>
 * <tr><th scope="row">attune.forbid</th><td>ATTUNE_FORBID</td>
 *     <td>variants or backends not to use, with commas</td></tr>
 * <tr><th scope="row">attune.strict</th><td>ATTUNE_STRICT</td><td>{@code true}: a step down is an exception</td></tr>
 * <tr><th scope="row">attune.fallback</th><td>ATTUNE_FALLBACK</td>
 *     <td>{@code true}: where a device fails to hold a new cache, host memory does</td></tr>
 * <tr><th scope="row">attune.tune</th><td>ATTUNE_TUNE</td>
 *     <td>{@code off}: ignore measurements; {@code stored}: use those in the store, the default; {@code background}:
 *     also make those that lack</td></tr>
 * </tbody>
 * </table>
 */
public final class KernelPolicy {

    /** What is done about measurements. */
    public enum Tuning {
        /** They are ignored: every machine with the same capabilities runs the same variant. */
        OFF,

        /** Those in the store and those that came with the kernels are used. */
        STORED,

        /** Those that lack are made by a background thread, while the default is in use. */
        BACKGROUND
    }

    private final Insistence forced;
    private final Map<String, Insistence> forbidden;
    private final boolean strict;
    private final boolean fallback;
    private final Tuning tuning;

    /**
     * A name and who insists on it.
     *
     * @param name of a variant or a backend
     * @param source in words that follow "by"
     */
    record Insistence(String name, String source) {

        boolean names(KernelVariant variant) {
            return name.equals(variant.name()) || name.equals(BackendName.of(variant.backend()));
        }
    }

    private KernelPolicy(
            Insistence forced,
            Map<String, Insistence> forbidden,
            boolean strict,
            boolean fallback,
            Tuning tuning) {
        this.forced = forced;
        this.forbidden = forbidden;
        this.strict = strict;
        this.fallback = fallback;
        this.tuning = tuning;
    }

    /** Insists on nothing, and uses the store. The settings of the process have no say. */
    public static KernelPolicy free() {
        return new KernelPolicy(null, Map.of(), false, false, Tuning.STORED);
    }

    /**
     * Returns what the system properties and the environment say.
     *
     * @throws IllegalArgumentException if one has a value it cannot have; the message lists those it can
     */
    public static KernelPolicy ofProcess() {
        return of(Setting::ofProcess);
    }

    /** Returns what settings say that are looked up by their property's name. */
    static KernelPolicy of(Setting.Source settings) {
        KernelPolicy policy = free();
        Setting backend = settings.find("attune.backend");
        if (backend.isSet()) {
            policy = policy.forcing(new Insistence(backend.value(), backend.source()));
        }
        Setting forbid = settings.find("attune.forbid");
        for (String name : forbid.list()) {
            policy = policy.forbidding(new Insistence(name, forbid.source()));
        }
        return new KernelPolicy(
                policy.forced,
                policy.forbidden,
                settings.find("attune.strict").flag(),
                settings.find("attune.fallback").flag(),
                settings.find("attune.tune").oneOf(Tuning.values(), Tuning.STORED));
    }

    /** Returns a policy that uses one variant, or one backend's default, and no other. */
    public KernelPolicy forcing(String name) {
        return forcing(new Insistence(Objects.requireNonNull(name, "name is null"), "the caller's policy"));
    }

    /** Returns a policy that uses one backend's default variant, and no other. */
    public KernelPolicy forcing(Backend backend) {
        Objects.requireNonNull(backend, "backend is null");
        return forcing(new Insistence(BackendName.of(backend), "the caller's policy"));
    }

    /** Returns a policy that does not use a variant, or any variant of a backend. */
    public KernelPolicy forbidding(String name) {
        return forbidding(new Insistence(Objects.requireNonNull(name, "name is null"), "the caller's policy"));
    }

    /**
     * Returns a policy for which a step down is an exception: kernels that could be faster cannot be used for a reason
     * that somebody can remedy, such as a module that is not resolved or a device that is not found.
     */
    public KernelPolicy strictly() {
        return new KernelPolicy(forced, forbidden, true, fallback, tuning);
    }

    /**
     * Returns a policy by which a new cache that a device fails to hold is kept in host memory, with one warning in the
     * log. A cache that exists never changes its place: if its device fails, its operations throw.
     */
    public KernelPolicy fallingBack() {
        return new KernelPolicy(forced, forbidden, strict, true, tuning);
    }

    /** Returns a policy that treats measurements in another way. */
    public KernelPolicy withTuning(Tuning other) {
        Objects.requireNonNull(other, "tuning is null");
        return new KernelPolicy(forced, forbidden, strict, fallback, other);
    }

    /** Returns a policy that forbids what this one does, insists on nothing else, and ignores measurements. */
    KernelPolicy onlyForbidding() {
        return new KernelPolicy(null, forbidden, false, false, Tuning.OFF);
    }

    KernelPolicy forcing(Insistence insistence) {
        return new KernelPolicy(insistence, forbidden, strict, fallback, tuning);
    }

    private KernelPolicy forbidding(Insistence insistence) {
        Map<String, Insistence> all = new LinkedHashMap<>(forbidden);
        all.put(insistence.name(), insistence);
        return new KernelPolicy(forced, all, strict, fallback, tuning);
    }

    Optional<Insistence> forced() {
        return Optional.ofNullable(forced);
    }

    /** Returns who forbids a variant. */
    Optional<String> forbidden(KernelVariant variant) {
        return forbidden.values().stream()
                .filter(insistence -> insistence.names(variant))
                .map(Insistence::source)
                .findFirst();
    }

    /** Returns all names that this policy mentions, to be compared with those that exist. */
    Iterable<Insistence> mentioned() {
        Map<String, Insistence> all = new LinkedHashMap<>(forbidden);
        forced().ifPresent(insistence -> all.put(insistence.name(), insistence));
        return all.values();
    }

    boolean strict() {
        return strict;
    }

    boolean fallback() {
        return fallback;
    }

    Tuning tuning() {
        return tuning;
    }
}
