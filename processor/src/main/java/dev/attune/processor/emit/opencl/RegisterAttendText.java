package dev.attune.processor.emit.opencl;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.OpenClPlan;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Writes the kernel {@code attend} for tiles of which a lane has its part in registers: the constants of the plan, then
 * the template {@code register_attend.cl} without the branches that the plan does not take.
 */
final class RegisterAttendText {

    private RegisterAttendText() {}

    static String write(OpenClPlan plan) {
        StoredNumber keyResidual = StoredNumber.of(plan.model().keys().format());
        StoredNumber valueResidual = StoredNumber.of(plan.model().values().format());
        StoredNumber keyNumber = StoredNumber.of(plan.model().keys().plainFormat());
        StoredNumber valueNumber = StoredNumber.of(plan.model().values().plainFormat());
        Map<String, Integer> conditions = conditions(plan);
        StringBuilder text = new StringBuilder("\n");
        define(text, "KEY_NUMBER_BYTES", keyNumber.bytes(), "bytes of a key's number, kept entries aside");
        define(text, "VALUE_NUMBER_BYTES", valueNumber.bytes(), "of a value's");
        define(text, "KEY_NUMBER", keyNumber.at(), "takes such a number out of a lane's words");
        define(text, "VALUE_NUMBER", valueNumber.at(), "of a value");
        plan.device().keys().ifPresent(keys -> {
            define(text, "KEY_RESIDUAL", keyResidual.at(), "takes a kept entry out of a lane's words");
            define(text, "KEY_INDEX_BYTES", keys.channels().elementBytes(), "bytes of its channel");
        });
        plan.device().values().ifPresent(
                values -> define(text, "VALUE_RESIDUAL", valueResidual.at(), "takes a kept entry of the values out"));
        define(text, "ENTRY_SHIFT", plan.tableShift(), "log2 of the bytes of an entry of a table");
        define(text, "ANY(x)", plan.heads() == 1 ? "(x)" : "any(x)", "whether it holds for a head");
        Set<NumberFormat> formats = EnumSet.of(
                plan.model().keys().format(), plan.model().values().format(),
                plan.model().keys().plainFormat(), plan.model().values().plainFormat());
        formats.forEach(format -> text.append(StoredNumber.of(format).atFunction()));
        return text.append('\n').append(Template.folded("register_attend.cl", conditions)).toString();
    }

    private static void define(StringBuilder text, String name, Object value, String meaning) {
        text.append("#define %-26s %6s  // %s\n".formatted(name, value, meaning));
    }

    private static Map<String, Integer> conditions(OpenClPlan plan) {
        DeviceLayout device = plan.device();
        boolean signedKeys = device.keys().map(DeviceLayout.Keys::signed).orElse(false);
        boolean signedValues = device.values().map(DeviceLayout.Values::signed).orElse(false);
        Map<String, Boolean> conditions = new LinkedHashMap<>();
        conditions.put("PAIRS", plan.pairs());
        conditions.put("KEYS_DENSE", device.keys().isEmpty());
        conditions.put("VALUES_DENSE", device.values().isEmpty());
        conditions.put("CENTRED_KEYS", device.keys().map(DeviceLayout.Keys::centred).orElse(false));
        conditions.put("QUANTISED_KEYS", device.keys().map(DeviceLayout.Keys::quantised).orElse(false));
        conditions.put("QUANTISED_VALUES", device.values().map(DeviceLayout.Values::quantised).orElse(false));
        conditions.put("SIGNED_KEYS", signedKeys);
        conditions.put("SIGNED_VALUES", signedValues);
        conditions.put("SIGNS", signedKeys || signedValues);
        Map<String, Integer> numbers = new LinkedHashMap<>();
        conditions.forEach((name, holds) -> numbers.put(name, holds ? 1 : 0));
        numbers.put("HEADS", plan.heads());
        return numbers;
    }
}
