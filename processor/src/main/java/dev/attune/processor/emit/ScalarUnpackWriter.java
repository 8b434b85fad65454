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

    ScalarUnpackWriter(KernelPlan plan) {
        this.plan = plan;
        this.keyFormat = plan.model().keys().plainFormat();
        this.valueFormat = plan.model().values().plainFormat();
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(plan.layout().keys().map(this::unpackKeys).orElseGet(this::loadKeys));
        type.addMethod(plan.layout().values().map(this::unpackValues).orElseGet(this::loadValues));
        type.addMethod(loadDense());
        type.addMethod(loadDenseKeys());
        type.addMethod(loadDenseValues());
    }

    private MethodSpec unpackKeys(KeyLayout keys) {
        StoredResiduals residuals = StoredResiduals.ofKeys(plan, keys);
        KernelText body = KernelText.of("""
            for (int token = 0; token < TILE_TOKENS; token++) {
                long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                int lane = token % BLOCK_TOKENS;
                int row = token * HEAD_DIM;
            """)
                .addIf(keys.block().signed(), """
                        long signs = tile + KEY_SIGNS + token / BLOCK_TOKENS * KEY_SIGN_BYTES;
                        float amplitude = $load:L(cache, signs + KEY_AMPLITUDES + lane * $bytes:LL);
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            int word = cache.get(SHORT, signs + (channel / 16 * BLOCK_TOKENS + lane) * 2L);
                            keys[row + channel] = (word >>> channel % 16 & 1) == 1 ? amplitude : -amplitude;
                        }
                    """)
                .addIf(!keys.block().signed(), """
                        Arrays.fill(keys, row, row + HEAD_DIM, 0);
                    """)
                .add(residuals.scale().indent(4))
                .add("    for (int slot = 0; slot < KEPT_CHANNELS; slot++) {\n")
                .add((residuals.place() + "int channel = $index:L;\n" + residuals.load()).indent(8))
                .add("""
                            keys[row + channel] += residual;
                        }
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
                .with("index", residuals.index())
                .numbers(keyFormat);
        return KernelMethods.unpackKeys()
                .addJavadoc("$L.\n", ClassDocumentation.restoredKey(keys))
                .addCode(body.code())
                .build();
    }

    private MethodSpec unpackValues(ValueLayout values) {
        StoredResiduals residuals = StoredResiduals.ofValues(plan, values);
        KernelText body = KernelText.of("""
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                long block = tile + VALUES + channel / BLOCK_CHANNELS * VALUE_BLOCK_BYTES;
                int lane = channel % BLOCK_CHANNELS;
            """)
                .addIf(values.block().signed(), """
                    long signs = tile + VALUES + VALUE_SIGNS + channel / BLOCK_CHANNELS * VALUE_SIGN_BYTES;
                    float amplitude = $load:L(cache, signs + VALUE_AMPLITUDES + lane * $bytes:LL);
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        int word = cache.get(SHORT, signs + (token / 16 * BLOCK_CHANNELS + lane) * 2L);
                        values[token * HEAD_DIM + channel] = (word >>> token % 16 & 1) == 1 ? amplitude : -amplitude;
                    }
                """)
                .addIf(!values.block().signed(), """
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            values[token * HEAD_DIM + channel] = 0;
                        }
                    """)
                .add(residuals.scale().indent(4))
                .add("    for (int slot = 0; slot < KEPT_TOKENS; slot++) {\n")
                .add((residuals.place() + "int token = $index:L;\n" + residuals.load()).indent(8))
                .add("""
                            values[token * HEAD_DIM + channel] += residual;
                        }
                    }
                    """)
                .with("index", residuals.index())
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
                            long place = block + densePlace(token, channel) * $bytes:LL;
                            values[token * HEAD_DIM + channel] = $load:L(cache, place);
                        }
                    }
                    """).numbers(valueFormat).code())
                .build();
    }
}
