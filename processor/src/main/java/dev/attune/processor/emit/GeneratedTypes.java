package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;

/** The runtime's types that generated code refers to; the processor itself does not depend on the runtime. */
final class GeneratedTypes {

    static final ClassName BACKEND = ClassName.get("dev.attune.annotations", "Backend");
    static final ClassName STRATEGY = ClassName.get("dev.attune.annotations", "Strategy");
    static final ClassName ATTENTION_KERNELS = spi("AttentionKernels");
    static final ClassName KERNEL_PROVIDER = spi("KernelProvider");
    static final ClassName KERNEL_VARIANT = spi("KernelVariant");
    static final ClassName FINGERPRINT = spi("Fingerprint");
    static final ClassName TUNED_CHOICE = spi("TunedChoice");
    static final ClassName TABLE_PARTS = spi("TableParts");
    static final ClassName OPEN_CL_KERNELS = spi("OpenClKernels");
    static final ClassName FUSED_ATTEND = OPEN_CL_KERNELS.nestedClass("FusedAttend");
    static final ClassName LAYER_SHAPE = spi("LayerShape");
    static final ClassName CACHE_LAYOUT = spi("CacheLayout");

    private GeneratedTypes() {}

    private static ClassName spi(String name) {
        return ClassName.get("dev.attune.runtime.spi", name);
    }
}
