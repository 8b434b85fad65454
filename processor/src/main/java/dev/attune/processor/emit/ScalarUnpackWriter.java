package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.ValueLayout;
import javax.lang.model.element.Modifier;

/** Writes what rebuilds the tokens a tile stands for: for inspection and tests. */
final class ScalarUnpackWriter {

    private final KernelPlan plan;
    private final NumberFormat keyFormat;
    private final NumberFormat valueFormat;
    private final StoredResiduals keyResiduals;
    private final StoredResiduals valueResiduals;

    ScalarUnpackWriter(KernelPlan plan) {
        this.plan = plan;
        this.keyFormat = plan.model().keys().plainFormat();
        this.keyResiduals = StoredResiduals.ofKeys(plan.model().keys());
        this.valueFormat = plan.model().values().plainFormat();
        this.valueResiduals = StoredResiduals.ofValues(plan.model().values());
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(plan.layout().keys().map(this::unpackKeys).orElseGet(this::loadKeys));
        type.addMethod(plan.layout().values().map(this::unpackValues).orElseGet(this::loadValues));
        type.addMethod(loadDense());
        type.addMethod(loadDenseKeys());
        type.addMethod(loadDenseValues());
    }

    private MethodSpec unpackKeys(KeyLayout keys) {
        KernelText body = KernelText.of("""
            for (int token = 0; token < TILE_TOKENS; token++) {
                long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                int lane = token % BLOCK_TOKENS;
                int row = token * HEAD_DIM;
            """)
                .add(keyResiduals.scale().indent(4))
                .addIf(keys.signed(), """
                        float amplitude = $load:L(cache, block + KEY_AMPLITUDES + lane * $bytes:LL);
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            int word = cache.get(SHORT, block + KEY_SIGNS + (channel / 16 * BLOCK_TOKENS + lane) * 2L);
                            keys[row + channel] = (word >>> channel % 16 & 1) == 1 ? amplitude : -amplitude;
                        }
                        for (int slot = 0; slot < KEPT_CHANNELS; slot++) {
                            long place = (long) slot * BLOCK_TOKENS + lane;
                            int channel = $index:L;
                    """)
                .addIf(keys.signed(), keyResiduals.load().indent(8))
                .addIf(keys.signed(), """
                            keys[row + channel] += residual;
                        }
                    """)
                .addIf(!keys.signed(), """
                        Arrays.fill(keys, row, row + HEAD_DIM, 0);
                        for (int slot = 0; slot < KEPT_CHANNELS; slot++) {
                            long place = (long) slot * BLOCK_TOKENS + lane;
                            int channel = $index:L;
                    """)
                .addIf(!keys.signed(), keyResiduals.load().indent(8))
                .addIf(!keys.signed(), """
                            keys[row + channel] = residual;
                        }
                    """)
                .add("""
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                    """)
                .addIf(keys.centred(), """
                            keys[row + channel] += $load:L(cache, tile + channel * $bytes:LL);
                    """)
                .add("""
                            keys[row + channel] /= scales[head * HEAD_DIM + channel];
                        }
                    }
                    """)
                .with("index", keyIndex(keys))
                .numbers(keyFormat);
        return KernelMethods.unpackKeys()
                .addJavadoc("$L.\n", ClassDocumentation.restoredKey(keys))
                .addCode(body.code())
                .build();
    }

    /** Returns the expression that reads the channel index at {@code place}. */
    static String keyIndex(KeyLayout keys) {
        return keys.indexBytes() == 1
                ? "cache.get(ValueLayout.JAVA_BYTE, block + KEY_INDICES + place) & 0xFF"
                : "cache.get(SHORT, block + KEY_INDICES + place * 2)";
    }

    private MethodSpec unpackValues(ValueLayout values) {
        KernelText body = KernelText.of("""
            long block = tile + VALUES;
            for (int channel = 0; channel < HEAD_DIM; channel++) {
            """)
                .addIf(values.signed(), """
                        float amplitude = $load:L(cache, block + VALUE_AMPLITUDES + channel * $bytes:LL);
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            int word = cache.get(SHORT, block + VALUE_SIGNS + (token / 16 * PADDED_CHANNELS + channel) * 2L);
                            values[token * HEAD_DIM + channel] = (word >>> token % 16 & 1) == 1 ? amplitude : -amplitude;
                        }
                    """)
                .addIf(!values.signed(), """
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            values[token * HEAD_DIM + channel] = 0;
                        }
                    """)
                .add(valueResiduals.scale().indent(4))
                .add("""
                        long place = firstSlot(channel);
                        for (int slot = 0; slot < KEPT_TOKENS; slot++) {
                            int token = cache.get(ValueLayout.JAVA_BYTE, block + VALUE_INDICES + place);
                    """)
                .add(valueResiduals.load().indent(8))
                .add("""
                            values[token * HEAD_DIM + channel] += residual;
                            place += GROUP_CHANNELS;
                        }
                    }
                    """)
                .numbers(valueFormat);
        return KernelMethods.unpackValues()
                .addJavadoc("$L.\n", ClassDocumentation.restoredValue(values))
                .addCode(body.code())
                .build();
    }

    private MethodSpec loadKeys() {
        return KernelMethods.unpackKeys()
                .addStatement("loadDenseKeys(cache, tile, keys)")
                .build();
    }

    private MethodSpec loadValues() {
        return KernelMethods.unpackValues()
                .addStatement("loadDenseValues(cache, tile + VALUES, values)")
                .build();
    }

    private static MethodSpec loadDense() {
        return KernelMethods.loadDense()
                .addStatement("loadDenseKeys(cache, tile, keys)")
                .addStatement("loadDenseValues(cache, tile + DENSE_VALUES, values)")
                .build();
    }

    private MethodSpec loadDenseKeys() {
        return KernelMethods.step("loadDenseKeys")
                .addModifiers(Modifier.STATIC)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "tile")
                .addParameter(KernelMethods.FLOATS, "keys")
                .addCode(KernelText.of("""
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        long block = tile + token / BLOCK_TOKENS * (long) HEAD_DIM * BLOCK_TOKENS * $bytes:L;
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            long place = block + (channel * BLOCK_TOKENS + token % BLOCK_TOKENS) * $bytes:LL;
                            keys[token * HEAD_DIM + channel] = $load:L(cache, place);
                        }
                    }
                    """).numbers(keyFormat).code())
                .build();
    }

    private MethodSpec loadDenseValues() {
        return KernelMethods.step("loadDenseValues")
                .addModifiers(Modifier.STATIC)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addParameter(KernelMethods.FLOATS, "values")
                .addCode(KernelText.of("""
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            long place = block + (token * PADDED_CHANNELS + channel) * $bytes:LL;
                            values[token * HEAD_DIM + channel] = $load:L(cache, place);
                        }
                    }
                    """).numbers(valueFormat).code())
                .build();
    }
}
