package dev.attune.runtime;

import static dev.attune.annotations.Backend.OPENCL;
import static dev.attune.annotations.Backend.SCALAR;
import static dev.attune.annotations.Backend.VECTOR_128;
import static dev.attune.annotations.Backend.VECTOR_256;
import static dev.attune.annotations.Backend.VECTOR_512;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.reference.SmallLayer;
import dev.attune.reference.SmallLayerKernels;
import dev.attune.runtime.settings.Setting;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelVariant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class VariantLadderTest {

    private static final List<Backend> ALL = List.of(VECTOR_512, VECTOR_256, VECTOR_128, SCALAR);

    private record Facts(boolean vectorModuleResolved, int preferredVectorBits, Set<VectorOperation> compiled)
            implements Platform {

        /** A JVM that compiles everything. */
        Facts(boolean vectorModuleResolved, int preferredVectorBits) {
            this(vectorModuleResolved, preferredVectorBits, EnumSet.allOf(VectorOperation.class));
        }

        @Override
        public boolean compiles(VectorOperation operation) {
            return compiled.contains(operation);
        }
    }

    /** A machine like one of AVX2. */
    private static final Platform SLOW_PERMUTES =
            new Facts(true, 256, EnumSet.complementOf(EnumSet.of(VectorOperation.QUICK_PERMUTE)));

    /** A JVM in which touching the Vector API would fail. */
    private static final Platform NO_MODULE = new Platform() {
        @Override
        public boolean vectorModuleResolved() {
            return false;
        }

        @Override
        public int preferredVectorBits() {
            throw new NoClassDefFoundError("jdk/incubator/vector/VectorShape");
        }

        @Override
        public boolean compiles(VectorOperation operation) {
            throw new NoClassDefFoundError("jdk/incubator/vector/ShortVector");
        }
    };

    @Test
    void theWidestPreferredVectorsAreChosen() {
        VariantChoice choice = climb(ALL, null, new Facts(true, 512));
        assertEquals(VECTOR_512, choice.variant().backend());
        assertEquals(VECTOR_512, choice.kernels().backend());
        assertEquals(
                List.of(
                        "vector512: the widest generated vectors within the 512 bits this machine prefers",
                        "vector256: not needed, vector512 is wider",
                        "vector128: not needed, vector512 is wider",
                        "scalar: not needed, vector512 is faster"),
                words(choice));
        assertEquals(VECTOR_512, choice.chosen().backend());
        assertEquals(List.of(), choice.warnings());
    }

    @Test
    void vectorsWiderThanTheMachinePrefersAreNoCandidates() {
        VariantChoice choice = climb(ALL, null, new Facts(true, 256));
        assertEquals(VECTOR_256, choice.variant().backend());
        assertEquals("vector512: wider than the 256 bits this machine prefers", words(choice).getFirst());
    }

    @Test
    void aMachineWithoutUsableVectorsRunsScalarKernels() {
        VariantChoice choice = climb(ALL, null, new Facts(true, 64));
        assertEquals(SCALAR, choice.variant().backend());
        assertEquals("scalar: plain Java, always available", words(choice).getLast());
    }

    @Test
    void permutesThatAreNotCompiledAreNeverPicked() {
        VariantChoice choice = climb(ALL, null, new Facts(true, 256, Set.of()));
        assertEquals(SCALAR, choice.variant().backend());
        String reason = "its kernels look entries up by permutes of two vectors, which a measurement says this"
                + " JVM does not compile to instructions";
        assertEquals(
                List.of(
                        "vector512: wider than the 256 bits this machine prefers",
                        "vector256: " + reason,
                        "vector128: " + reason,
                        "scalar: plain Java, always available"),
                words(choice));
        assertEquals(List.of(), choice.warnings());
    }

    @Test
    void withoutPermutesTheWidestRowsOfHeadsArePicked() {
        Platform platform = new Facts(true, 256, Set.of(VectorOperation.MULTIPLY_ADD, VectorOperation.ARITHMETIC));
        VariantChoice choice = climb(WITH_ROWS, KernelPolicy.free(), VariantLadder.Measured.NOTHING, platform);
        String permutes = "its kernels look entries up by permutes of two vectors, which a measurement says this"
                + " JVM does not compile to instructions";
        assertEquals(
                List.of(
                        "vector512: wider than the 256 bits this machine prefers",
                        "vector256: " + permutes,
                        "vector256-gather: the widest generated vectors within the 256 bits this machine prefers whose"
                                + " operations this JVM compiles: a row of heads at a time, which takes no permutes",
                        "vector128: " + permutes,
                        "vector128-gather: not needed, vector256-gather is wider",
                        "scalar: not needed, vector256-gather is faster"),
                words(choice));
        assertEquals(List.of(), choice.warnings());
        assertEquals(
                List.of("vector256-gather", "vector128-gather", "scalar"),
                choice.ladder().stream().filter(Rung::supported).map(Rung::variant).toList());
    }

    @Test
    void wherePermutesTakeSeveralInstructionsRowsOfHeadsGoFirst() {
        VariantChoice choice = climb(WITH_ROWS, KernelPolicy.free(), VariantLadder.Measured.NOTHING, SLOW_PERMUTES);
        assertEquals(
                List.of(
                        "vector512: wider than the 256 bits this machine prefers",
                        "vector256: not needed, vector256-gather does without permutes, which are slow here,"
                                + " and nothing was measured here",
                        "vector256-gather: the widest generated vectors within the 256 bits this machine prefers whose"
                                + " operations this JVM compiles: a row of heads at a time, which takes no permutes",
                        "vector128: not needed, vector256-gather is wider",
                        "vector128-gather: not needed, vector256-gather is wider",
                        "scalar: not needed, vector256-gather is faster"),
                words(choice));
        assertEquals(
                "vector256",
                climb(
                                WITH_ROWS,
                                KernelPolicy.free().forcing("vector256"),
                                VariantLadder.Measured.NOTHING,
                                SLOW_PERMUTES)
                        .variant()
                        .name());
    }

    @Test
    void whereSomethingForbidsRowsOfHeadsTheDefaultIsPickedHoweverSlowItsPermutes() {
        VariantChoice choice = climb(
                WITH_ROWS,
                KernelPolicy.free().forbidding("vector256-gather"),
                VariantLadder.Measured.NOTHING,
                SLOW_PERMUTES);
        assertEquals("vector256", choice.variant().name());
    }

    @Test
    void rowsThatAreHalfEmptyDoNotGoFirst() {
        List<KernelVariant> variants = List.of(
                ReferenceProvider.defaultOf(VECTOR_256),
                new KernelVariant("vector256-gather", VECTOR_256, Strategy.GATHER, 2, 1, 0),
                ReferenceProvider.defaultOf(SCALAR));
        assertEquals(
                "vector256",
                climb(variants, KernelPolicy.free(), VariantLadder.Measured.NOTHING, SLOW_PERMUTES).variant().name());
    }

    @Test
    void quickPermutesGoFirstButIn128Bits() {
        assertEquals(
                "vector256",
                climb(WITH_ROWS, KernelPolicy.free(), VariantLadder.Measured.NOTHING, new Facts(true, 256))
                        .variant()
                        .name());
        assertEquals(
                "vector128-gather",
                climb(WITH_ROWS, KernelPolicy.free(), VariantLadder.Measured.NOTHING, new Facts(true, 128))
                        .variant()
                        .name());
    }

    @Test
    void withoutMultiplyAddsOnlyRowsOfHeadsIn128BitsArePicked() {
        Platform platform = new Facts(true, 256, Set.of(VectorOperation.PERMUTE, VectorOperation.ARITHMETIC));
        VariantChoice choice = climb(WITH_ROWS, KernelPolicy.free(), VariantLadder.Measured.NOTHING, platform);
        assertEquals("vector128-gather", choice.variant().name());
        String reason = "its kernels multiply and add at once, which a measurement says this JVM does not compile"
                + " to an instruction";
        assertEquals(
                List.of("vector256: " + reason, "vector256-gather: " + reason, "vector128: " + reason),
                words(choice).subList(1, 4));
        VariantChoice withoutRows = climb(ALL, null, platform);
        assertEquals(SCALAR, withoutRows.variant().backend());
        assertEquals("vector256: " + reason, words(withoutRows).get(1));
    }

    @Test
    void withoutCompiledArithmeticNoVectorsArePicked() {
        VariantChoice choice = climb(
                WITH_ROWS, KernelPolicy.free(), VariantLadder.Measured.NOTHING, new Facts(true, 128, Set.of()));
        assertEquals(SCALAR, choice.variant().backend());
        assertEquals(
                "vector128-gather: its kernels compare, widen and take maxima of vectors, which a measurement says"
                        + " this JVM does not compile to instructions",
                words(choice).get(4));
    }

    @Test
    void whereSomethingWasMeasuredNobodyAsksWhatIsCompiled() {
        Platform silent = new Platform() {
            @Override
            public boolean vectorModuleResolved() {
                return true;
            }

            @Override
            public int preferredVectorBits() {
                return 256;
            }

            @Override
            public boolean compiles(VectorOperation operation) {
                throw new AssertionError("asked for " + operation);
            }
        };
        VariantChoice choice = climb(WITH_ROWS, KernelPolicy.free(), measured("vector256-gather", Map.of()), silent);
        assertEquals("vector256-gather", choice.variant().name());
    }

    @Test
    void whoeverForcesABackendHasTheLastWordOnItsPermutes() {
        assertEquals(VECTOR_256, climb(ALL, VECTOR_256, new Facts(true, 256, Set.of())).variant().backend());
    }

    @Test
    void whatWasNotGeneratedIsPassedOver() {
        VariantChoice choice = climb(List.of(VECTOR_128, SCALAR), null, new Facts(true, 512));
        assertEquals(VECTOR_128, choice.variant().backend());
        assertEquals("vector512: not generated for this specification", words(choice).getFirst());
    }

    @Test
    void withoutTheModuleTheFlagIsNamedOnceAndTheVectorApiNotTouched() {
        VariantChoice choice = climb(ALL, null, NO_MODULE);
        String reason = "module jdk.incubator.vector is not resolved;"
                + " add --add-modules jdk.incubator.vector to the java command";
        assertEquals(SCALAR, choice.variant().backend());
        assertEquals("vector128: " + reason, words(choice).get(2));
        assertEquals(List.of(reason), choice.warnings());
    }

    @Test
    void withoutVectorKernelsTheMissingModuleIsNoWarning() {
        assertEquals(List.of(), climb(List.of(SCALAR), null, NO_MODULE).warnings());
    }

    @Test
    void aForcedBackendIsTheOnlyOneTried() {
        VariantChoice choice = climb(ALL, SCALAR, NO_MODULE);
        assertEquals(SCALAR, choice.variant().backend());
        assertEquals(
                "vector512: not tried, scalar is forced by the caller's policy", words(choice).getFirst());
        assertEquals("scalar: forced by the caller's policy", words(choice).getLast());
        assertEquals(List.of(), choice.warnings());
    }

    @Test
    void aNarrowerBackendCanBeForced() {
        assertEquals(VECTOR_128, climb(ALL, VECTOR_128, new Facts(true, 512)).variant().backend());
    }

    @Test
    void forcingWhatIsUnavailableNamesTheReason() {
        assertRefused(VECTOR_512, ALL, NO_MODULE, "add --add-modules jdk.incubator.vector");
        assertRefused(VECTOR_512, ALL, new Facts(true, 256), "vector512: wider than the 256 bits");
        assertRefused(VECTOR_256, List.of(SCALAR), new Facts(true, 512), "vector256: not generated");
    }

    @Test
    void kernelsThatDoNotLinkStepDownWithAWarning() {
        List<Backend> created = new ArrayList<>();
        VariantChoice choice = climb(ALL, null, new Facts(true, 512), backend -> {
            created.add(backend);
            if (backend == VECTOR_512) {
                throw new NoClassDefFoundError("jdk/incubator/vector/FloatVector");
            }
            return reference(backend);
        });
        assertEquals(VECTOR_256, choice.variant().backend());
        assertEquals(List.of(VECTOR_512, VECTOR_256), created);
        String reason = "vector512: its generated class does not link"
                + " (java.lang.NoClassDefFoundError: jdk/incubator/vector/FloatVector)";
        assertEquals(reason, words(choice).getFirst());
        assertEquals(List.of(reason), choice.warnings());
    }

    @Test
    void forcedKernelsThatDoNotLinkAreAnErrorWithItsCause() {
        var failure = new UnsatisfiedLinkError("broken");
        var error = assertThrows(IllegalStateException.class, () -> climb(ALL, SCALAR, NO_MODULE, backend -> {
            throw failure;
        }));
        assertSame(failure, error.getCause());
    }

    @Test
    void anUnknownNameListsTheValidOnes() {
        var provider = ReferenceProvider.of(
                SmallLayerKernels.SHAPE, List.of(VECTOR_256, SCALAR), VariantLadderTest::reference);
        KernelPolicy policy = KernelPolicy.of(settings("attune.backend", "avx"));
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> VariantLadder.climb(provider, policy, VariantLadder.Measured.NOTHING, NO_MODULE));
        assertEquals(
                "the system property attune.backend = \"avx\" is no backend or variant of"
                        + " dev.attune.reference.SmallLayer; valid are vector256, scalar",
                error.getMessage());
    }

    @Test
    void aVariantCanBeForcedByItsName() {
        assertEquals(
                "vector512-ahead0",
                climb(VARIANTS, KernelPolicy.free().forcing("vector512-ahead0")).variant().name());
        assertEquals("vector512", climb(VARIANTS, KernelPolicy.free().forcing("vector512")).variant().name());
    }

    @Test
    void whatIsForbiddenIsPassedOverWithItsReason() {
        KernelPolicy one = KernelPolicy.of(settings("attune.forbid", "vector512"));
        VariantChoice choice = climb(VARIANTS, one);
        assertEquals("vector256", choice.variant().name());
        assertEquals(
                List.of(
                        "vector512: forbidden by the system property attune.forbid",
                        "vector512-ahead0: forbidden by the system property attune.forbid"),
                words(choice).subList(0, 2));
        KernelPolicy variant = KernelPolicy.free().forbidding("vector512-ahead0").forbidding("vector256");
        assertEquals("vector512", climb(VARIANTS, variant).variant().name());
        var error = assertThrows(
                IllegalStateException.class, () -> climb(VARIANTS, one.forcing("vector512-ahead0")));
        assertTrue(error.getMessage().contains("forbidden by the system property attune.forbid"), error.getMessage());
    }

    @Test
    void whatWasMeasuredToBeTheFastestIsChosenBeforeTheDefault() {
        VariantChoice choice = climb(VARIANTS, KernelPolicy.free(), measured("vector512-ahead0", Map.of()));
        assertEquals(
                List.of(
                        "vector512: not needed, vector512-ahead0 was measured to be the fastest",
                        "vector512-ahead0: measured, by a test",
                        "vector256: not needed, vector512-ahead0 was measured to be the fastest",
                        "vector128: not generated for this specification",
                        "scalar: not needed, vector512-ahead0 was measured to be the fastest"),
                words(choice));
        assertTrue(choice.ladder().getFirst().supported());
    }

    @Test
    void aVariantThatFailedVerificationIsNeverChosenAndSaidSo() {
        var refused = measured(null, Map.of("vector512", "output 3 is NaN"));
        VariantChoice choice = climb(VARIANTS, KernelPolicy.free(), refused);
        assertEquals("vector512-ahead0", choice.variant().name());
        String words = "vector512: refused, it failed verification on this machine: output 3 is NaN";
        assertEquals(words, words(choice).getFirst());
        assertEquals(List.of(words), choice.warnings());
        assertTrue(!choice.ladder().getFirst().supported());
    }

    private static VariantChoice climbWithDevice(OpenClSupport support, KernelPolicy policy) {
        Platform platform = new Platform() {
            @Override
            public boolean vectorModuleResolved() {
                return true;
            }

            @Override
            public int preferredVectorBits() {
                return 512;
            }

            @Override
            public boolean compiles(VectorOperation operation) {
                return true;
            }

            @Override
            public OpenClSupport openCl() {
                return support;
            }
        };
        return climb(
                List.of(ReferenceProvider.defaultOf(OPENCL), ReferenceProvider.defaultOf(SCALAR)),
                policy,
                VariantLadder.Measured.NOTHING,
                platform);
    }

    @Test
    void aDeviceThatIsAProcessorCouldRunAndBeMeasuredButIsNotChosen() {
        VariantChoice choice =
                climbWithDevice(new OpenClSupport("a processor", true, ""), KernelPolicy.free().strictly());
        assertEquals(SCALAR, choice.variant().backend());
        assertEquals(
                new Rung(
                        "opencl",
                        OPENCL,
                        true,
                        false,
                        "not needed, the device is a processor, which Java kernels serve better: a processor"),
                choice.ladder().getFirst());
        assertEquals(List.of(), choice.warnings());
    }

    @Test
    void withoutADeviceTheReasonIsAWarning() {
        OpenClSupport none = OpenClSupport.absent("no device is found; install a driver");
        VariantChoice choice = climbWithDevice(none, KernelPolicy.free());
        assertEquals(SCALAR, choice.variant().backend());
        assertEquals(
                new Rung("opencl", OPENCL, false, false, "no device is found; install a driver"),
                choice.ladder().getFirst());
        assertEquals(List.of("no device is found; install a driver"), choice.warnings());
        for (KernelPolicy policy : List.of(KernelPolicy.free().strictly(), KernelPolicy.free().forcing("opencl"))) {
            var error = assertThrows(IllegalStateException.class, () -> climbWithDevice(none, policy));
            assertTrue(error.getMessage().contains("no device is found; install a driver"), error.getMessage());
        }
    }

    @Test
    void aStrictPolicyAllowsNoStepDown() {
        var error = assertThrows(
                IllegalStateException.class,
                () -> climb(VARIANTS, KernelPolicy.free().strictly(), VariantLadder.Measured.NOTHING, NO_MODULE));
        assertTrue(error.getMessage().contains("add --add-modules jdk.incubator.vector"), error.getMessage());
        // Vectors wider than the machine's are nothing anybody could remedy.
        KernelPolicy strict = KernelPolicy.free().strictly();
        Platform narrow = new Facts(true, 256);
        assertEquals(
                "vector256",
                climb(VARIANTS, strict, VariantLadder.Measured.NOTHING, narrow).variant().name());
    }

    @Test
    void settingsAreUnderstoodOrRefused() {
        assertTrue(KernelPolicy.of(settings("attune.strict", "true")).strict());
        assertEquals(KernelPolicy.Tuning.OFF, KernelPolicy.of(settings("attune.tune", "off")).tuning());
        assertEquals(KernelPolicy.Tuning.STORED, KernelPolicy.of(settings("none", "")).tuning());
        var flag = assertThrows(
                IllegalArgumentException.class, () -> KernelPolicy.of(settings("attune.strict", "yes")));
        assertEquals(
                "the system property attune.strict = \"yes\" is not valid; valid are true, false", flag.getMessage());
        var mode = assertThrows(
                IllegalArgumentException.class, () -> KernelPolicy.of(settings("attune.tune", "always")));
        assertEquals(
                "the system property attune.tune = \"always\" is not valid; valid are off, stored, background",
                mode.getMessage());
    }

    private static Setting.Source settings(String property, String value) {
        return name -> Setting.of(name, name.equals(property) ? value : null, "NONE", null);
    }

    private static VariantLadder.Measured measured(String fastest, Map<String, String> refused) {
        return new VariantLadder.Measured(Optional.ofNullable(fastest), "by a test", refused);
    }

    private static final List<KernelVariant> VARIANTS = List.of(
            ReferenceProvider.defaultOf(VECTOR_512),
            new KernelVariant("vector512-ahead0", VECTOR_512, Strategy.PERMUTE, 1, 1, 0),
            ReferenceProvider.defaultOf(VECTOR_256),
            ReferenceProvider.defaultOf(SCALAR));

    private static final List<KernelVariant> WITH_ROWS = List.of(
            ReferenceProvider.defaultOf(VECTOR_512),
            ReferenceProvider.defaultOf(VECTOR_256),
            new KernelVariant("vector256-gather", VECTOR_256, Strategy.GATHER, 4, 1, 0),
            ReferenceProvider.defaultOf(VECTOR_128),
            new KernelVariant("vector128-gather", VECTOR_128, Strategy.GATHER, 4, 1, 0),
            ReferenceProvider.defaultOf(SCALAR));

    private static VariantChoice climb(List<KernelVariant> variants, KernelPolicy policy) {
        return climb(variants, policy, VariantLadder.Measured.NOTHING);
    }

    private static VariantChoice climb(
            List<KernelVariant> variants, KernelPolicy policy, VariantLadder.Measured measured) {
        return climb(variants, policy, measured, new Facts(true, 512));
    }

    private static VariantChoice climb(
            List<KernelVariant> variants, KernelPolicy policy, VariantLadder.Measured measured, Platform platform) {
        var provider = new ReferenceProvider(
                SmallLayer.class, SmallLayerKernels.SHAPE, variants, variant -> reference(variant.backend()));
        return VariantLadder.climb(provider, policy, measured, platform);
    }

    private static void assertRefused(Backend forced, List<Backend> generated, Platform platform, String reason) {
        var error = assertThrows(IllegalStateException.class, () -> climb(generated, forced, platform));
        assertTrue(error.getMessage().contains(reason), error.getMessage());
        assertTrue(error.getMessage().contains("forced by the caller's policy"), error.getMessage());
    }

    private static VariantChoice climb(List<Backend> generated, Backend forced, Platform platform) {
        return climb(generated, forced, platform, VariantLadderTest::reference);
    }

    private static VariantChoice climb(
            List<Backend> generated,
            Backend forced,
            Platform platform,
            Function<Backend, AttentionKernels> factory) {
        var provider = ReferenceProvider.of(SmallLayerKernels.SHAPE, generated, factory);
        KernelPolicy policy = forced == null ? KernelPolicy.free() : KernelPolicy.free().forcing(forced);
        return VariantLadder.climb(provider, policy, VariantLadder.Measured.NOTHING, platform);
    }

    private static AttentionKernels reference(Backend backend) {
        return new ReferenceKernels(SmallLayerKernels.SHAPE, backend);
    }

    private static List<String> words(VariantChoice choice) {
        return choice.ladder().stream().map(Rung::toString).toList();
    }
}
