package dev.attune.processor.emit;

import dev.attune.processor.plan.BlockLayout;

/**
 * Where a slot of a block stands: {@code block} is where the block's kept entries begin, {@code place} where the slot
 * does, {@code lane} the token or channel within the block.
 *
 * @param side {@code KEY} or {@code VALUE}, as the constants begin
 * @param layout the bytes of a block
 */
record SlotText(String side, BlockLayout layout) {

    /** Returns what declares the {@code place} of a {@code slot}, or of the slots it shares bytes with. */
    String place() {
        return "long place = %s;\n".formatted(place("block"));
    }

    /** Returns the expression for where a {@code slot} of a block begins. */
    String place(String block) {
        return "%s + %s * %s_SLOT_BYTES".formatted(block, shared() ? "(slot >> 1)" : "(long) slot", side);
    }

    /** Returns the expression for a lane's index; {@code lane} is what to add for it, in indices. */
    String indexAddress(String place, String lane) {
        String half = shared() ? " + (slot & 1) * " + BlockLayout.LANES * layout.indexBytes() : "";
        return place + " + " + side + "_INDICES" + half + plus(lane, layout.indexBytes());
    }

    /** Returns the expression for a lane's residual, or for the byte that two slots share. */
    String residualAddress(String place, String lane) {
        return place + plus(lane, shared() ? 1 : layout.residualBits() / Byte.SIZE);
    }

    private boolean shared() {
        return layout.slotsPerRow() > 1;
    }

    private static String plus(String lane, int bytes) {
        return lane.isEmpty() ? "" : " + " + lane + (bytes == 1 ? "" : " * " + bytes + "L");
    }
}
