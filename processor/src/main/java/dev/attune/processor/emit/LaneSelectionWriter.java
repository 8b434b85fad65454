package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;

/**
 * Writes the selection of every lane's largest magnitudes. Nothing in it depends on the numbers but how often its loops
 * run: lanes proceed together, and no step is a branch of one lane.
 *
 * <p>Magnitudes are first compared by their upper 16 bits, which lets a vector hold twice as many: bisection finds a
 * bound that as many entries reach as are kept, or one more, or more still where those bits are equal. The surplus is
 * then dropped by whole magnitudes.
 */
final class LaneSelectionWriter {

    /** More entries a group do not raise the lower bound enough to pay for. */
    private static final int MOST_ENTRIES_OF_GROUP = 8;

    private final PackedSide side;
    private final boolean gathers;

    /**
     * Writes the selection of a side.
     *
     * @param gathers whether vectors can gather; those of 128 bits belong to machines that cannot
     */
    LaneSelectionWriter(PackedSide side, boolean gathers) {
        this.side = side;
        this.gathers = gathers;
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(select());
        type.addMethod(narrow());
        type.addMethod(list());
        type.addMethod(gather());
        type.addMethod(drop());
    }

    /** Adds the scratch that the sides share. */
    static void addScratch(TypeSpec.Builder type, String most) {
        ScratchField.add(
                type,
                short.class,
                "magnitudes",
                most + " * BLOCK_TOKENS",
                "[entry][lane]: upper 16 bits of magnitudes; lanes j and j + LANES of a step are neighbours.");
        ScratchField.add(
                type,
                short.class,
                "least",
                "BLOCK_TOKENS",
                "As many entries of each lane as are kept, or more, reach it.");
        ScratchField.add(type, short.class, "above", "BLOCK_TOKENS", "Fewer reach it.");
        ScratchField.add(
                type, short.class, "reaching", "BLOCK_TOKENS", "How many entries of each lane reach the least.");
        ScratchField.add(
                type,
                int.class,
                "keptMarks",
                "(" + most + " + 31) / 32 * BLOCK_TOKENS",
                "[word][lane]: a bit per entry, set if it is kept.");
        ScratchField.add(type, int.class, "keptCounts", "BLOCK_TOKENS", "Entries marked of each lane.");
        ScratchField.add(
                type,
                int.class,
                "keptNumbers",
                most + " * BLOCK_TOKENS",
                "[slot][lane]: which entries are kept, in ascending order.");
        ScratchField.add(type, float.class, "keptEntries", most + " * BLOCK_TOKENS", "[slot][lane]: those entries.");
    }

    private MethodSpec select() {
        int group = Math.min(side.entries() / side.kept(), MOST_ENTRIES_OF_GROUP);
        KernelText body = side.text("""
            // The largest of each of $kept:L groups: so many entries reach the least of them.
            ShortVector reached = ShortVector.broadcast(SHORTS, Short.MAX_VALUE);
            ShortVector beyond = ShortVector.zero(SHORTS);
            for (int place = lane; place < $kept:L * $group:L; place += $group:L) {
                ShortVector largest = ShortVector.fromArray(SHORTS, magnitudes, place)""");
        for (int entry = 1; entry < group; entry++) {
            body.add("\n            .max(ShortVector.fromArray(SHORTS, magnitudes, place + %s))"
                    .formatted(times(entry, side.lanes())));
        }
        body.add("""
            ;
                reached = reached.min(largest);
                beyond = beyond.max(largest);
            }
            """);
        if (side.kept() * group < side.entries()) {
            body.add("""
                for (int entry = $kept:L * $groupEntries:L; entry < $entries:L; entry++) {
                    beyond = beyond.max(ShortVector.fromArray(SHORTS, magnitudes, entry * $lanes:L + lane));
                }
                """);
        }
        body.add("""
            reached.intoArray(least, 0);
            beyond.add((short) 1).intoArray(above, 0);
            ShortVector.broadcast(SHORTS, (short) $entries:L).intoArray(reaching, 0);
            boolean open = true;
            while (open) {
                open = narrow$side:L(lane);
            }

            ShortVector below = ShortVector.fromArray(SHORTS, least, 0).sub((short) 1);
            """);
        if (side.entries() >= Integer.SIZE) {
            body.add("""
                for (int word = 0; word < $entries:L / 32; word++) {
                """)
                    .add(marks("lower", "word * 32", 15).indent(4))
                    .add(marks("upper", "word * 32 + 16", 15).indent(4))
                    .add("""
                        IntVector lowerPairs = lower.reinterpretAsInts();
                        IntVector upperPairs = upper.reinterpretAsInts();
                        int place = word * $lanes:L + lane;
                        lowerPairs.and(0xFFFF).or(upperPairs.lanewise(LSHL, 16)).intoArray(keptMarks, place);
                        lowerPairs.lanewise(LSHR, 16)
                                .or(upperPairs.and(0xFFFF0000))
                                .intoArray(keptMarks, place + LANES);
                    }
                    """);
        }
        if (side.halfWord()) {
            body.add(marks("last", "$entries:L / 32 * 32", 15)).add("""
                IntVector lastPairs = last.reinterpretAsInts();
                int lastPlace = $entries:L / 32 * $lanes:L + lane;
                lastPairs.and(0xFFFF).intoArray(keptMarks, lastPlace);
                lastPairs.lanewise(LSHR, 16).intoArray(keptMarks, lastPlace + LANES);
                """);
        }
        return side.method("select")
                .addJavadoc("""
                    Marks the largest magnitudes of STEP lanes by their upper 16 bits: $L of them, or one
                    more, or all that equal the smallest of them.
                    """, side.keptCount())
                .addCode(body.with("group", times(group, side.lanes()))
                        .with("groupEntries", group)
                        .code())
                .build();
    }

    /**
     * A pass of the bisection, whose bounds stay in arrays: the compiler makes objects of vectors that a loop around
     * another one carries.
     */
    private MethodSpec narrow() {
        KernelText body = side.text("""
            ShortVector lower = ShortVector.fromArray(SHORTS, least, 0);
            ShortVector upper = ShortVector.fromArray(SHORTS, above, 0);
            ShortVector reachingLower = ShortVector.fromArray(SHORTS, reaching, 0);
            // Where a lane has one too many, the exact comparison that follows is as fast for all lanes as for some.
            if (!reachingLower
                    .compare(GT, (short) ($kept:L + 1))
                    .and(upper.sub(lower).compare(GT, (short) 1))
                    .anyTrue()) {
                return false;
            }
            ShortVector middle = lower.add(upper.sub(lower).lanewise(LSHR, 1));
            ShortVector below = middle.sub((short) 1);
            ShortVector even = ShortVector.zero(SHORTS);
            ShortVector odd = ShortVector.zero(SHORTS);
            for (int place = lane; place < $entries:L * $lanes:L; place += 2 * $lanes:L) {
                // What is not below the middle leaves a sign bit: a mask would take longer to count.
                even = even.add(below.sub(ShortVector.fromArray(SHORTS, magnitudes, place))
                        .lanewise(LSHR, 15));
                odd = odd.add(below.sub(ShortVector.fromArray(SHORTS, magnitudes, place + $lanes:L))
                        .lanewise(LSHR, 15));
            }
            ShortVector reachingMiddle = even.add(odd);
            VectorMask<Short> enough = reachingMiddle.compare(GE, (short) $kept:L);
            lower.blend(middle, enough).intoArray(least, 0);
            reachingLower.blend(reachingMiddle, enough).intoArray(reaching, 0);
            middle.blend(upper, enough).intoArray(above, 0);
            return true;
            """);
        return side.method("narrow")
                .returns(boolean.class)
                .addJavadoc("Halves what is between the bounds of STEP lanes; returns whether anything was left.\n")
                .addCode(body.code())
                .build();
    }

    /** Declares a vector of 16 marks per lane. */
    private static String marks(String name, String first, int last) {
        return """
            ShortVector NAME = ShortVector.zero(SHORTS);
            for (int entry = FIRST + LAST; entry >= FIRST; entry--) {
                ShortVector magnitude = ShortVector.fromArray(SHORTS, magnitudes, entry * $lanes:L + lane);
                NAME = NAME.add(NAME).or(below.sub(magnitude).lanewise(LSHR, 15));
            }
            """.replace("NAME", name).replace("FIRST", first).replace("LAST", Integer.toString(last));
    }

    private MethodSpec list() {
        int words = side.words();
        KernelText body = side.text("");
        StringBuilder count = new StringBuilder("rest0.lanewise(BIT_COUNT)");
        for (int word = 0; word < words; word++) {
            body.add("IntVector rest%d = IntVector.fromArray(INTS, keptMarks, %slane);\n"
                    .formatted(word, word == 0 ? "" : times(word, side.lanes()) + " + "));
            if (word > 0) {
                count.append("\n        .add(rest%d.lanewise(BIT_COUNT))".formatted(word));
            }
        }
        body.add("IntVector count = " + count + ";\n").add("""
            count.intoArray(keptCounts, lane);
            int slots = count.reduceLanes(MAX);
            for (int slot = 0; slot < slots; slot++) {
            """);
        StringBuilder step = new StringBuilder();
        if (words == 1) {
            step.append("IntVector word = rest0;\n");
        } else {
            step.append("""
                VectorMask<Integer> empty0 = rest0.compare(EQ, 0);
                IntVector word = rest0.blend(rest1, empty0);
                IntVector first = IntVector.zero(INTS).blend(32, empty0);
                """);
        }
        step.append("rest0 = rest0.and(rest0.sub(1));\n");
        for (int word = 1; word < words; word++) {
            if (word < words - 1) {
                step.append("""
                    VectorMask<Integer> emptyTHIS = restTHIS.compare(EQ, 0, emptyLAST);
                    word = word.blend(restNEXT, emptyTHIS);
                    first = first.blend(BITS, emptyTHIS);
                    """.replace("NEXT", Integer.toString(word + 1))
                        .replace("THIS", Integer.toString(word))
                        .replace("LAST", Integer.toString(word - 1))
                        .replace("BITS", Integer.toString(32 * (word + 1))));
            }
            step.append("restTHIS = restTHIS.lanewise(AND, restTHIS.sub(1), empty%d);\n".formatted(word - 1)
                    .replace("THIS", Integer.toString(word)));
        }
        step.append("IntVector number = word.lanewise(TRAILING_ZEROS_COUNT)")
                .append(words > 1 ? ".add(first)" : "")
                .append("""
                    ;
                    // A lane that has no more marks lists its last entry.
                    number.min($entries:L - 1).intoArray(keptNumbers, slot * $lanes:L + lane);
                    """);
        return side.method("list")
                .addJavadoc(
                        "Lists the marked entries of LANES lanes: a slot finds and clears the lowest mark of each.\n")
                .addCode(body.add(step.toString().indent(4)).add("}\n").code())
                .build();
    }

    private MethodSpec gather() {
        KernelText body = side.text("""
            int slots = IntVector.fromArray(INTS, keptCounts, lane).reduceLanes(MAX);
            """)
                .addIf(gathers, """
                    IntVector lanes = LANE_NUMBERS.add(lane);
                    for (int place = lane; place < slots * $lanes:L; place += $lanes:L) {
                        IntVector.fromArray(INTS, keptNumbers, place)
                                .mul($stride:L)
                                .add(lanes)
                                .intoArray(places, place);
                        FloatVector.fromArray(FLOATS, from, first, places, place).intoArray(keptEntries, place);
                    }
                    """)
                .addIf(!gathers, """
                    for (int slot = 0; slot < slots; slot++) {
                        for (int place = slot * $lanes:L + lane; place < slot * $lanes:L + lane + LANES; place++) {
                            keptEntries[place] = from[first + keptNumbers[place] * $stride:L + place % $lanes:L];
                        }
                    }
                    """);
        return KernelMethods.step("gather" + side.name())
                .addJavadoc("Gathers the listed entries of LANES lanes.\n")
                .addParameter(KernelMethods.FLOATS, "from")
                .addParameter(int.class, "first")
                .addParameter(int.class, "lane")
                .addCode(body.code())
                .build();
    }

    private MethodSpec drop() {
        KernelText body = side.text("""
            IntVector count = IntVector.fromArray(INTS, keptCounts, lane);
            int slots = count.reduceLanes(MAX);
            for (int slot = $kept:L; slot < slots; slot++) {
                // Beyond a lane's last entry stands what no entry exceeds.
                FloatVector.fromArray(FLOATS, keptEntries, slot * $lanes:L + lane)
                        .blend(Float.POSITIVE_INFINITY, count.compare(LE, slot).cast(FLOATS))
                        .intoArray(keptEntries, slot * $lanes:L + lane);
            }
            for (; slots > $kept:L; slots--) {
                IntVector smallest = IntVector.broadcast(INTS, Integer.MAX_VALUE);
                IntVector number = IntVector.zero(INTS);
                IntVector dropped = IntVector.zero(INTS);
                for (int slot = 0; slot < slots; slot++) {
                    IntVector magnitude = FloatVector.fromArray(FLOATS, keptEntries, slot * $lanes:L + lane)
                            .reinterpretAsInts()
                            .and(Integer.MAX_VALUE);
                    VectorMask<Integer> smaller = magnitude.compare(LE, smallest);
                    smallest = smallest.min(magnitude);
                    number = number.blend(IntVector.fromArray(INTS, keptNumbers, slot * $lanes:L + lane), smaller);
                    dropped = dropped.blend(slot, smaller);
                }
                VectorMask<Integer> surplus = count.compare(GT, $kept:L);
                count = count.sub(1, surplus);
                IntVector bit = IntVector.broadcast(INTS, 1).lanewise(LSHL, number);
                IntVector word = number.lanewise(LSHR, 5);
                for (int w = 0; w < ($entries:L + 31) / 32; w++) {
                    IntVector.fromArray(INTS, keptMarks, w * $lanes:L + lane)
                            .lanewise(AND_NOT, bit, surplus.and(word.compare(EQ, w)))
                            .intoArray(keptMarks, w * $lanes:L + lane);
                }
                dropped = IntVector.broadcast(INTS, slots).blend(dropped, surplus);
                for (int slot = 0; slot < slots - 1; slot++) {
                    int place = slot * $lanes:L + lane;
                    VectorMask<Integer> moved = dropped.compare(LE, slot);
                    IntVector.fromArray(INTS, keptNumbers, place)
                            .blend(IntVector.fromArray(INTS, keptNumbers, place + $lanes:L), moved)
                            .intoArray(keptNumbers, place);
                    FloatVector.fromArray(FLOATS, keptEntries, place)
                            .blend(FloatVector.fromArray(FLOATS, keptEntries, place + $lanes:L), moved.cast(FLOATS))
                            .intoArray(keptEntries, place);
                }
            }
            """);
        return side.method("drop")
                .addJavadoc("""
                    Drops what LANES lanes have in surplus, one entry of each at a time: the smallest magnitude; of
                    equal ones, the last.
                    """)
                .addCode(body.code())
                .build();
    }

    private static String times(int factor, String constant) {
        return factor == 1 ? constant : factor + " * " + constant;
    }
}
