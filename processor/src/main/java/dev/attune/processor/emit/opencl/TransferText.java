package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.OpenClPlan;

/** Writes the kernels that bring packed tiles from their order in host memory to the device's, and back. */
final class TransferText {

    private final OpenClPlan plan;
    private final boolean toDevice;
    private final StoredNumber keyNumber;
    private final StoredNumber keyResidual;
    private final StoredNumber valueNumber;
    private final StoredNumber valueResidual;

    private TransferText(OpenClPlan plan, boolean toDevice) {
        this.plan = plan;
        this.toDevice = toDevice;
        this.keyNumber = StoredNumber.of(plan.model().keys().plainFormat());
        this.keyResidual = StoredNumber.of(plan.model().keys().format());
        this.valueNumber = StoredNumber.of(plan.model().values().plainFormat());
        this.valueResidual = StoredNumber.of(plan.model().values().format());
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
                global uchar *values = tile + VALUES;
                host += (size_t) get_group_id(0) * HOST_TILE_BYTES;
                global uchar *host_values = host + HOST_VALUES;
                // The key block of token item, and the token's place in the block's rows.
                global uchar *block = host + $blocks + item / 32 * $blockBytes;
                uint row = item % 32;
            """);
        addKeys(text);
        addValues(text);
        return text.add("""
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
                .with("key", keyNumber.type())
                .with("keyResidual", keyResidual.type())
                .with("value", valueNumber.type())
                .with("valueResidual", valueResidual.type())
                .toString();
    }

    private void addKeys(OpenClText text) {
        if (plan.device().keys().isEmpty()) {
            text.add("    for (uint channel = 0; channel < HEAD_DIM; channel++) {\n")
                    .add(copy("dense_key(tile, channel, item)", "(global $key *) block + channel * 32 + row"))
                    .add("    }\n")
                    .with("blocks", 0)
                    .with("blockBytes", "HEAD_DIM * 32 * sizeof(" + keyNumber.type() + ")");
            return;
        }
        DeviceLayout.Keys keys = plan.device().keys().get();
        text.addIf(keys.centred(), "    for (uint channel = item; channel < PADDED_CHANNELS; channel += TILE_TOKENS) {\n"
                        + copy("key_mean(tile, channel)", "(global $key *) host + channel")
                        + "    }\n")
                .add("    for (uint slot = 0; slot < " + rows("KEPT_CHANNELS", keyResidual) + "; slot++) {\n")
                .add(copy(
                        "key_residual(tile, slot, item)",
                        "(global $keyResidual *) (block + HOST_KEY_RESIDUALS) + slot * 32 + row"))
                .add("    }\n    for (uint slot = 0; slot < KEPT_CHANNELS; slot++) {\n")
                .add(copy(
                        "key_index(tile, slot, item)", "(global $index *) (block + HOST_KEY_INDICES) + slot * 32 + row"))
                .add("    }\n");
        if (keys.signed()) {
            text.add("""
                    for (uint word = 0; word < HEAD_DIM / 16; word++) {
                        global ushort *half_word = (global ushort *) key_signs(tile, word / 2, item) + word % 2;
                """)
                    .add(copy("half_word", "(global ushort *) (block + HOST_KEY_SIGNS) + word * 32 + row"))
                    .add("    }\n")
                    .add(copy("key_amplitude(tile, item)", "(global $key *) (block + HOST_KEY_AMPLITUDES) + row")
                            .substring(4));
        }
        if (keys.quantised()) {
            text.add(copy(
                            "key_residual_scale(tile, item)",
                            "(global $key *) (block + HOST_KEY_RESIDUAL_SCALES) + row")
                    .substring(4));
        }
        text.with("index", keys.channels().elementBytes() == 1 ? "uchar" : "ushort")
                .with("blocks", "HOST_KEY_BLOCKS")
                .with("blockBytes", "HOST_KEY_BLOCK_BYTES");
    }

    private void addValues(OpenClText text) {
        text.add("    for (uint channel = item; channel < PADDED_CHANNELS; channel += TILE_TOKENS) {\n");
        if (plan.device().values().isEmpty()) {
            text.add("        for (uint token = 0; token < TILE_TOKENS; token++) {\n")
                    .add("    "
                            + copy(
                                    "dense_value(values, channel, token)",
                                    "(global $value *) host_values + token * PADDED_CHANNELS + channel"))
                    .add("        }\n    }\n");
            return;
        }
        DeviceLayout.Values values = plan.device().values().get();
        String rows = rows("KEPT_TOKENS", valueResidual);
        text.add("        uint group = channel / 32;\n        uint lane = channel % 32;\n")
                .add("        for (uint slot = 0; slot < " + rows + "; slot++) {\n")
                .add("            uint place = (group * " + rows + " + slot) * 32 + lane;\n")
                .add("    " + copy(
                        "value_residual(values, slot, channel)",
                        "(global $valueResidual *) (host_values + HOST_VALUE_RESIDUALS) + place"))
                .add("        }\n        for (uint slot = 0; slot < KEPT_TOKENS; slot++) {\n")
                .add("            uint place = (group * KEPT_TOKENS + slot) * 32 + lane;\n")
                .add("    " + copy("value_index(values, slot, channel)", "host_values + HOST_VALUE_INDICES + place"))
                .add("        }\n");
        if (values.signed()) {
            text.add("""
                        for (uint word = 0; word < TILE_TOKENS / 16; word++) {
                            global ushort *half_word =
                                    (global ushort *) value_signs(values, word % 2, channel) + word / 2;
                """)
                    .add("    " + copy(
                            "half_word",
                            "(global ushort *) (host_values + HOST_VALUE_SIGNS) + word * PADDED_CHANNELS + channel"))
                    .add("        }\n")
                    .add(copy(
                            "value_amplitude(values, channel)",
                            "(global $value *) (host_values + HOST_VALUE_AMPLITUDES) + channel"));
        }
        if (values.quantised()) {
            text.add(copy(
                    "value_residual_scale(values, channel)",
                    "(global $value *) (host_values + HOST_VALUE_RESIDUAL_SCALES) + channel"));
        }
        text.add("    }\n");
    }

    /** Elements that a token's or a channel's residuals take. */
    private static String rows(String kept, StoredNumber residual) {
        return residual.slots() == 1 ? kept : "(" + kept + " + 1) / 2";
    }

    private String copy(String device, String host) {
        String onDevice = "*" + device;
        String onHost = "*(" + host + ")";
        String line = toDevice ? onDevice + " = " + onHost : onHost + " = " + onDevice;
        return "        " + (line.length() > 90 ? line.replace(" = ", "\n                = ") : line) + ";\n";
    }
}
