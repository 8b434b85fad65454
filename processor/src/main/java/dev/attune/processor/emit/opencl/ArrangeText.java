package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.OpenClPlan;

/**
 * Writes the kernel that orders the kept entries of packed tiles for the NVIDIA program, whose lanes look up a number
 * of 8 bytes for each, 16 lanes at a time. The order within a column means nothing; exporting tiles restores the
 * ascending one.
 */
final class ArrangeText {

    private final OpenClPlan plan;

    private ArrangeText(OpenClPlan plan) {
        this.plan = plan;
    }

    static String write(OpenClPlan plan) {
        return new ArrangeText(plan).write();
    }

    private String write() {
        boolean keys = plan.device().keys().isPresent();
        boolean values = plan.device().values().isPresent();
        return """

            #define BANKS 16  // numbers of 8 bytes that local memory delivers at once, each from its own bank
            """
                + (keys ? arrange("key", "token", "KEPT_CHANNELS", StoredNumber.of(plan.model().keys().format())) : "")
                + (values
                        ? arrange("value", "channel", "KEPT_TOKENS", StoredNumber.of(plan.model().values().format()))
                        : "")
                + kernel(keys, values);
    }

    private static String arrange(String side, String owner, String kept, StoredNumber residual) {
        return OpenClText.of("""

            /*
             * Orders the slots of BANKS $owners that are looked up together: each takes the first of its entries left
             * whose bank is free, or delivers that very number.
             */
            static void arrange_$side(global uchar *tile, uint first) {
                for (uint slot = 0; slot < $kept; slot++) {
                    uint taken = 0;
                    uchar delivered[BANKS];
                    for (uint $owner = first; $owner < first + BANKS; $owner++) {
                        uint from = slot;
                        for (uint other = slot; other < $kept; other++) {
                            uchar index = *$side_index(tile, other, $owner);
                            if ((taken >> index % BANKS & 1) == 0 || delivered[index % BANKS] == index) {
                                from = other;
                                break;
                            }
                        }
                        uchar index = *$side_index(tile, from, $owner);
                        $residual residual = *$side_residual(tile, from, $owner);
                        *$side_index(tile, from, $owner) = *$side_index(tile, slot, $owner);
                        *$side_residual(tile, from, $owner) = *$side_residual(tile, slot, $owner);
                        *$side_index(tile, slot, $owner) = index;
                        *$side_residual(tile, slot, $owner) = residual;
                        if ((taken >> index % BANKS & 1) == 0) {
                            taken |= 1u << index % BANKS;
                            delivered[index % BANKS] = index;
                        }
                    }
                }
            }
            """.replace("$side", side).replace("$owner", owner))
                .with("kept", kept)
                .with("residual", residual.type())
                .toString();
    }

    private static String kernel(boolean keys, boolean values) {
        return OpenClText.of("""

            /*
             * Orders the kept entries of packed tiles so that lanes which look up numbers together find them in
             * different banks of local memory. One work-group per tile.
             */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void arrange_tiles(
                    global uchar *packed, int first, int count, int stride, global int *receipt, int launch) {
                uint first_of_item = get_local_id(0) % LANES * BANKS;
                global uchar *tile = packed
                        + ((size_t) (get_group_id(0) / count) * stride + first + get_group_id(0) % count) * TILE_BYTES;
            """)
                .addIf(keys, """
                        if (get_local_id(0) < LANES && first_of_item < TILE_TOKENS) {
                            arrange_key(tile, first_of_item);
                        }
                    """)
                .addIf(values, """
                        if (get_local_id(0) >= LANES && first_of_item < PADDED_CHANNELS) {
                            arrange_value(tile + VALUES, first_of_item);
                        }
                    """)
                .add("""
                        sign(receipt, launch);
                    }
                    """)
                .toString();
    }
}
