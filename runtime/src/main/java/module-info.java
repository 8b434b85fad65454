/** The packed cache, the choice of a backend, and what generated kernels implement. */
module dev.attune.runtime {
    requires transitive dev.attune.annotations;
    requires static jdk.incubator.vector;
    requires static aparapi;
    requires static java.management;
    requires static jdk.management;

    exports dev.attune.runtime;
    exports dev.attune.runtime.opencl;
    exports dev.attune.runtime.spi;
    exports dev.attune.runtime.tuning;

    uses dev.attune.runtime.spi.KernelProvider;
}
