package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.PruningModel;
import java.util.List;
import javax.lang.model.element.Modifier;

/**
 * How plain Java reads and writes the kept residuals of one side: as numbers, or as integers under a scale. The texts
 * are about the residual in a {@code slot} of the token {@code lane} or of the value {@code channel}; {@code place} is
 * its number among the residuals of a {@code block}.
 */
final class StoredResiduals {

    private final NumberFormat format;
    private final NumberFormat plainFormat;
    private final String side;
    private final String owner;
    private final String kept;
    private final String slotPlace;
    private final String rowPlace;

    private StoredResiduals(
            PruningModel pruning, String side, String owner, String kept, String slotPlace, String rowPlace) {
        this.format = pruning.format();
        this.plainFormat = pruning.plainFormat();
        this.side = side;
        this.owner = owner;
        this.kept = kept;
        this.slotPlace = slotPlace;
        this.rowPlace = rowPlace;
    }

    static StoredResiduals ofKeys(PruningModel keys) {
        return new StoredResiduals(
                keys,
                "KEY",
                "lane",
                "KEPT_CHANNELS",
                "slot * BLOCK_TOKENS + lane",
                "slot / 2 * BLOCK_TOKENS + lane");
    }

    static StoredResiduals ofValues(PruningModel values) {
        return new StoredResiduals(
                values,
                "VALUE",
                "channel",
                "KEPT_TOKENS",
                "firstSlot(channel) + slot * GROUP_CHANNELS",
                "firstRow(channel) + slot / 2 * GROUP_CHANNELS");
    }

    boolean quantised() {
        return format.quantised();
    }

    /** Declares the scale of the owner's residuals, if they have one. */
    String scale() {
        return quantised()
                ? "float residualScale = %s(cache, %s);\n".formatted(StoredNumbers.load(plainFormat), scaleAddress())
                : "";
    }

    /** Declares a {@code residual}. */
    String load() {
        return switch (format) {
            case FLOAT32, BFLOAT16, FLOAT16 ->
                "float residual = %s(cache, %s);\n".formatted(StoredNumbers.load(format), numberAddress());
            case INT8 -> """
                float residual = residualScale * cache.get(ValueLayout.JAVA_BYTE, %s + place);
                """.formatted(residuals());
            case INT4 -> """
                long shared = %s + %s;
                float residual = residualScale * loadInt4(cache, shared, slot);
                """.formatted(residuals(), rowPlace);
        };
    }

    /** Returns the statement that stores a residual, or puts it by until all of its owner are known. */
    String store(String residual) {
        return quantised()
                ? "residuals[slot] = " + residual + ";\n"
                : "%s(cache, %s, %s);\n".formatted(StoredNumbers.store(format), numberAddress(), residual);
    }

    /** Returns the call that stores what was put by. */
    String storeRest() {
        return quantised() ? "%s(cache, block, %s);\n".formatted(storeMethod(), owner) : "";
    }

    private String residuals() {
        return "block + " + side + "_RESIDUALS";
    }

    private String numberAddress() {
        return residuals() + " + place * " + format.bits() / Byte.SIZE;
    }

    private String scaleAddress() {
        return "block + " + side + "_RESIDUAL_SCALES + " + owner + " * " + plainFormat.bits() / Byte.SIZE + "L";
    }

    private String storeMethod() {
        return side.equals("KEY") ? "storeKeyResiduals" : "storeValueResiduals";
    }

    /** Adds what the quantised ones of the packed sides take. */
    static void addTo(TypeSpec.Builder type, List<StoredResiduals> sides) {
        List<StoredResiduals> quantised =
                sides.stream().filter(StoredResiduals::quantised).toList();
        if (quantised.isEmpty()) {
            return;
        }
        ScratchField.add(
                type,
                float.class,
                "residuals",
                "Math.max(HEAD_DIM, TILE_TOKENS)",
                "Residuals until all that share a scale are known.");
        quantised.forEach(side -> type.addMethod(side.storeQuantised()));
        type.addMethod(toMultiple());
        if (quantised.stream().anyMatch(side -> side.format == NumberFormat.INT4)) {
            type.addMethod(loadInt4());
            type.addMethod(storeInt4());
        }
    }

    private MethodSpec storeQuantised() {
        int limit = format == NumberFormat.INT4 ? 7 : 127;
        return KernelMethods.step(storeMethod())
                .addJavadoc(
                        "Stores the residuals of one $L as multiples, up to $L, of the scale they share.\n",
                        side.equals("KEY") ? "token" : "value channel",
                        limit)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addParameter(int.class, owner)
                .addCode(KernelText.of("""
                    float largest = 0;
                    for (int slot = 0; slot < $kept:L; slot++) {
                        largest = Math.max(largest, Math.abs(residuals[slot]));
                    }
                    $store:L(cache, $scaleAddress:L, largest / $limit:L);
                    // As it is stored, so that its own rounding costs nothing.
                    $scale:L
                    for (int slot = 0; slot < $kept:L; slot++) {
                    """)
                        .add(format == NumberFormat.INT4 ? """
                                long shared = $residuals:L + $rowPlace:L;
                                storeInt4(cache, shared, slot, toMultiple(residuals[slot], residualScale, 7));
                            """ : """
                                long place = $residuals:L + $slotPlace:L;
                                int multiple = toMultiple(residuals[slot], residualScale, 127);
                                cache.set(ValueLayout.JAVA_BYTE, place, (byte) multiple);
                            """)
                        .add("}\n")
                        .with("residuals", residuals())
                        .with("slotPlace", slotPlace)
                        .with("rowPlace", rowPlace)
                        .with("kept", kept)
                        .with("limit", limit)
                        .with("scale", scale().strip())
                        .with("scaleAddress", scaleAddress())
                        .numbers(plainFormat)
                        .code())
                .build();
    }

    private static MethodSpec toMultiple() {
        return KernelMethods.step("toMultiple")
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Rounds a residual to a multiple of its scale, ties to even; to none of a scale of zero.\n")
                .addParameter(float.class, "residual")
                .addParameter(float.class, "scale")
                .addParameter(int.class, "limit")
                .returns(int.class)
                .addStatement("return scale == 0 ? 0 : Math.clamp((int) Math.rint(residual / scale), -limit, limit)")
                .build();
    }

    private static MethodSpec loadInt4() {
        return KernelMethods.step("loadInt4")
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Two slots share a byte: the even one has its lower half, the odd one its upper half.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "offset")
                .addParameter(int.class, "slot")
                .returns(int.class)
                .addCode(KernelText.of("""
                    byte both = cache.get(ValueLayout.JAVA_BYTE, offset);
                    return slot % 2 == 0 ? both << 28 >> 28 : both >> 4;
                    """).code())
                .build();
    }

    private static MethodSpec storeInt4() {
        return KernelMethods.step("storeInt4")
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Slots are stored in ascending order: an even one clears the upper half of its byte.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "offset")
                .addParameter(int.class, "slot")
                .addParameter(int.class, "number")
                .addCode(KernelText.of("""
                    int both = slot % 2 == 0 ? number & 15 : cache.get(ValueLayout.JAVA_BYTE, offset) | number << 4;
                    cache.set(ValueLayout.JAVA_BYTE, offset, (byte) both);
                    """).code())
                .build();
    }
}
