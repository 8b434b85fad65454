package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;

/**
 * Writes how kept entries of one side are summed by rows: every entry's residual times the row of its channel's
 * queries, or of its token's weights, for all heads of a row at once. A row is loaded by its index, so this takes no
 * permutes. One text serves keys, whose lanes are tokens, and values, whose lanes are channels.
 */
final class RowLookupWriter {

    /** Lanes that are summed at once: as many sums in registers, and as many to come. */
    private static final int LANES_AT_ONCE = 8;

    private final KernelPlan plan;
    private final PackedSide side;
    private final ResidualText residuals;
    private final int vectorLanes;
    private final String indices;
    private final String sums;

    /**
     * @param indices the array of the indices of a block's kept entries
     * @param sums the array of rows, one for each lane, that are added to
     */
    RowLookupWriter(KernelPlan plan, PackedSide side, String indices, String sums) {
        this.plan = plan;
        this.side = side;
        this.residuals = ResidualText.of(side.format());
        this.vectorLanes = plan.lanes();
        this.indices = indices;
        this.sums = sums;
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(loadKept());
        type.addMethod(sumKept());
    }

    private MethodSpec loadKept() {
        // Read for every slot: vectors that are kept around a loop become objects in some JVMs.
        String units = residuals.quantised() ? residuals.units("block + $constant:L_RESIDUAL_SCALES + lane") : "";
        String slot = side.slots().place()
                + residuals.load(side.slots().residualAddress("place", "lane"))
                + """
                int to = entries + slot * $lanes:L + lane;
                residualFirst$scaledFirst.intoArray(RESIDUALS, to);
                residualSecond$scaledSecond.intoArray(RESIDUALS, to + LANES);
                $vector.fromMemorySegment(
                                $species, cache, $index, LITTLE_ENDIAN)
                        .intoArray($indices, to);
                """
                        .replace("$scaledFirst", residuals.quantised() ? ".mul(unitFirst)" : "")
                        .replace("$scaledSecond", residuals.quantised() ? ".mul(unitSecond)" : "")
                        .replace("$vector", byteIndices() ? "ByteVector" : "ShortVector")
                        .replace("$species", byteIndices() ? "BYTES" : "SHORTS")
                        .replace("$index", side.slots().indexAddress("place", "lane"))
                        .replace("$indices", indices);
        String text = places()
                + "for (int lane = 0; lane < $lanes:L; lane += STEP) {\n"
                + ("for (int slot = 0; slot < $kept:L; slot++) {\n" + (units + slot).indent(4) + "}\n").indent(4)
                + "}\n";
        return KernelMethods.step("loadKept" + side.name())
                .addJavadoc("Reads the kept entries of a block: residuals with lanes in the order of the vectors, and"
                        + " indices.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addCode(side.text(text.replace("@", "")).code())
                .build();
    }

    private MethodSpec sumKept() {
        StringBuilder load = new StringBuilder();
        StringBuilder slot = new StringBuilder();
        StringBuilder store = new StringBuilder();
        for (int lane = 0; lane < LANES_AT_ONCE; lane++) {
            load.append("FloatVector sum%1$d = FloatVector.fromArray(ROW, %2$s, to + %3$s);\n"
                    .formatted(lane, sums, row("lane", lane)));
            slot.append("""
                sum%1$d = FloatVector.broadcast(ROW, RESIDUALS[residual%2$s])
                        %3$s;
                """.formatted(lane, KernelText.plus(place(lane)), multiplyAdd(lane)));
            store.append("sum%1$d.intoArray(%2$s, to + %3$s);\n".formatted(lane, sums, row("lane", lane)));
        }
        String text = places()
                + "int rows = (row & LAST_ROW) * ROW_HEADS;\n"
                + "for (int lane = 0; lane < $lanes:L; lane += " + LANES_AT_ONCE + ") {\n"
                + (load
                                + "int first = entries + " + firstPlace() + ";\n"
                                + "for (int slot = 0; slot < $kept:L; slot++) {\n"
                                + ("int entry = entries + slot * $lanes:L + lane;\n"
                                                + "int residual = first + slot * $lanes:L;\n"
                                                + slot)
                                        .indent(4)
                                + "}\n"
                                + store)
                        .indent(4)
                + "}\n";
        return KernelMethods.step("sumKept" + side.name())
                .addJavadoc("""
                    Adds to the rows of a block's lanes, for every kept entry, its residual times the row that its index
                    tells.

                    @param row the first of those that are looked up
                    @param to where the rows begin that are added to
                    """)
                .addParameter(int.class, "row")
                .addParameter(int.class, "to")
                .addCode(side.text(text).code())
                .build();
    }

    /** Declares where the kept entries of a block begin in this call's part of the tables. */
    private static String places() {
        return """
            int entries = (part & LAST_PART) * PART_ENTRIES;
            """;
    }

    private String multiplyAdd(int lane) {
        String row = "FloatVector.fromArray(ROW, ROWS, rows + ($indices[entry%s] & $mask) * ROW_HEADS)"
                .replace("$indices", indices)
                .replace("$mask", RowTables.indexMask(side.block(), side.entries()))
                .formatted(KernelText.plus(lane));
        return MultiplyAddText.of(plan, row, "sum" + lane).replace(".add", "\n        .add");
    }

    private boolean byteIndices() {
        return side.block().indexBytes() == 1;
    }

    /** Returns where the residual of a lane stands, relative to that of the first of the lanes at once. */
    private int place(int lane) {
        return natural() ? lane : lane % 2 * vectorLanes + lane / 2;
    }

    private String firstPlace() {
        return natural() ? "lane" : "lane / STEP * STEP + lane % STEP / 2";
    }

    private boolean natural() {
        return side.format() == NumberFormat.FLOAT32;
    }

    private static String row(String variable, int lane) {
        return Pass.plus(variable, lane) + " * ROW_HEADS";
    }
}
