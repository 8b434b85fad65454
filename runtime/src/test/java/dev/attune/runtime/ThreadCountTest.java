package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.attune.reference.SmallLayerKernels;
import org.junit.jupiter.api.Test;

class ThreadCountTest {

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
    private static final String REMEDY = " is no number of threads from 1 to 1024; this machine has " + PROCESSORS
            + " processors, which is what Attune uses if nothing is set";

    @Test
    void thePropertyComesBeforeTheEnvironmentAndThatBeforeTheMachine() {
        assertEquals(3, ThreadCount.of("3", "5"));
        assertEquals(5, ThreadCount.of(null, "5"));
        assertEquals(PROCESSORS, ThreadCount.of(null, null));
    }

    @Test
    void theLimitsThemselvesAreTaken() {
        assertEquals(1, ThreadCount.of("1", null));
        assertEquals(1024, ThreadCount.of(null, "1024"));
    }

    @Test
    void badSettingsNameTheirSourceTheLimitAndTheRemedy() {
        assertRefused("the system property attune.threads = 0", "0", null);
        assertRefused("the system property attune.threads = -2", "-2", "4");
        assertRefused("the system property attune.threads = 1025", "1025", null);
        assertRefused("the system property attune.threads = \"all\"", "all", null);
        assertRefused("the system property attune.threads = \"\"", "", null);
        assertRefused("the environment variable ATTUNE_THREADS = \"4 \"", null, "4 ");
        assertRefused("the environment variable ATTUNE_THREADS = \"99999999999\"", null, "99999999999");
    }

    private static void assertRefused(String what, String property, String environment) {
        var error = assertThrows(IllegalArgumentException.class, () -> ThreadCount.of(property, environment));
        assertEquals(what + REMEDY, error.getMessage());
    }

    @Test
    void kernelsTakeAnotherNumber() {
        LayerKernels kernels = Attune.kernels(new SmallLayerKernels());
        LayerKernels alone = kernels.withThreads(1);
        assertEquals(1, alone.threads());
        assertEquals(7, alone.withThreads(7).threads());
        assertEquals(ThreadCount.ofProcess(), kernels.threads(), "the kernels themselves stay as they are");
        assertEquals(kernels.backend(), alone.backend());
        assertEquals(kernels.specification(), alone.specification());
        var error = assertThrows(IllegalArgumentException.class, () -> kernels.withThreads(0));
        assertEquals("threads = 0" + REMEDY, error.getMessage());
    }
}
