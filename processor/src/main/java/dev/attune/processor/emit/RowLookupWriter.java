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
    private final String sums;

    /** @param sums the array of rows, one for each lane, that are added to */
    RowLookupWriter(KernelPlan plan, PackedSide side, String sums) {
        this.plan = plan;
        this.side = side;
        this.residuals = ResidualText.of(side.format());
        this.vectorLanes = plan.lanes();
        this.sums = sums;
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(loadResiduals());
        type.addMethod(sumKept());
    }

    private MethodSpec loadResiduals() {
        String units = residuals.quantised() ? residuals.units("block + $constant:L_RESIDUAL_SCALES + lane") : "";
        String scaled = residuals.quantised() ? ".mul(unit%s)" : "";
        String slot = side.slots().place()
                + residuals.load(side.slots().residualAddress("place", "lane"))
                + """
                residualFirst%s.reinterpretAsInts().intoArray(residuals, slot * $lanes:L + lane);
                residualSecond%s.reinterpretAsInts().intoArray(residuals, slot * $lanes:L + lane + LANES);
                """.formatted(scaled.formatted("First"), scaled.formatted("Second"));
        String text = "for (int lane = 0; lane < $lanes:L; lane += STEP) {\n"
                + (units + "for (int slot = 0; slot < $kept:L; slot++) {\n" + slot.indent(4) + "}\n").indent(4)
                + "}\n";
        return KernelMethods.step("loadResiduals" + side.name())
                .addJavadoc("Reads the kept residuals of a block, lanes in the order of the vectors.\n")
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
                sum%1$d = FloatVector.fromArray(ROW, rows, %2$s * ROW_HEADS)
                        %3$s;
                """.formatted(lane, index(lane), multiplyAdd(lane)));
            store.append("sum%1$d.intoArray(%2$s, to + %3$s);\n".formatted(lane, sums, row("lane", lane)));
        }
        String text = "for (int lane = 0; lane < $lanes:L; lane += " + LANES_AT_ONCE + ") {\n"
                + (load
                                + "int first = " + firstPlace() + ";\n"
                                + "for (int slot = 0; slot < $kept:L; slot++) {\n"
                                + ("long index = "
                                                + side.slots().indexAddress(side.slots().place("block"), "lane") + ";\n"
                                                + "int residual = slot * $lanes:L + first;\n"
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

                    @param rows what is looked up
                    @param to where the rows begin that are added to
                    """)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addParameter(KernelMethods.FLOATS, "rows")
                .addParameter(int.class, "to")
                .addCode(side.text(text).code())
                .build();
    }

    private String multiplyAdd(int lane) {
        String residual = "IntVector.broadcast(ROW_INTS, residuals[residual%s]).reinterpretAsFloats()";
        return MultiplyAddText.of(plan, residual.formatted(plus(place(lane))), "sum" + lane);
    }

    private String index(int lane) {
        return side.block().indexBytes() == 1
                ? "(cache.get(BYTE, index%s) & 0xFF)".formatted(plus(lane))
                : "(cache.get(SHORT, index%s) & 0xFFFF)".formatted(plus(2 * lane));
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
        return (lane == 0 ? variable : "(" + variable + " + " + lane + ")") + " * ROW_HEADS";
    }

    private static String plus(int number) {
        return number == 0 ? "" : " + " + number;
    }
}
