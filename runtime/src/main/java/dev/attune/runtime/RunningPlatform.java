package dev.attune.runtime;

/** The JVM we are running on. */
final class RunningPlatform implements Platform {

    @Override
    public boolean vectorModuleResolved() {
        return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    }

    @Override
    public int preferredVectorBits() {
        return PreferredVectors.bits();
    }

    @Override
    public boolean permutesCompiled() {
        return PermuteProbe.compiled();
    }
}
