package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;
import java.util.stream.IntStream;
import javax.lang.model.element.Modifier;

/**
 * The tables that rows are looked up in, and what is looked up. They are static, so that compilers know how long they
 * are: a masked row's number plus an index of a byte is in bounds then, whatever the byte is, and nothing is checked in
 * the loops. Each call has a part of them for itself.
 */
final class RowTables {

    /** Elements, rows or tables between the parts of two calls, whose threads must not write to the same cache line. */
    private static final int GAP = 128;

    private static final int GAP_ROWS = 8;

    private static final int GAP_TABLES = 1;

    /** Signed sums of eight numbers. */
    private static final int SUMS = 256;

    private final KernelPlan plan;
    private final int headDim;
    private final int queryRows;
    private final boolean signed;

    RowTables(KernelPlan plan) {
        this.plan = plan;
        this.headDim = plan.layout().headDim();
        this.signed = plan.layout().signedKeys() || plan.layout().signedValues();
        this.queryRows = plan.layout().keys().isPresent() ? RowTilesWriter.rows(plan) * headDim : 0;
    }

    void addTo(TypeSpec.Builder type) {
        type.addField(FieldSpec.builder(
                        GeneratedTypes.TABLE_PARTS, "PARTS", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("Shares out the parts of the tables below, which are static for compilers to know their"
                        + " lengths.")
                .initializer("$T.forProcessors()", GeneratedTypes.TABLE_PARTS)
                .build());
        VectorKernelsWriter.constant(
                type,
                "LAST_PART",
                "PARTS.count() - 1",
                "A mask for a part's number; what is masked is in bounds, as compilers can see.");
        type.addField(FieldSpec.builder(int.class, "part", Modifier.PRIVATE)
                .addJavadoc("The part that belongs to the call at work, or belonged to the last one.")
                .build());
        addRows(type);
        if (signed) {
            addSums(type);
        }
        addKept(type);
    }

    private void addRows(TypeSpec.Builder type) {
        int weightRows = plan.layout().values().isPresent() ? TileLayout.TILE_TOKENS : 0;
        VectorKernelsWriter.constant(
                type,
                "QUERY_ROWS",
                Integer.toString(queryRows),
                "Rows of queries in a part: one for every channel and ROW_HEADS heads.");
        VectorKernelsWriter.constant(
                type,
                "PART_ROWS",
                Integer.toString(powerOfTwo(queryRows + weightRows + GAP_ROWS)),
                "Rows of a part: behind those of queries one for the weights of every token, and a gap; a power of"
                        + " two.");
        VectorKernelsWriter.constant(type, "LAST_ROW", "PARTS.count() * PART_ROWS - 1", "Number of the last row.");
        int indices = Math.max(
                plan.layout().keys().map(keys -> indices(keys.block(), headDim)).orElse(0),
                plan.layout().values().map(values -> indices(values.block(), TileLayout.TILE_TOKENS)).orElse(0));
        table(
                type,
                float.class,
                "ROWS",
                "(LAST_ROW + " + indices + ") * ROW_HEADS",
                "Numbers that ROW_HEADS heads have side by side; behind the last row, what an index can reach from"
                        + " it.");
    }

    private void addSums(TypeSpec.Builder type) {
        int queryTables = plan.layout().signedKeys() ? queryRows / Byte.SIZE : 0;
        int weightTables = plan.layout().signedValues() ? TileLayout.TILE_TOKENS / Byte.SIZE : 0;
        int atOnce = Math.max(plan.layout().signedKeys() ? headDim / Byte.SIZE : 0, weightTables);
        VectorKernelsWriter.constant(
                type, "QUERY_TABLES", Integer.toString(queryTables), "Tables of signed sums of queries in a part.");
        VectorKernelsWriter.constant(
                type,
                "PART_TABLES",
                Integer.toString(powerOfTwo(queryTables + weightTables + GAP_TABLES)),
                "Tables of a part: behind those of queries those of weights, and a gap; a power of two.");
        VectorKernelsWriter.constant(
                type, "LAST_TABLE", "PARTS.count() * PART_TABLES - 1", "Number of the last table.");
        table(
                type,
                long.class,
                "SIGNED_SUMS",
                "(LAST_TABLE + " + atOnce + ") * " + SUMS,
                "All " + SUMS + " signed sums of every 8 rows, 16 bits of every head; behind the last table, what is"
                        + " read from it on.");
        VectorKernelsWriter.constant(
                type,
                "PART_SIGNS",
                Integer.toString(atOnce * BlockLayout.LANES + GAP),
                "Bytes of a block's signs, and a gap to those of the next part.");
        table(type, byte.class, "SIGNS", "PARTS.count() * PART_SIGNS", "Signs of a block.");
    }

    private void addKept(TypeSpec.Builder type) {
        int kept = Math.max(
                plan.layout().keys().map(keys -> keys.block().kept()).orElse(0),
                plan.layout().values().map(values -> values.block().kept()).orElse(0));
        VectorKernelsWriter.constant(
                type,
                "PART_ENTRIES",
                Integer.toString(kept * BlockLayout.LANES + GAP),
                "The most entries that a block keeps, and a gap to those of the next part.");
        table(
                type,
                float.class,
                "RESIDUALS",
                "PARTS.count() * PART_ENTRIES",
                "Kept residuals of a block, slot by slot.");
        plan.layout().keys().ifPresent(keys ->
                entries(type, keys.block(), "CHANNELS", "Indices of the channels they are of."));
        plan.layout().values().ifPresent(values ->
                entries(type, values.block(), "TOKENS", "Indices of the tokens they are of."));
    }

    private static void entries(TypeSpec.Builder type, BlockLayout block, String name, String meaning) {
        table(type, block.indexBytes() == 1 ? byte.class : short.class, name, "PARTS.count() * PART_ENTRIES", meaning);
    }

    private static void table(TypeSpec.Builder type, Class<?> element, String name, String length, String meaning) {
        type.addField(FieldSpec.builder(
                        element.arrayType(), name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer("new $T[$L]", element, length)
                .build());
    }

    /** Returns the mask that makes an index of what a block stores. */
    static String indexMask(BlockLayout block, int entries) {
        return "0x%X".formatted(indices(block, entries) - 1);
    }

    /** Returns how many indices a block can tell apart, if all its bits are taken at their word. */
    private static int indices(BlockLayout block, int entries) {
        return block.indexBytes() == 1 ? 1 << Byte.SIZE : powerOfTwo(entries);
    }

    /** Returns the least power of two that is not less than a number. */
    private static int powerOfTwo(int least) {
        return IntStream.iterate(1, power -> 2 * power).dropWhile(power -> power < least).findFirst().getAsInt();
    }
}
