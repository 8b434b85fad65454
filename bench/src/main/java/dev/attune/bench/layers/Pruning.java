package dev.attune.bench.layers;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What is pruned of a layer's cache. Keys are centred and restored by their signs, values by theirs. */
public enum Pruning {

    /** Nothing: what every other layer is compared with. */
    DENSE("dense", "Dense"),

    /** 80 % of the key channels; dense values. */
    KEYS_80("k0.8-centred", "Keys80"),

    /** 80 % of keys and values. */
    KEYS_80_VALUES_80("k0.8-centred+v0.8", "Keys80Values80");

    private final String label;
    private final String namePart;

    Pruning(String label, String namePart) {
        this.label = label;
        this.namePart = namePart;
    }

    /** Returns the name it goes by in options, tables and reports: that of the demo's caches. */
    @Override
    public String toString() {
        return label;
    }

    /** Returns the one whose layers' names begin with {@code namePart}. */
    static Pruning ofNamePart(String namePart) {
        return Arrays.stream(values())
                .filter(pruning -> pruning.namePart.equals(namePart))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no pruning is called " + namePart + "; known are "
                        + Arrays.stream(values()).map(each -> each.namePart).collect(Collectors.joining(", "))));
    }
}
