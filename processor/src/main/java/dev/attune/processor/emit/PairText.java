package dev.attune.processor.emit;

import dev.attune.annotations.NumberFormat;

/**
 * How vector code handles two vectors of floats at a time, one step of a kernel. Of numbers of 16 bits the first vector
 * holds the even ones and the second the odd ones, since that is how 32-bit lanes split for free; of float32 numbers
 * the first holds the lower half and the second the upper half. Lookup tables of queries and weights are bfloat16 for
 * all numbers of 16 bits.
 *
 * <p>In all texts {@code #} stands for the number of a query head within its pass, {@code @} for the letter of a tile.
 */
sealed interface PairText {

    static PairText of(NumberFormat format) {
        return switch (format) {
            case FLOAT32 -> new Float32Pair();
            case BFLOAT16 -> new Bfloat16Pair();
            case FLOAT16 -> new Float16Pair();
            case INT8, INT4 -> throw new IllegalArgumentException(format + " stores no numbers, but integers");
        };
    }

    /** Declares {@code nameFirst} and {@code nameSecond}, read from an address in the cache. */
    String load(String name, String address);

    /** Declares {@code nameLow} and {@code nameHigh}: the same numbers in their natural order. */
    String loadNatural(String name, String address);

    /** Declares {@code low#@} and {@code high#@}, the natural order of {@code first#@} and {@code second#@}. */
    String natural();

    /** Declares the same as {@link #natural}, but takes no permutes. */
    default String naturalByWidening() {
        return natural();
    }

    /** Declares {@code first#@} and {@code second#@}: floats of the 16-bit integers in {@code sum#@}. */
    String integers();

    /** Declares the vectors of indices that {@link #lookup} takes, of {@code indexBytes} each, and their masks. */
    String indices(String address, int indexBytes, int registers, int lanes);

    /** Declares {@code nameFirst} and {@code nameSecond}: entries of a table of {@code registers} registers. */
    String lookup(String name, String table, int registers, int lanes);

    /** Returns the registers that a table of so many entries takes, whole pairs of them. */
    default int registers(int entries, int lanes) {
        int pairs = (entries + 2 * entriesPerRegister(lanes) - 1) / (2 * entriesPerRegister(lanes));
        return 2 * pairs;
    }

    /** Returns the table entries of one register with {@code lanes} 32-bit lanes. */
    int entriesPerRegister(int lanes);

    /** Declares a register {@code name} of a table kept in an array of {@link #tableType()}. */
    String tableRegister(String name, String array, String index);

    /** Returns the element type of the arrays that tables are kept in. */
    Class<?> tableType();

    /** Returns the place of {@code channel} within a row of sums kept as pairs. */
    String place();

    /** Returns the expression that selects from a table by {@code index}. */
    private static String select(String index, String table, int registers) {
        StringBuilder expression = new StringBuilder(index + ".selectFrom(" + table + "Part0, " + table + "Part1)");
        for (int pair = 1; pair < registers / 2; pair++) {
            expression.append("\n        .blend(%s.selectFrom(%sPart%d, %sPart%d), %sIn%d)"
                    .formatted(index, table, 2 * pair, table, 2 * pair + 1, index, pair));
        }
        return registers > 2 ? expression.append("\n        ").toString() : expression.toString();
    }

    /** Declares the masks that tell which pair of registers an index falls into. */
    private static String masks(String type, String cast, String index, int registers, int entriesPerRegister) {
        StringBuilder text = new StringBuilder();
        for (int pair = 1; pair < registers / 2; pair++) {
            text.append("VectorMask<%s> %sIn%d = %s.compare(GE, %s%d);\n"
                    .formatted(type, index, pair, index, cast, pair * 2 * entriesPerRegister));
        }
        return text.toString();
    }

    /** Even and odd numbers of 16 bits, looked up in bfloat16 tables. */
    sealed interface SixteenBitPair extends PairText {

        @Override
        default String natural() {
            return """
                IntVector even#@ = first#@.reinterpretAsInts();
                IntVector odd#@ = second#@.reinterpretAsInts();
                FloatVector low#@ = LOWER_OF_PAIRS.selectFrom(even#@, odd#@).reinterpretAsFloats();
                FloatVector high#@ = UPPER_OF_PAIRS.selectFrom(even#@, odd#@).reinterpretAsFloats();
                """;
        }

        /** A pair of an even and an odd number is a 64-bit integer, the odd one its upper half. */
        @Override
        default String naturalByWidening() {
            String half = """
                FloatVector NAME#@ = ((LongVector) odd#@.convertShape(ZERO_EXTEND_I2L, LONGS, PART))
                        .lanewise(LSHL, 32)
                        .or(even#@.convertShape(ZERO_EXTEND_I2L, LONGS, PART))
                        .reinterpretAsFloats();
                """;
            return """
                IntVector even#@ = first#@.reinterpretAsInts();
                IntVector odd#@ = second#@.reinterpretAsInts();
                """
                    + half.replace("NAME", "low").replace("PART", "0")
                    + half.replace("NAME", "high").replace("PART", "1");
        }

        @Override
        default String integers() {
            return """
                IntVector pairs#@ = sum#@.reinterpretAsInts();
                FloatVector first#@ = (FloatVector) pairs#@.lanewise(LSHL, 16)
                        .lanewise(ASHR, 16)
                        .convert(I2F, 0);
                FloatVector second#@ = (FloatVector) pairs#@.lanewise(ASHR, 16)
                        .convert(I2F, 0);
                """;
        }

        @Override
        default String indices(String address, int indexBytes, int registers, int lanes) {
            String load = indexBytes == 1 ? """
                ShortVector index@ = (ShortVector) ByteVector.fromMemorySegment(
                                BYTES, cache, address, LITTLE_ENDIAN)
                        .convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
                """ : """
                    ShortVector index@ = ShortVector.fromMemorySegment(
                            SHORTS, cache, address, LITTLE_ENDIAN);
                    """;
            return load.replace("address", address)
                    + masks("Short", "(short) ", "index@", registers, entriesPerRegister(lanes));
        }

        @Override
        default String lookup(String name, String table, int registers, int lanes) {
            return """
                IntVector nameBits = select.reinterpretAsInts();
                FloatVector nameFirst = nameBits.lanewise(LSHL, 16).reinterpretAsFloats();
                FloatVector nameSecond = nameBits.and(0xFFFF0000).reinterpretAsFloats();
                """.replace("name", name).replace("select", select("index@", table, registers));
        }

        @Override
        default int entriesPerRegister(int lanes) {
            return 2 * lanes;
        }

        @Override
        default String tableRegister(String name, String array, String index) {
            return "ShortVector %s = ShortVector.fromArray(SHORTS, %s, %s);\n".formatted(name, array, index);
        }

        @Override
        default Class<?> tableType() {
            return short.class;
        }

        @Override
        default String place() {
            return "channel / STEP * STEP + channel % 2 * LANES + channel % STEP / 2";
        }
    }

    /** Even and odd bfloat16 numbers. */
    record Bfloat16Pair() implements SixteenBitPair {

        @Override
        public String load(String name, String address) {
            return """
                IntVector nameBits = ShortVector.fromMemorySegment(
                                SHORTS, cache, address, LITTLE_ENDIAN)
                        .reinterpretAsInts();
                FloatVector nameFirst = nameBits.lanewise(LSHL, 16).reinterpretAsFloats();
                FloatVector nameSecond = nameBits.and(0xFFFF0000).reinterpretAsFloats();
                """.replace("name", name).replace("address", address);
        }

        @Override
        public String loadNatural(String name, String address) {
            return """
                ShortVector nameBits = ShortVector.fromMemorySegment(
                        SHORTS, cache, address, LITTLE_ENDIAN);
                FloatVector nameLow = ((IntVector) nameBits.convertShape(ZERO_EXTEND_S2I, INTS, 0))
                        .lanewise(LSHL, 16)
                        .reinterpretAsFloats();
                FloatVector nameHigh = ((IntVector) nameBits.convertShape(ZERO_EXTEND_S2I, INTS, 1))
                        .lanewise(LSHL, 16)
                        .reinterpretAsFloats();
                """.replace("name", name).replace("address", address);
        }
    }

    /**
     * Even and odd binary16 numbers. Sign, exponent and fraction moved to where a float has them make 2^-112 times the
     * number: the exponents' biases differ by as much. Subnormal numbers come out right, too.
     */
    record Float16Pair() implements SixteenBitPair {

        @Override
        public String load(String name, String address) {
            return """
                IntVector nameBits = ShortVector.fromMemorySegment(
                                SHORTS, cache, address, LITTLE_ENDIAN)
                        .reinterpretAsInts();
                FloatVector nameFirst = nameBits.lanewise(LSHL, 16)
                        .lanewise(ASHR, 3)
                        .and(0x8FFFE000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f);
                FloatVector nameSecond = nameBits.lanewise(ASHR, 3)
                        .and(0x8FFFE000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f);
                """.replace("name", name).replace("address", address);
        }

        @Override
        public String loadNatural(String name, String address) {
            return """
                ShortVector nameBits = ShortVector.fromMemorySegment(
                        SHORTS, cache, address, LITTLE_ENDIAN);
                FloatVector nameLow = ((IntVector) nameBits.convertShape(S2I, INTS, 0))
                        .lanewise(LSHL, 13)
                        .and(0x8FFFE000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f);
                FloatVector nameHigh = ((IntVector) nameBits.convertShape(S2I, INTS, 1))
                        .lanewise(LSHL, 13)
                        .and(0x8FFFE000)
                        .reinterpretAsFloats()
                        .mul(0x1p112f);
                """.replace("name", name).replace("address", address);
        }
    }

    /** Lower and upper halves of float32 numbers. */
    record Float32Pair() implements PairText {

        @Override
        public String load(String name, String address) {
            return """
                FloatVector nameFirst = FloatVector.fromMemorySegment(
                        FLOATS, cache, address, LITTLE_ENDIAN);
                FloatVector nameSecond = FloatVector.fromMemorySegment(
                        FLOATS, cache, address + LANES * 4L, LITTLE_ENDIAN);
                """.replace("name", name).replace("address", address);
        }

        @Override
        public String loadNatural(String name, String address) {
            return """
                FloatVector nameLow = FloatVector.fromMemorySegment(
                        FLOATS, cache, address, LITTLE_ENDIAN);
                FloatVector nameHigh = FloatVector.fromMemorySegment(
                        FLOATS, cache, address + LANES * 4L, LITTLE_ENDIAN);
                """.replace("name", name).replace("address", address);
        }

        @Override
        public String natural() {
            return """
                FloatVector low#@ = first#@;
                FloatVector high#@ = second#@;
                """;
        }

        @Override
        public String integers() {
            return """
                FloatVector first#@ = (FloatVector) sum#@.convertShape(S2F, FLOATS, 0);
                FloatVector second#@ = (FloatVector) sum#@.convertShape(S2F, FLOATS, 1);
                """;
        }

        @Override
        public String indices(String address, int indexBytes, int registers, int lanes) {
            String load = indexBytes == 1 ? """
                ByteVector indices@ = ByteVector.fromMemorySegment(
                        BYTES, cache, address, LITTLE_ENDIAN);
                IntVector lowIndex@ = (IntVector) indices@.convertShape(ZERO_EXTEND_B2I, INTS, 0);
                IntVector highIndex@ = (IntVector) indices@.convertShape(ZERO_EXTEND_B2I, INTS, 1);
                """ : """
                    ShortVector indices@ = ShortVector.fromMemorySegment(
                            SHORTS, cache, address, LITTLE_ENDIAN);
                    IntVector lowIndex@ = (IntVector) indices@.convertShape(ZERO_EXTEND_S2I, INTS, 0);
                    IntVector highIndex@ = (IntVector) indices@.convertShape(ZERO_EXTEND_S2I, INTS, 1);
                    """;
            return load.replace("address", address)
                    + masks("Integer", "", "lowIndex@", registers, entriesPerRegister(lanes))
                    + masks("Integer", "", "highIndex@", registers, entriesPerRegister(lanes));
        }

        @Override
        public String lookup(String name, String table, int registers, int lanes) {
            return """
                FloatVector nameFirst = selectLow.reinterpretAsFloats();
                FloatVector nameSecond = selectHigh.reinterpretAsFloats();
                """.replace("name", name)
                    .replace("selectLow", select("lowIndex@", table, registers))
                    .replace("selectHigh", select("highIndex@", table, registers));
        }

        @Override
        public int entriesPerRegister(int lanes) {
            return lanes;
        }

        @Override
        public String tableRegister(String name, String array, String index) {
            return "IntVector %s =\n        FloatVector.fromArray(FLOATS, %s, %s).reinterpretAsInts();\n"
                    .formatted(name, array, index);
        }

        @Override
        public Class<?> tableType() {
            return float.class;
        }

        @Override
        public String place() {
            return "channel";
        }
    }
}
