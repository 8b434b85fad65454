package dev.attune.runtime;

import static dev.attune.annotations.Backend.SCALAR;
import static dev.attune.annotations.Backend.VECTOR_128;
import static dev.attune.annotations.Backend.VECTOR_256;
import static dev.attune.annotations.Backend.VECTOR_512;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.reference.SmallLayer;
import dev.attune.reference.SmallLayerKernels;
import dev.attune.runtime.spi.AttentionKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class BackendLadderTest {

    private static final List<Backend> ALL = List.of(VECTOR_512, VECTOR_256, VECTOR_128, SCALAR);

    private record Facts(boolean vectorModuleResolved, int preferredVectorBits, boolean permutesCompiled)
            implements Platform {}

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
        public boolean permutesCompiled() {
            throw new NoClassDefFoundError("jdk/incubator/vector/ShortVector");
        }
    };

    @Test
    void theWidestPreferredVectorsAreChosen() {
        BackendChoice choice = climb(ALL, null, new Facts(true, 512, true));
        assertEquals(VECTOR_512, choice.backend());
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
        BackendChoice choice = climb(ALL, null, new Facts(true, 256, true));
        assertEquals(VECTOR_256, choice.backend());
        assertEquals("vector512: wider than the 256 bits this machine prefers", words(choice).getFirst());
    }

    @Test
    void aMachineWithoutUsableVectorsRunsScalarKernels() {
        BackendChoice choice = climb(ALL, null, new Facts(true, 64, true));
        assertEquals(SCALAR, choice.backend());
        assertEquals("scalar: plain Java, always available", words(choice).getLast());
    }

    @Test
    void permutesThatAreNotCompiledAreNeverPicked() {
        BackendChoice choice = climb(ALL, null, new Facts(true, 256, false));
        assertEquals(SCALAR, choice.backend());
        String reason = "its kernels look entries up by permutes of two vectors, which this JVM does not compile to"
                + " instructions: measured, looking entries up one by one is faster";
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
    void whoeverForcesABackendHasTheLastWordOnItsPermutes() {
        assertEquals(VECTOR_256, climb(ALL, VECTOR_256, new Facts(true, 256, false)).backend());
    }

    @Test
    void whatWasNotGeneratedIsPassedOver() {
        BackendChoice choice = climb(List.of(VECTOR_128, SCALAR), null, new Facts(true, 512, true));
        assertEquals(VECTOR_128, choice.backend());
        assertEquals("vector512: not generated for this specification", words(choice).getFirst());
    }

    @Test
    void withoutTheModuleTheFlagIsNamedOnceAndTheVectorApiNotTouched() {
        BackendChoice choice = climb(ALL, null, NO_MODULE);
        String reason = "module jdk.incubator.vector is not resolved;"
                + " add --add-modules jdk.incubator.vector to the java command";
        assertEquals(SCALAR, choice.backend());
        assertEquals("vector128: " + reason, words(choice).get(2));
        assertEquals(List.of(reason), choice.warnings());
    }

    @Test
    void withoutVectorKernelsTheMissingModuleIsNoWarning() {
        assertEquals(List.of(), climb(List.of(SCALAR), null, NO_MODULE).warnings());
    }

    @Test
    void aForcedBackendIsTheOnlyOneTried() {
        BackendChoice choice = climb(ALL, SCALAR, NO_MODULE);
        assertEquals(SCALAR, choice.backend());
        assertEquals(
                "vector512: not tried, scalar is forced by the argument of Attune.kernels", words(choice).getFirst());
        assertEquals("scalar: forced by the argument of Attune.kernels", words(choice).getLast());
        assertEquals(List.of(), choice.warnings());
    }

    @Test
    void aNarrowerBackendCanBeForced() {
        assertEquals(VECTOR_128, climb(ALL, VECTOR_128, new Facts(true, 512, true)).backend());
    }

    @Test
    void forcingWhatIsUnavailableNamesTheReason() {
        assertRefused(VECTOR_512, ALL, NO_MODULE, "add --add-modules jdk.incubator.vector");
        assertRefused(VECTOR_512, ALL, new Facts(true, 256, true), "vector512: wider than the 256 bits");
        assertRefused(VECTOR_256, List.of(SCALAR), new Facts(true, 512, true), "vector256: not generated");
    }

    @Test
    void kernelsThatDoNotLinkStepDownWithAWarning() {
        List<Backend> created = new ArrayList<>();
        BackendChoice choice = climb(ALL, null, new Facts(true, 512, true), backend -> {
            created.add(backend);
            if (backend == VECTOR_512) {
                throw new NoClassDefFoundError("jdk/incubator/vector/FloatVector");
            }
            return reference(backend);
        });
        assertEquals(VECTOR_256, choice.backend());
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
        var error = assertThrows(
                IllegalArgumentException.class, () -> BackendName.parse("avx", "the system property attune.backend"));
        assertEquals(
                "the system property attune.backend = \"avx\" is no backend;"
                        + " valid are scalar, vector128, vector256, vector512",
                error.getMessage());
        for (Backend backend : Backend.values()) {
            assertEquals(backend, BackendName.parse(BackendName.of(backend), ""));
        }
    }

    private static void assertRefused(Backend forced, List<Backend> generated, Platform platform, String reason) {
        var error = assertThrows(IllegalStateException.class, () -> climb(generated, forced, platform));
        assertTrue(error.getMessage().contains(reason), error.getMessage());
        assertTrue(error.getMessage().contains("forced by the argument"), error.getMessage());
    }

    private static BackendChoice climb(List<Backend> generated, Backend forced, Platform platform) {
        return climb(generated, forced, platform, BackendLadderTest::reference);
    }

    private static BackendChoice climb(
            List<Backend> generated,
            Backend forced,
            Platform platform,
            Function<Backend, AttentionKernels> factory) {
        var provider = new ReferenceProvider(SmallLayer.class, SmallLayerKernels.SHAPE, generated, factory);
        return BackendLadder.climb(provider, Optional.ofNullable(forced).map(ForcedBackend::byArgument), platform);
    }

    private static AttentionKernels reference(Backend backend) {
        return new ReferenceKernels(SmallLayerKernels.SHAPE, backend);
    }

    private static List<String> words(BackendChoice choice) {
        return choice.ladder().stream().map(Rung::toString).toList();
    }
}
