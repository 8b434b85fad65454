package dev.attune.processor.emit;

import dev.attune.annotations.NumberFormat;

/**
 * How vector code reads the kept residuals of a step, {@code residual@First} and {@code residual@Second}, for
 * a tile {@code @}: as numbers, or as integers of which the sum of products is brought to scale once.
 */
sealed interface ResidualText {

    static ResidualText of(NumberFormat format) {
        return switch (format) {
            case FLOAT32, BFLOAT16, FLOAT16 -> new Numbers(PairText.of(format));
            case INT8 -> new Int8();
            case INT4 -> new Int4();
        };
    }

    /** Declares the residuals of a {@code slot} at an address. */
    String load(String address);

    /** Returns whether residuals are integers under a scale. */
    boolean quantised();

    /** Declares {@code unit@First} and {@code unit@Second}, what sums of products are multiples of. */
    String units(String scales);

    /** Declares the pair from even and odd integers in the upper ends of their 16-bit lanes. */
    private static String integers(String bits) {
        return """
            IntVector residual@Bits = %s
                    .reinterpretAsInts();
            FloatVector residual@First = (FloatVector) residual@Bits.lanewise(LSHL, 16).convert(I2F, 0);
            FloatVector residual@Second = (FloatVector) residual@Bits.and(0xFFFF0000).convert(I2F, 0);
            """.formatted(bits);
    }

    /** Declares the units of integers that were read as multiples of {@code factor}. */
    private static String units(String scales, String factor) {
        return PairText.of(NumberFormat.BFLOAT16).load("residualScale@", scales + " * 2L") + """
            FloatVector unit@First = residualScale@First.mul(factor);
            FloatVector unit@Second = residualScale@Second.mul(factor);
            """.replace("factor", factor);
    }

    /** Numbers of any format. */
    record Numbers(PairText numbers) implements ResidualText {

        @Override
        public String load(String address) {
            return numbers.load("residual@", address);
        }

        @Override
        public boolean quantised() {
            return false;
        }

        @Override
        public String units(String scales) {
            throw new IllegalStateException("these residuals have no scale");
        }
    }

    /** A residual a byte; read as 65536 times the integer. */
    record Int8() implements ResidualText {

        @Override
        public String load(String address) {
            return integers("""
                ByteVector.fromMemorySegment(
                                BYTES, cache, %s, LITTLE_ENDIAN)
                        .convertShape(B2S, SHORTS, 0)""".formatted(address));
        }

        @Override
        public boolean quantised() {
            return true;
        }

        @Override
        public String units(String scales) {
            return ResidualText.units(scales, "0x1p-16f");
        }
    }

    /** Two slots to a byte; read as 2^28 times the integer. */
    record Int4() implements ResidualText {

        @Override
        public String load(String address) {
            return integers("""
                ((ShortVector) ByteVector.fromMemorySegment(
                                        BYTES, cache, %s, LITTLE_ENDIAN)
                                .convertShape(ZERO_EXTEND_B2S, SHORTS, 0))
                        .lanewise(LSHL, 12 - (slot & 1) * 4)
                        .and((short) 0xF000)""".formatted(address));
        }

        @Override
        public boolean quantised() {
            return true;
        }

        @Override
        public String units(String scales) {
            return ResidualText.units(scales, "0x1p-28f");
        }
    }
}
