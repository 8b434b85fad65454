package dev.attune.runtime.tuning;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Everything that measurements depend on besides the kernels. Measurements of one environment are not used in another.
 *
 * @param processor the processor's model, {@code AMD EPYC, family 26, model 2}; its architecture if it is unknown
 * @param processors processors the JVM may use
 * @param vectorBits width of the vectors the JVM prefers; 0 if the Vector API cannot be used
 * @param system name of the operating system
 * @param architecture architecture of the processor, as the JVM calls it
 * @param vm name and vendor of the JVM
 * @param javaVersion its version
 * @param vmFlags options of the JVM that change what it makes of kernels, {@code -XX:UseAVX=2} for example; sorted,
 *     with spaces between them
 * @param devices OpenCL devices with their drivers' versions, with semicolons between them; empty if they are not used
 * @param attuneVersion Attune's version
 */
public record Environment(
        String processor,
        int processors,
        int vectorBits,
        String system,
        String architecture,
        String vm,
        String javaVersion,
        String vmFlags,
        String devices,
        String attuneVersion) {

    /** Refuses nulls. */
    public Environment {
        Objects.requireNonNull(processor, "processor is null");
        Objects.requireNonNull(system, "system is null");
        Objects.requireNonNull(architecture, "architecture is null");
        Objects.requireNonNull(vm, "vm is null");
        Objects.requireNonNull(javaVersion, "javaVersion is null");
        Objects.requireNonNull(vmFlags, "vmFlags is null");
        Objects.requireNonNull(devices, "devices is null");
        Objects.requireNonNull(attuneVersion, "attuneVersion is null");
    }

    /**
     * Describes this machine and JVM. Cheap: nothing is measured, no driver is loaded.
     *
     * @param vectorBits width of the vectors the JVM prefers, 0 if the Vector API cannot be used
     * @param devices OpenCL devices with their drivers' versions, empty if they are not used
     */
    public static Environment current(int vectorBits, List<String> devices) {
        return new Environment(
                ProcessorModel.ofThisMachine(),
                Runtime.getRuntime().availableProcessors(),
                vectorBits,
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " of " + System.getProperty("java.vendor"),
                Runtime.version().toString(),
                VmOptions.ofProcess(),
                String.join("; ", devices),
                AttuneVersion.read());
    }

    /** Returns 16 hexadecimal digits that tell this environment from others. */
    public String hash() {
        List<String> texts = new ArrayList<>();
        for (Map.Entry<String, String> entry : manifest().entrySet()) {
            texts.add(entry.getKey());
            texts.add(entry.getValue());
        }
        return Digits.of(texts);
    }

    /** Returns the architecture and the width of the vectors, {@code amd64, 512-bit vectors}. */
    public String vectors() {
        return architecture + ", " + vectorBits + "-bit vectors";
    }

    /** Returns one line for readers. */
    public String describe() {
        return processor + ", " + processors + (processors == 1 ? " processor, " : " processors, ") + vectorBits
                + "-bit vectors, " + system + " " + architecture + ", " + vm + " " + javaVersion
                + (vmFlags.isEmpty() ? "" : ", " + vmFlags) + (devices.isEmpty() ? "" : ", " + devices)
                + ", Attune " + attuneVersion;
    }

    /** Returns all of it by name. */
    public Map<String, String> manifest() {
        Map<String, String> manifest = new LinkedHashMap<>();
        manifest.put("processor", processor);
        manifest.put("processors", Integer.toString(processors));
        manifest.put("vectorBits", Integer.toString(vectorBits));
        manifest.put("system", system);
        manifest.put("architecture", architecture);
        manifest.put("vm", vm);
        manifest.put("javaVersion", javaVersion);
        manifest.put("vmFlags", vmFlags);
        manifest.put("devices", devices);
        manifest.put("attuneVersion", attuneVersion);
        return manifest;
    }

    /** Reads what {@link #manifest} wrote. */
    static Environment of(JsonObject manifest) throws JsonException {
        try {
            return new Environment(
                    manifest.string("processor"),
                    Integer.parseInt(manifest.string("processors")),
                    Integer.parseInt(manifest.string("vectorBits")),
                    manifest.string("system"),
                    manifest.string("architecture"),
                    manifest.string("vm"),
                    manifest.string("javaVersion"),
                    manifest.string("vmFlags"),
                    manifest.string("devices"),
                    manifest.string("attuneVersion"));
        } catch (NumberFormatException invalid) {
            throw new JsonException("the environment's numbers: " + invalid.getMessage());
        }
    }
}
