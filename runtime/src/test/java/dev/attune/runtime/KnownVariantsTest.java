package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.reference.ForwardingProvider;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.reference.SmallLayer;
import dev.attune.reference.SmallLayerKernels;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.TunedChoice;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the choice of a variant comes from: the store, else what was compiled in, else nothing. */
class KnownVariantsTest {

    private static final String DEFAULT = "vector512";
    private static final String DEEP = "vector512-ahead8";
    private static final String SHALLOW = "vector512-ahead0";
    private static final String NARROW = "vector256";

    private static final List<KernelVariant> VARIANTS = List.of(
            ReferenceProvider.defaultOf(Backend.VECTOR_512),
            new KernelVariant(DEEP, Backend.VECTOR_512, Strategy.PERMUTE, 1, 1, 8),
            new KernelVariant(SHALLOW, Backend.VECTOR_512, Strategy.PERMUTE, 1, 1, 0),
            ReferenceProvider.defaultOf(Backend.VECTOR_256),
            ReferenceProvider.defaultOf(Backend.SCALAR));

    private static final KernelProvider PROVIDER = new ReferenceProvider(
            SmallLayer.class,
            SmallLayerKernels.SHAPE,
            VARIANTS,
            variant -> new ReferenceKernels(SmallLayerKernels.SHAPE, variant.backend()));

    private static final int USUAL = 32_768;

    @TempDir
    private Path directory;

    private Machine machine;
    private TuningStore store;

    @BeforeEach
    void openTheStore() {
        machine = machine(512);
        store = machine.store(false);
    }

    private Machine machine(int vectorBits) {
        return Machine.of(vectorBits, directory, Meter.ofJvm());
    }

    private static TuningRecord record(KernelProvider provider, int context, int threads, String chosen) {
        return record(provider, context, threads, chosen, Map.of());
    }

    private static TuningRecord record(
            KernelProvider provider, int context, int threads, String chosen, Map<String, String> refused) {
        List<CandidateResult> candidates = provider.variants().stream()
                .map(KernelVariant::name)
                .map(name -> refused.containsKey(name)
                        ? CandidateResult.untimed(name, Verdict.REFUSED, refused.get(name))
                        : new CandidateResult(name, Verdict.TIMED, "", 1, 1, 1, 9))
                .toList();
        return new TuningRecord(
                KnownVariants.key(provider, KernelPolicy.free(), context, threads),
                chosen,
                DEFAULT,
                "a test says so",
                Instant.EPOCH,
                candidates);
    }

    /** Returns names by context. */
    private static Map<Integer, String> fastest(KnownVariants known) {
        Map<Integer, String> names = new LinkedHashMap<>();
        known.fastest().forEach((context, each) -> names.put(context, each.variant().name()));
        return names;
    }

    private Map<Integer, String> lookUp(KernelProvider provider, int threads) {
        return fastest(KnownVariants.lookUp(provider, KernelPolicy.free(), store, threads));
    }

    private static KernelProvider withChoices(TunedChoice... choices) {
        return new ForwardingProvider(PROVIDER) {
            @Override
            public List<TunedChoice> tunedChoices() {
                return List.of(choices);
            }
        };
    }

    private TunedChoice here(int context, int threads, String variant) {
        Environment environment = store.environment();
        return new TunedChoice(environment.processor(), environment.vectors(), context, threads, variant);
    }

    private TunedChoice alike(int context, int threads, String variant) {
        return new TunedChoice("another model", store.environment().vectors(), context, threads, variant);
    }

    private static TunedChoice elsewhere(int context, int threads, String variant) {
        return new TunedChoice("another model", "a64, 128-bit vectors", context, threads, variant);
    }

    @Test
    void whereNothingIsKnownTheLaddersDefaultIsChosen() {
        KnownVariants known = KnownVariants.lookUp(PROVIDER, KernelPolicy.free(), store, 1);
        assertEquals(KnownVariants.NONE, known);
        assertEquals(VariantLadder.Measured.NOTHING, known.forLadder());
        assertEquals(DEFAULT, LayerKernels.choose(PROVIDER, KernelPolicy.free(), machine).variant().name());
    }

    @Test
    void memoryAndFilesAnswerBeforeWhatWasCompiledIn() {
        KernelProvider provider = withChoices(here(USUAL, 1, SHALLOW), here(1024, 1, SHALLOW));
        assertEquals(Map.of(1024, SHALLOW, USUAL, SHALLOW), lookUp(provider, 1));
        assertEquals("before compilation, on " + store.environment().processor() + " with 1 thread", source(provider));

        store.save(record(provider, USUAL, 1, DEEP));
        assertEquals(Map.of(USUAL, DEEP), lookUp(provider, 1), "from memory, and nothing is mixed in");
        assertEquals("in the store: a test says so", source(provider));

        store = machine(512).store(false);
        assertEquals(Map.of(USUAL, DEEP), lookUp(provider, 1), "from the file");
        store.clear(false);
        assertEquals(Map.of(1024, SHALLOW, USUAL, SHALLOW), lookUp(provider, 1));
    }

    private String source(KernelProvider provider) {
        return KnownVariants.lookUp(provider, KernelPolicy.free(), store, 1).usual().orElseThrow().source();
    }

    @Test
    void theModelCountsMoreThanItsVectorsAndTheThreadsMoreThanTheModel() {
        TunedChoice[] theBestLast = {
            elsewhere(USUAL, 2, DEFAULT),
            alike(USUAL, 8, DEFAULT),
            here(USUAL, 8, DEEP),
            alike(USUAL, 2, SHALLOW),
            here(USUAL, 2, NARROW)
        };
        for (int known = 1; known <= theBestLast.length; known++) {
            TunedChoice best = theBestLast[known - 1];
            assertEquals(
                    known == 1 ? Map.of() : Map.of(USUAL, best.variant()),
                    lookUp(withChoices(Arrays.copyOf(theBestLast, known)), 2),
                    best::toString);
        }
    }

    @Test
    void ofSeveralChoicesThatFitTheFirstCounts() {
        assertEquals(
                Map.of(USUAL, DEEP, 1024, SHALLOW),
                lookUp(withChoices(here(USUAL, 1, DEEP), here(1024, 1, SHALLOW), here(USUAL, 1, DEFAULT)), 1));
    }

    @Test
    void recordsOfOtherThreadsSourcesOrSpecificationsAreNotUsed() {
        store.save(record(PROVIDER, USUAL, 2, DEEP));
        assertEquals(Map.of(USUAL, DEEP), lookUp(PROVIDER, 2));
        assertEquals(Map.of(), lookUp(PROVIDER, 1));
        Fingerprint own = PROVIDER.fingerprint();
        for (Fingerprint other : List.of(
                new Fingerprint(own.specification(), "0000000000000000"),
                new Fingerprint("0000000000000000", own.sources()))) {
            KernelProvider changed = new ForwardingProvider(PROVIDER) {
                @Override
                public Fingerprint fingerprint() {
                    return other;
                }
            };
            assertEquals(Map.of(), lookUp(changed, 2), other::toString);
        }
        assertEquals(
                KnownVariants.NONE,
                KnownVariants.lookUp(PROVIDER, KernelPolicy.free(), machine(256).store(false), 2));
    }

    @Test
    void theRecordNearestToTheUsualContextStandsForAll() {
        store.save(record(PROVIDER, 1024, 1, SHALLOW));
        assertEquals(SHALLOW, usual());
        store.save(record(PROVIDER, 131_072, 1, NARROW));
        assertEquals(NARROW, usual(), "two doublings away, not five");
        store.save(record(PROVIDER, 16_384, 1, DEEP));
        assertEquals(DEEP, usual());
        store.save(record(PROVIDER, USUAL, 1, DEFAULT));
        assertEquals(DEFAULT, usual());
        assertEquals(Map.of(1024, SHALLOW, 16_384, DEEP, USUAL, DEFAULT, 131_072, NARROW), lookUp(PROVIDER, 1));
    }

    private String usual() {
        return KnownVariants.lookUp(PROVIDER, KernelPolicy.free(), store, 1).usual().orElseThrow().variant().name();
    }

    @Test
    void everyContextOfABucketFindsItsRecord() {
        store.save(record(PROVIDER, 4096, 1, DEEP));
        KernelTuner tuner = new KernelTuner(PROVIDER, KernelTuner.Isolation.THIS_PROCESS, KernelPolicy.free(), machine);
        assertTrue(tuner.known(4096, 1).isPresent());
        assertTrue(tuner.known(8191, 1).isPresent());
        assertFalse(tuner.known(4095, 1).isPresent());
        assertFalse(tuner.known(8192, 1).isPresent());
        assertEquals(1, tuner.known(1).size());
    }

    @Test
    void aRecordOfAVariantThatIsNoLongerGeneratedIsPassedOver() {
        store.save(record(PROVIDER, USUAL, 1, DEEP));
        KernelProvider fewer = new ForwardingProvider(PROVIDER) {
            @Override
            public List<KernelVariant> variants() {
                return VARIANTS.stream().filter(variant -> !variant.name().equals(DEEP)).toList();
            }
        };
        assertEquals(Map.of(), lookUp(fewer, 1));
        assertEquals(DEFAULT, LayerKernels.choose(fewer, KernelPolicy.free(), machine).variant().name());
    }

    @Test
    void aMeasuredVariantThatCannotRunHereIsSteppedDownFromWithItsReason() {
        int threads = ThreadCount.ofProcess();
        store.save(record(PROVIDER, USUAL, threads, DEEP));
        store.save(record(PROVIDER, 1024, threads, NARROW));
        assertEquals(
                DEEP + ": measured, in the store: a test says so",
                chosen(LayerKernels.choose(PROVIDER, KernelPolicy.free(), machine)).toString());

        // The store of the machine with wide vectors, in a process that has them not.
        Machine narrow = new Machine(256, machine.openCl(), store, Meter.ofJvm());
        LayerKernels stepped = LayerKernels.choose(PROVIDER, KernelPolicy.free(), narrow);
        assertEquals(
                NARROW + ": the widest generated vectors within the 256 bits this machine prefers",
                chosen(stepped).toString());
        assertEquals(
                DEEP + ": wider than the 256 bits this machine prefers",
                stepped.ladder().get(1).toString());

        LayerKernels without = LayerKernels.choose(PROVIDER, KernelPolicy.free().forbidding(DEEP), machine);
        assertEquals(DEFAULT, without.variant().name());
        assertEquals(DEEP + ": forbidden by the caller's policy", without.ladder().get(1).toString());

        KnownVariants known = KnownVariants.lookUp(PROVIDER, KernelPolicy.free(), store, threads);
        assertEquals(
                Map.of(1024, PROVIDER.variant(Backend.VECTOR_256)),
                known.inHostMemory(stepped.ladder()),
                "what decodes caches of a length can run here, too");
    }

    @Test
    void whoeverForcesAVariantOrWantsNoMeasurementsGetsNone() {
        store.save(record(PROVIDER, USUAL, ThreadCount.ofProcess(), DEEP));
        KernelPolicy off = KernelPolicy.free().withTuning(KernelPolicy.Tuning.OFF);
        assertEquals(DEFAULT, LayerKernels.choose(PROVIDER, off, machine).variant().name());
        KernelPolicy forcing = KernelPolicy.free().forcing(SHALLOW);
        assertEquals(SHALLOW, LayerKernels.choose(PROVIDER, forcing, machine).variant().name());
    }

    @Test
    void whatWasRefusedOnceIsRefusedForAnyNumberOfThreadsAndAnyContext() {
        store.save(record(PROVIDER, 2048, 1, DEEP, Map.of(DEFAULT, "output 3 is NaN")));
        KnownVariants known = KnownVariants.lookUp(PROVIDER, KernelPolicy.free(), store, 7);
        assertEquals(Map.of(), fastest(known));
        assertEquals(Map.of(DEFAULT, "output 3 is NaN"), known.refused());
    }

    @Test
    void aVariantThatWasRefusedLaterNoLongerDecodesLengthsItWonBefore() {
        store.save(record(PROVIDER, 1024, 1, DEEP));
        store.save(record(PROVIDER, USUAL, 1, SHALLOW, Map.of(DEEP, "output 3 is NaN")));
        KernelPolicy off = KernelPolicy.free().withTuning(KernelPolicy.Tuning.OFF);
        LayerKernels chosenBefore = LayerKernels.choose(PROVIDER, off, machine);
        KnownVariants known = KnownVariants.lookUp(PROVIDER, KernelPolicy.free(), store, 1);
        assertEquals(List.of(USUAL), List.copyOf(known.inHostMemory(chosenBefore.ladder()).keySet()));
    }

    private static Rung chosen(LayerKernels kernels) {
        return kernels.ladder().stream().filter(Rung::chosen).findFirst().orElseThrow();
    }
}
