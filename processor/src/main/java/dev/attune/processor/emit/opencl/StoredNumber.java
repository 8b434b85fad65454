package dev.attune.processor.emit.opencl;

import dev.attune.annotations.NumberFormat;
import java.util.Locale;

/** How OpenCL C reads and writes the numbers of a format. */
enum StoredNumber {
    /** IEEE 754 binary32. */
    FLOAT32("float"),

    /** The upper half of a binary32. */
    BFLOAT16("ushort"),

    /** IEEE 754 binary16. */
    FLOAT16("ushort"),

    /** Integers under a scale. */
    INT8("char"),

    /** The same, two to a byte, the lower half first. */
    INT4("char");

    private final String type;

    StoredNumber(String type) {
        this.type = type;
    }

    static StoredNumber of(NumberFormat format) {
        return valueOf(format.name());
    }

    /** Returns whether the numbers are integers under a scale. */
    boolean quantised() {
        return this == INT8 || this == INT4;
    }

    /** Returns the largest integer of a quantised format. */
    int limit() {
        return this == INT4 ? 7 : 127;
    }

    /** Returns the type of an element of memory: one number, or two of four bits. */
    String type() {
        return type;
    }

    /** Returns the bytes of an element of memory. */
    int bytes() {
        return switch (type) {
            case "float" -> 4;
            case "ushort" -> 2;
            default -> 1;
        };
    }

    /** Returns how many slots share an element of memory. */
    int slots() {
        return this == INT4 ? 2 : 1;
    }

    /** Returns the name of the function that reads a number at a place. */
    String load() {
        return "load_" + name().toLowerCase(Locale.ROOT);
    }

    /** Returns the name of the function that writes a number to a place. */
    String store() {
        return "store_" + name().toLowerCase(Locale.ROOT);
    }

    /** Returns the functions that read and write a number that is not quantised. */
    String functions() {
        return switch (this) {
            case FLOAT32 -> """

                static float load_float32(global const float *place) {
                    return *place;
                }

                static void store_float32(global float *place, float number) {
                    *place = number;
                }
                """;
            case BFLOAT16 -> """

                static float load_bfloat16(global const ushort *place) {
                    return as_float((uint) *place << 16);
                }

                /* Rounds to nearest even. */
                static void store_bfloat16(global ushort *place, float number) {
                    uint bits = as_uint(number);
                    *place = (ushort) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
                }
                """;
            case FLOAT16 -> """

                static float load_float16(global const ushort *place) {
                    return vload_half(0, (global const half *) place);
                }

                /* Rounds to nearest even; what is beyond the largest binary16 becomes that. */
                static void store_float16(global ushort *place, float number) {
                    vstore_half_rte(clamp(number, -65504.0f, 65504.0f), 0, (global half *) place);
                }
                """;
            case INT8, INT4 -> throw new IllegalStateException(this + " is read and written under its scale");
        };
    }

    /**
     * Returns what has to follow the load of a row before its numbers are used: those of binary16 are converted at
     * once.
     *
     * @param row the variable
     * @param rowBytes bytes of the row
     */
    String unpacked(String row, int rowBytes) {
        if (this != FLOAT16) {
            return "";
        }
        String count = rowBytes == 2 ? "" : Integer.toString(rowBytes / 2);
        return "float%s %s_numbers = vload_half%s(0, (const half *) &%s);\n".formatted(count, row, count, row);
    }

    /**
     * Returns the number in an element of a row that was loaded as words and {@linkplain #unpacked unpacked}.
     *
     * @param row the variable
     * @param rowBytes bytes of the row
     * @param at the element's first byte in the row
     * @param slot which of the slots that share the element, 0 or 1
     */
    String ofRow(String row, int rowBytes, int at, int slot) {
        String word = word(row, rowBytes, at);
        int shift = at % 4 * 8;
        return switch (this) {
            case FLOAT32 -> "as_float(" + word + ")";
            case BFLOAT16 -> shift == 0
                    ? "as_float(" + (rowBytes < 4 ? "(uint) " : "") + word + " << 16)"
                    : "as_float(" + word + " & 0xffff0000)";
            case FLOAT16 -> row + "_numbers" + (rowBytes == 2 ? "" : ".s" + at / 2);
            case INT8 -> "(char) " + (shift == 0 ? word : "(" + word + " >> " + shift + ")");
            case INT4 -> "((int) (" + word + " << " + (28 - shift - slot * 4) + ") >> 28)";
        };
    }

    /** Returns the index in an element of a row that was loaded as words. */
    static String indexOfRow(String row, int rowBytes, int at, int indexBytes) {
        String word = word(row, rowBytes, at);
        int shift = at % 4 * 8;
        String shifted = shift == 0 ? word : word + " >> " + shift;
        return shift + 8 * indexBytes == 32 ? shifted : shifted + (indexBytes == 1 ? " & 0xff" : " & 0xffff");
    }

    /** Returns the type that loads so many bytes at once. */
    static String wordsType(int bytes) {
        return switch (bytes) {
            case 2 -> "ushort";
            case 4 -> "uint";
            default -> "uint" + bytes / 4;
        };
    }

    private static String word(String row, int rowBytes, int at) {
        return rowBytes <= 4 ? row : row + ".s" + at / 4;
    }

    /** Returns the name of the function that takes a number out of a lane's words of a stream. */
    String at() {
        return name().toLowerCase(Locale.ROOT) + "_at";
    }

    /** Returns that function: the number in a slot of a column, of so many columns. */
    String atFunction() {
        return OpenClText.of("""

                static inline float $at(const uint *words, int slot, int column, int columns) {
                    const int e = $row * columns + column;
                """)
                .add(switch (this) {
                    case FLOAT32 -> "    return as_float(words[e]);\n";
                    case BFLOAT16 -> """
                                return as_float(e % 2 == 0 ? words[e / 2] << 16 : words[e / 2] & 0xffff0000);
                            """;
                    // Not by vload_half: words must not be read through a pointer to another type.
                    case FLOAT16 -> """
                                const uint bits = words[e / 2] >> e % 2 * 16;
                                const float magnitude = as_float((bits & 0x7fff) << 13) * 0x1p112f;
                                return as_float(as_uint(magnitude) | (bits & 0x8000) << 16);
                            """;
                    case INT8 -> """
                            // Odd bytes share a shift that compilers do not take for one: they would make more of it.
                            const uint word = e % 2 == 0 ? words[e / 4] : mul_hi(words[e / 4], 1u << 24);
                            return (char) (word >> e % 4 / 2 * 16);
                        """;
                    case INT4 -> """
                                return (int) (words[e / 4] << 28 - e % 4 * 8 - slot % 2 * 4) >> 28;
                            """;
                })
                .add("}\n")
                .with("at", at())
                .with("row", this == INT4 ? "slot / 2" : "slot")
                .toString();
    }
}
