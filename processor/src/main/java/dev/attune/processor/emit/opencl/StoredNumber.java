package dev.attune.processor.emit.opencl;

import dev.attune.annotations.NumberFormat;

/** How OpenCL C reads and writes the numbers of a format. */
enum StoredNumber {
    /** IEEE 754 binary32. */
    FLOAT32(4, "float", "float32"),

    /** The upper half of a binary32. */
    BFLOAT16(2, "ushort", "bfloat16");

    private final int bytes;
    private final String type;
    private final String name;

    StoredNumber(int bytes, String type, String name) {
        this.bytes = bytes;
        this.type = type;
        this.name = name;
    }

    static StoredNumber of(NumberFormat format) {
        return valueOf(format.name());
    }

    int bytes() {
        return bytes;
    }

    /** Returns the type one number is stored as. */
    String type() {
        return type;
    }

    /** Returns the name of the function that reads a number at a place. */
    String load() {
        return "load_" + name;
    }

    /** Returns the name of the function that writes a number to a place. */
    String store() {
        return "store_" + name;
    }

    /** Returns both functions. */
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
        };
    }

    /** Returns the type that loads a run of numbers at once. */
    String runType(int numbers) {
        return wordsType(numbers * bytes);
    }

    /** Returns number {@code n} of a run that was loaded as a whole. */
    String ofRun(String run, int numbers, int n) {
        String word = element(run, numbers * bytes, n * bytes / 4);
        if (this == FLOAT32) {
            return "as_float(" + word + ")";
        }
        if (numbers == 1) {
            return "as_float((uint) " + word + " << 16)";
        }
        return n % 2 == 0 ? "as_float(" + word + " << 16)" : "as_float(" + word + " & 0xffff0000)";
    }

    /** Returns index {@code n} of a run of indices that was loaded as a whole. */
    static String indexOfRun(String run, int numbers, int indexBytes, int n) {
        int bytes = numbers * indexBytes;
        String word = element(run, bytes, n * indexBytes / 4);
        int shift = n * indexBytes % 4 * 8;
        String mask = indexBytes == 1 ? "0xff" : "0xffff";
        if (numbers == 1) {
            return word;
        }
        if (shift + 8 * indexBytes == Math.min(bytes, 4) * 8) {
            return word + " >> " + shift;
        }
        return shift == 0 ? word + " & " + mask : word + " >> " + shift + " & " + mask;
    }

    /** Returns the type that loads so many bytes at once. */
    static String wordsType(int bytes) {
        return switch (bytes) {
            case 1 -> "uchar";
            case 2 -> "ushort";
            case 4 -> "uint";
            default -> "uint" + bytes / 4;
        };
    }

    private static String element(String run, int bytes, int word) {
        return bytes <= 4 ? run : run + ".s" + word;
    }
}
