package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.NvidiaPlan;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;

/** Writes the kernels that bring packed tiles from their order in host memory to the device's, and back. */
final class TransferText {

    private final TileLayout layout;
    private final StoredNumber keyNumber;
    private final StoredNumber keyResidual;
    private final StoredNumber valueNumber;
    private final StoredNumber valueResidual;
    private final boolean toDevice;

    /** Whether the slots of a column may be in any order on the device. */
    private final boolean arranged;

    private TransferText(OpenClPlan plan, boolean toDevice) {
        this.layout = plan.layout();
        this.keyNumber = StoredNumber.of(plan.model().keys().plainFormat());
        this.keyResidual = StoredNumber.of(plan.model().keys().format());
        this.valueNumber = StoredNumber.of(plan.model().values().plainFormat());
        this.valueResidual = StoredNumber.of(plan.model().values().format());
        this.toDevice = toDevice;
        this.arranged = NvidiaPlan.of(plan).filter(NvidiaPlan::arranged).isPresent();
    }

    static String write(OpenClPlan plan) {
        return new TransferText(plan, true).kernel() + new TransferText(plan, false).kernel();
    }

    private String kernel() {
        OpenClText text = OpenClText.of("""

            /* $meaning One work-group per tile. */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void $name(
                    $parameters, int first, int count, int stride,
                    global int *receipt, int launch) {
                uint item = get_local_id(0);
                global uchar *tile = packed
                        + ((size_t) (get_group_id(0) / count) * stride + first + get_group_id(0) % count) * TILE_BYTES;
                host += (size_t) get_group_id(0) * HOST_TILE_BYTES;

                // Keys: work-item by token.
            """);
        layout.keys().ifPresentOrElse(keys -> addKeys(text, keys), () -> addDenseKeys(text));
        text.add("""

                // Values: work-item by channel.
                tile += VALUES;
                host += HOST_VALUES;
                for (uint channel = item; channel < PADDED_CHANNELS; channel += TILE_TOKENS) {
                    uint block = channel / 32;
                    uint lane = channel % 32;
            """);
        layout.values().ifPresentOrElse(values -> addValues(text, values), () -> addDenseValues(text));
        return text.add("""
                }
                sign(receipt, launch);
            }
            """)
                .with("name", toDevice ? "import_tiles" : "export_tiles")
                .with(
                        "meaning",
                        toDevice
                                ? "Brings tiles [heads][count] from the order of host memory to the device's."
                                : "Brings tiles from the device's order to that of host memory, [heads][count].")
                .with(
                        "parameters",
                        toDevice
                                ? "global uchar *host, global uchar *packed"
                                : "global uchar *packed, global uchar *host")
                .toString();
    }

    private void addKeys(OpenClText text, KeyLayout keys) {
        if (keys.centred()) {
            text.add("    for (uint channel = item; channel < PADDED_CHANNELS; channel += TILE_TOKENS) {\n")
                    .add(copy(8, "key_mean(tile, channel)", keyNumber, "host", "channel"))
                    .add("    }\n");
        }
        text.add("""
                uint block = item / 32;
                uint lane = item % 32;
            """);
        addBlock(text, 4, "KEY", "key", "item", keys.block(), keyNumber, keyResidual);
    }

    private void addDenseKeys(OpenClText text) {
        text.add("    for (uint channel = 0; channel < HEAD_DIM; channel++) {\n")
                .add(copy(
                        8,
                        "dense_key(tile, channel, item)",
                        keyNumber,
                        "host",
                        "(item / 32 * HEAD_DIM + channel) * 32 + item % 32"))
                .add("    }\n");
    }

    private void addValues(OpenClText text, ValueLayout values) {
        addBlock(text, 8, "VALUE", "value", "channel", values.block(), valueNumber, valueResidual);
    }

    private void addDenseValues(OpenClText text) {
        text.add("        for (uint token = 0; token < TILE_TOKENS; token++) {\n")
                .add(copy(
                        12,
                        "dense_value(tile, channel, token)",
                        valueNumber,
                        "host",
                        "(block * TILE_TOKENS + token) * 32 + lane"))
                .add("        }\n");
    }

    /** Copies what one lane of a block keeps; on the device that is the {@code owner}, a token or a channel. */
    private void addBlock(
            OpenClText text,
            int indent,
            String side,
            String accessor,
            String owner,
            BlockLayout block,
            StoredNumber number,
            StoredNumber residual) {
        String margin = " ".repeat(indent);
        String kept = side.equals("KEY") ? "KEPT_CHANNELS" : "KEPT_TOKENS";
        String slotsPerRow = block.slotsPerRow() == 1 ? "" : " / " + block.slotsPerRow();
        String within = block.slotsPerRow() == 1 ? "lane" : "slot % " + block.slotsPerRow() + " * 32 + lane";
        text.add(margin + "global uchar *kept_entries = host + HOST_" + side + "_KEPT + block * HOST_" + side
                + "_KEPT_BYTES;\n");
        text.add(margin + "for (uint slot = 0; slot < " + kept + "; slot++) {\n");
        String hostSlot = "slot" + slotsPerRow;
        if (arranged && !toDevice) {
            hostSlot = "rank";
            text.add(margin + "    uint rank = 0; // in ascending order\n");
            text.add(margin + "    for (uint other = 0; other < " + kept + "; other++) {\n");
            text.add(margin + "        rank += *" + accessor + "_index(tile, other, " + owner + ") < *" + accessor
                    + "_index(tile, slot, " + owner + ");\n");
            text.add(margin + "    }\n");
        }
        text.add(margin + "    global uchar *row = kept_entries + " + hostSlot + " * HOST_" + side + "_SLOT_BYTES;\n");
        text.add(copy(
                indent + 4,
                accessor + "_residual(tile, slot" + slotsPerRow + ", " + owner + ")",
                residual,
                "row",
                "lane"));
        text.add(copyIndex(
                indent + 4,
                accessor + "_index(tile, slot, " + owner + ")",
                block.indexBytes() == 1 ? "uchar" : "ushort",
                "row + HOST_" + side + "_INDICES",
                within));
        text.add(margin + "}\n");
        if (block.quantised()) {
            text.add(copy(
                    indent,
                    accessor + "_residual_scale(tile, " + owner + ")",
                    number,
                    "kept_entries + HOST_" + side + "_RESIDUAL_SCALES",
                    "lane"));
        }
        if (block.signed()) {
            text.add(margin + "global uchar *signs = host + HOST_" + side + "_SIGNS + block * HOST_" + side
                    + "_SIGN_BYTES;\n");
            text.add(margin + "for (uint word = 0; word < " + block.signWords() + "; word++) {\n");
            text.add(margin + "    global ushort *half_word = (global ushort *) " + accessor + "_signs(tile, "
                    + (side.equals("KEY") ? "word / 2, item) + word % 2" : "word % 2, channel) + word / 2") + ";\n");
            text.add(copyIndex(indent + 4, "half_word", "ushort", "signs", "word * 32 + lane"));
            text.add(margin + "}\n");
            text.add(copy(
                    indent,
                    accessor + "_amplitude(tile, " + owner + ")",
                    number,
                    "signs + HOST_" + side + "_AMPLITUDES",
                    "lane"));
        }
    }

    private String copy(int indent, String device, StoredNumber number, String host, String index) {
        return copyIndex(indent, device, number.type(), host, index);
    }

    private String copyIndex(int indent, String device, String type, String host, String index) {
        String base = host.contains(" ") ? "(" + host + ")" : host;
        String onHost = "((global " + type + " *) " + base + ")[" + index + "]";
        String onDevice = "*" + device;
        String line = toDevice ? onDevice + " = " + onHost : onHost + " = " + onDevice;
        String margin = " ".repeat(indent);
        boolean tooLong = line.length() + indent > 104;
        return margin + (tooLong ? line.replace(" = ", "\n        " + margin + "= ") : line) + ";\n";
    }
}
