package dev.attune.examples.evaluation;

import dev.attune.examples.InputException;
import dev.attune.examples.bytelm.ByteLmCentredKeys80;
import dev.attune.examples.bytelm.ByteLmCentredKeys80Values80;
import dev.attune.examples.bytelm.ByteLmCentredKeys80Values80Float16;
import dev.attune.examples.bytelm.ByteLmCentredKeys80Values80Int4;
import dev.attune.examples.bytelm.ByteLmCentredKeys80Values80Int8;
import dev.attune.examples.bytelm.ByteLmCentredKeys90;
import dev.attune.examples.bytelm.ByteLmCentredKeys90Values90;
import dev.attune.examples.bytelm.ByteLmDense;
import dev.attune.examples.bytelm.ByteLmKeys50;
import dev.attune.examples.bytelm.ByteLmKeys80;
import dev.attune.examples.bytelm.ByteLmKeys80Rms;
import dev.attune.examples.bytelm.ByteLmKeys80Values80;
import dev.attune.examples.bytelm.ByteLmKeys80ZeroFill;
import dev.attune.examples.bytelm.ByteLmKeys90;
import dev.attune.examples.bytelm.ByteLmKeys90Values90;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** All caches of the evaluation, by name. */
public final class CacheCatalogue {

    /** The baseline. */
    public static final String DENSE = "dense";

    /** The names evaluated unless others are asked for. */
    public static final String DEFAULT =
            "dense,k0.8,k0.8-centred,k0.8-centred+v0.8,k0.9-centred+v0.9,k0.8-zero";

    private static final List<CacheChoice> ALL = List.of(
            new CacheChoice(DENSE, ByteLmDense.class, "nothing pruned, bfloat16"),
            new CacheChoice("k0.5", ByteLmKeys50.class, "keys 50 %, as published"),
            new CacheChoice("k0.8", ByteLmKeys80.class, "keys 80 %, as published"),
            new CacheChoice("k0.8-rms", ByteLmKeys80Rms.class, "keys 80 %, RMS channel weights"),
            new CacheChoice("k0.9", ByteLmKeys90.class, "keys 90 %, as published"),
            new CacheChoice("k0.8+v0.8", ByteLmKeys80Values80.class, "keys and values 80 %, not centred"),
            new CacheChoice("k0.9+v0.9", ByteLmKeys90Values90.class, "keys and values 90 %, not centred"),
            new CacheChoice("k0.8-centred", ByteLmCentredKeys80.class, "keys 80 %, centred"),
            new CacheChoice("k0.9-centred", ByteLmCentredKeys90.class, "keys 90 %, centred"),
            new CacheChoice(
                    "k0.8-centred+v0.8", ByteLmCentredKeys80Values80.class, "keys 80 %, centred, and values 80 %"),
            new CacheChoice(
                    "k0.8-centred+v0.8-f16",
                    ByteLmCentredKeys80Values80Float16.class,
                    "keys 80 %, centred, and values 80 %, kept in float16"),
            new CacheChoice(
                    "k0.8-centred+v0.8-int8",
                    ByteLmCentredKeys80Values80Int8.class,
                    "keys 80 %, centred, and values 80 %, kept in integers of 8 bits"),
            new CacheChoice(
                    "k0.8-centred+v0.8-int4",
                    ByteLmCentredKeys80Values80Int4.class,
                    "keys 80 %, centred, and values 80 %, kept in integers of 4 bits"),
            new CacheChoice(
                    "k0.9-centred+v0.9", ByteLmCentredKeys90Values90.class, "keys 90 %, centred, and values 90 %"),
            new CacheChoice("k0.8-zero", ByteLmKeys80ZeroFill.class, "keys 80 %, zeros instead of restoration"));

    private CacheCatalogue() {}

    /** Returns all caches, the baseline first. */
    public static List<CacheChoice> all() {
        return ALL;
    }

    /** Returns the names of all caches, separated by commas. */
    public static String names() {
        return ALL.stream().map(CacheChoice::name).collect(Collectors.joining(", "));
    }

    /** Returns one cache by name. */
    public static CacheChoice named(String name) {
        return ALL.stream()
                .filter(choice -> choice.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InputException(
                        "--caches: '" + name + "' is unknown; choose from " + names() + ", or all"));
    }

    /**
     * Parses a list of names separated by commas, or {@code all}.
     *
     * @throws InputException if a name is unknown or none is given
     */
    public static List<CacheChoice> parse(String list) {
        if (list.strip().equals("all")) {
            return ALL;
        }
        Set<CacheChoice> choices = new LinkedHashSet<>();
        for (String name : list.split(",")) {
            if (!name.isBlank()) {
                choices.add(named(name.strip()));
            }
        }
        if (choices.isEmpty()) {
            throw new InputException("--caches: the list is empty; choose from " + names() + ", or all");
        }
        return new ArrayList<>(choices);
    }
}
