package dev.attune.bench.layers;

import dev.attune.annotations.NumberFormat;
import dev.attune.runtime.spi.KernelProvider;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One layer that is measured.
 *
 * @param provider its generated kernels
 * @param pruning what is pruned
 * @param format how kept entries, or dense ones, are stored
 */
public record Layer(KernelProvider provider, Pruning pruning, NumberFormat format) {

    /** For example {@code Keys80Values80Bfloat16Group4}. */
    private static final Pattern NAME =
            Pattern.compile("(?<pruning>Dense|Keys80|Keys80Values80)(?<format>\\p{Upper}\\p{Lower}+\\d+)Group\\d+");

    /**
     * Reads what is pruned and the format off the specification's name; annotations do not last until run time.
     *
     * @throws IllegalArgumentException if the name is built otherwise
     */
    static Layer of(KernelProvider provider) {
        String name = provider.specification().getSimpleName();
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "the layer " + name + " is not named like Keys80Values80Bfloat16Group4; rename it");
        }
        return new Layer(
                provider,
                Pruning.ofNamePart(matcher.group("pruning")),
                NumberFormat.valueOf(matcher.group("format").toUpperCase(Locale.ROOT)));
    }

    /** Returns the channels of one head. */
    public int headDim() {
        return provider.shape().headDim();
    }

    /** Returns the number of query heads that share a key-value head. */
    public int groupSize() {
        return provider.shape().groupSize();
    }

    /** Returns whether this is what the speed-up of other layers is relative to. */
    public boolean isBaseline() {
        return pruning == Pruning.DENSE && format == NumberFormat.BFLOAT16;
    }

    /** Returns the short name of a format: {@code bf16}, {@code f32}, {@code int8}. */
    public static String label(NumberFormat format) {
        return format.name().toLowerCase(Locale.ROOT).replace("bfloat", "bf").replace("float", "f");
    }
}
