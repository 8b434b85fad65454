package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.PruningModel;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.ValueLayout;
import java.util.List;
import javax.lang.model.element.Modifier;

/**
 * How plain Java reads and writes the kept residuals of one side: as numbers, or as integers under a scale. The texts
 * are about the residual in a {@code slot} of a {@code lane}, which is a token of a key block or a channel of a value
 * block; {@code place} is where the slot stands.
 */
final class StoredResiduals {

    private final NumberFormat format;
    private final NumberFormat plainFormat;
    private final SlotText slots;
    private final String kept;

    private StoredResiduals(PruningModel pruning, SlotText slots, String kept) {
        this.format = pruning.format();
        this.plainFormat = pruning.plainFormat();
        this.slots = slots;
        this.kept = kept;
    }

    static StoredResiduals ofKeys(KernelPlan plan, KeyLayout layout) {
        return new StoredResiduals(plan.model().keys(), new SlotText("KEY", layout.block()), "KEPT_CHANNELS");
    }

    static StoredResiduals ofValues(KernelPlan plan, ValueLayout layout) {
        return new StoredResiduals(plan.model().values(), new SlotText("VALUE", layout.block()), "KEPT_TOKENS");
    }

    boolean quantised() {
        return format.quantised();
    }

    /** Declares the scale of the lane's residuals, if they have one. */
    String scale() {
        return quantised()
                ? "float residualScale = %s(cache, %s);\n".formatted(StoredNumbers.load(plainFormat), scaleAddress())
                : "";
    }

    /** Declares the {@code place} of a slot. */
    String place() {
        return slots.place();
    }

    /** Returns the expression that reads the slot's index. */
    String index() {
        String address = slots.indexAddress("place", "lane");
        return slots.layout().indexBytes() == 1
                ? "cache.get(ValueLayout.JAVA_BYTE, %s) & 0xFF".formatted(address)
                : "cache.get(SHORT, %s)".formatted(address);
    }

    /** Returns the statement that stores the slot's index. */
    String storeIndex(String index) {
        String address = slots.indexAddress("place", "lane");
        return slots.layout().indexBytes() == 1
                ? "cache.set(ValueLayout.JAVA_BYTE, %s, (byte) %s);\n".formatted(address, index)
                : "cache.set(SHORT, %s, (short) %s);\n".formatted(address, index);
    }

    /** Declares a {@code residual}. */
    String load() {
        String address = slots.residualAddress("place", "lane");
        return switch (format) {
            case FLOAT32, BFLOAT16, FLOAT16 ->
                "float residual = %s(cache, %s);\n".formatted(StoredNumbers.load(format), address);
            case INT8 ->
                "float residual = residualScale * cache.get(ValueLayout.JAVA_BYTE, %s);\n".formatted(address);
            case INT4 -> "float residual = residualScale * loadInt4(cache, %s, slot);\n".formatted(address);
        };
    }

    /** Returns the statement that stores a residual, or puts it by until all of its lane are known. */
    String store(String residual) {
        return quantised()
                ? "residuals[slot] = " + residual + ";\n"
                : "%s(cache, %s, %s);\n"
                        .formatted(StoredNumbers.store(format), slots.residualAddress("place", "lane"), residual);
    }

    /** Returns the call that stores what was put by. */
    String storeRest() {
        return quantised() ? storeMethod() + "(cache, block, lane);\n" : "";
    }

    private String scaleAddress() {
        return "block + " + slots.side() + "_RESIDUAL_SCALES + lane * " + plainFormat.bits() / Byte.SIZE + "L";
    }

    private String storeMethod() {
        return slots.side().equals("KEY") ? "storeKeyResiduals" : "storeValueResiduals";
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
                        slots.side().equals("KEY") ? "token" : "value channel",
                        limit)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addParameter(int.class, "lane")
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
                        .add(place().indent(4))
                        .add(format == NumberFormat.INT4 ? """
                                storeInt4(cache, $residual:L, slot, toMultiple(residuals[slot], residualScale, 7));
                            """ : """
                                int multiple = toMultiple(residuals[slot], residualScale, 127);
                                cache.set(ValueLayout.JAVA_BYTE, $residual:L, (byte) multiple);
                            """)
                        .add("}\n")
                        .with("residual", slots.residualAddress("place", "lane"))
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
