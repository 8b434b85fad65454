package dev.attune.processor.emit.opencl;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.NvidiaPlan;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes the decode step for NVIDIA devices: the constants of the plan, then the template {@code nvidia_attend.cl}
 * without the branches that the plan does not take.
 */
final class NvidiaAttendText {

    private static final String TEMPLATE = "nvidia_attend.cl";

    private NvidiaAttendText() {}

    static String write(NvidiaPlan plan) {
        Map<String, Integer> conditions = conditions(plan);
        int kept = plan.model().keys().kept(plan.model().headDim());
        StringBuilder text = new StringBuilder();
        text.append("\n// From here on, products and sums may be fused.\n#pragma OPENCL FP_CONTRACT ON\n\n");
        define(text, "HEADS", NvidiaPlan.HEADS, "query heads of a pass");
        define(text, "PASSES", plan.passes(), "passes over the tokens that serve all query heads of a group");
        define(text, "WARPS", plan.warps(), "warps of a work-group");
        define(text, "LEAST_ARENA_BYTES", plan.leastArenaBytes(), "local memory of the warps, at least");
        define(text, "KEYS_DENSE", conditions.get("KEYS_DENSE"), "whether packed tiles have dense keys");
        define(text, "VALUES_DENSE", conditions.get("VALUES_DENSE"), "whether packed tiles have dense values");
        define(text, "KEY_BYTES", conditions.get("KEY_BYTES"), "bytes of a kept key entry");
        define(text, "VALUE_BYTES", conditions.get("VALUE_BYTES"), "bytes of a kept value entry");
        if (conditions.get("KEY_BYTES") == 1) {
            int scale = kept <= 32 ? 16 : kept <= 64 ? 8 : 4;
            text.append("#define KEY_TABLE_SCALE            " + scale
                    + ".0f  // 127 times it, for each kept channel, is still a half\n");
        }
        define(text, "WEIGHT_SHIFT", plan.weightShift(), "log2 of the weight of the largest score, at least");
        return text.append('\n').append(Template.folded(TEMPLATE, conditions)).toString();
    }

    private static void define(StringBuilder text, String name, int value, String meaning) {
        text.append("#define %-26s %6d  // %s\n".formatted(name, value, meaning));
    }

    private static Map<String, Integer> conditions(NvidiaPlan plan) {
        DeviceLayout device = plan.device();
        Map<String, Integer> conditions = new LinkedHashMap<>();
        conditions.put("KEYS_DENSE", device.keys().isEmpty() ? 1 : 0);
        conditions.put("VALUES_DENSE", device.values().isEmpty() ? 1 : 0);
        conditions.put("KEY_BYTES", plan.model().keys().format() == NumberFormat.INT8 ? 1 : 2);
        conditions.put("VALUE_BYTES", plan.model().values().format() == NumberFormat.INT8 ? 1 : 2);
        conditions.put("CENTRED_KEYS", device.keys().map(DeviceLayout.Keys::centred).orElse(false) ? 1 : 0);
        conditions.put("SIGNED_KEYS", device.keys().map(DeviceLayout.Keys::signed).orElse(false) ? 1 : 0);
        conditions.put("SIGNED_VALUES", device.values().map(DeviceLayout.Values::signed).orElse(false) ? 1 : 0);
        return conditions;
    }
}
