package dev.attune.processor.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.processor.plan.KernelPlan.Variants;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Which plans there are for a specification. */
class PlanSpaceTest {

    private static AttentionModel model(int group, int headDim, double keys, double values, NumberFormat format) {
        return new AttentionModel(
                "models", "Foo", 8 * group, 8, headDim, side(keys, format), side(values, format), 32, true,
                List.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128));
    }

    private static PruningModel side(double ratio, NumberFormat format) {
        return new PruningModel(ratio, Restoration.SIGN, ChannelWeight.MEAN, Centering.NONE, format);
    }

    private static List<AttentionModel> models() {
        return List.of(
                model(4, 128, 0.8, 0.8, NumberFormat.BFLOAT16),
                model(1, 128, 0.8, 0, NumberFormat.BFLOAT16),
                model(3, 64, 0.8, 0.5, NumberFormat.INT8),
                model(8, 256, 0.8, 0.8, NumberFormat.FLOAT32),
                model(7, 16, 0, 0, NumberFormat.BFLOAT16));
    }

    private static List<String> names(AttentionModel model, Variants variants) {
        return KernelPlan.of(model, variants).stream().map(KernelPlan::name).toList();
    }

    @Test
    void theUsualVariantsAreFew() {
        assertEquals(
                List.of(
                        "vector512", "vector512-ahead0", "vector512-heads2-streams2", "vector512-heads1-streams4",
                        "vector256", "vector256-ahead0", "vector256-heads1-streams2", "vector256-gather",
                        "vector128", "vector128-ahead0", "vector128-gather",
                        "scalar"),
                names(model(4, 128, 0.8, 0.8, NumberFormat.BFLOAT16), Variants.USUAL));
    }

    @Test
    void allVariantsOfAWidthAreEveryNumberOfHeadsWithEveryWayToKeepMemoryBusy() {
        List<String> names = names(model(4, 128, 0.8, 0.8, NumberFormat.BFLOAT16), Variants.ALL);
        assertEquals(
                List.of(
                        "vector512", "vector512-ahead0", "vector512-heads2-streams2", "vector512-heads1-streams4",
                        "vector512-ahead1", "vector512-ahead2", "vector512-ahead4",
                        "vector512-heads2-ahead0", "vector512-heads2-ahead1", "vector512-heads2-ahead2",
                        "vector512-heads2-ahead4", "vector512-heads2-ahead8",
                        "vector512-heads1-streams2",
                        "vector512-heads1-ahead0", "vector512-heads1-ahead1", "vector512-heads1-ahead2",
                        "vector512-heads1-ahead4", "vector512-heads1-ahead8"),
                names.stream().filter(name -> name.startsWith("vector512")).toList());
        assertEquals("scalar", names.getLast());
    }

    @Test
    void theUsualVariantsAreAmongAllAndAllHaveNamesOfTheirOwn() {
        for (AttentionModel model : models()) {
            List<KernelPlan> usual = KernelPlan.of(model, Variants.USUAL);
            List<KernelPlan> all = KernelPlan.of(model, Variants.ALL);
            assertTrue(all.containsAll(usual), model::toString);
            assertTrue(all.size() > usual.size(), model::toString);
            for (Backend backend : model.vectorBackends()) {
                List<KernelPlan> first = all.stream().filter(plan -> plan.backend() == backend).toList();
                List<KernelPlan> few = usual.stream().filter(plan -> plan.backend() == backend).toList();
                assertEquals(few, first.subList(0, few.size()), "the usual ones first, the default before them");
            }
            assertEquals(all.size(), new HashSet<>(names(model, Variants.ALL)).size(), model::toString);
            Set<String> classes = all.stream().map(KernelPlan::className).collect(Collectors.toSet());
            assertEquals(all.size(), classes.size(), model::toString);
        }
    }

    @Test
    void noPlanTakesMoreRegistersThanThereAre() {
        for (AttentionModel model : models()) {
            for (KernelPlan plan : KernelPlan.of(model, Variants.ALL)) {
                boolean dense = model.keys().dense() && model.values().dense();
                int most = Math.max(1, plan.backend().vectorBits() / 128) * (dense ? 2 : 1);
                if (plan.strategy() == Strategy.PERMUTE) {
                    assertTrue(plan.streams() * plan.headGroup() <= Math.max(most, plan.headGroup()), plan::toString);
                }
                assertTrue(plan.streams() == 1 || plan.readAheadTiles() == 0, plan::toString);
                assertTrue(plan.headGroup() <= Math.min(4, model.groupSize()), plan::toString);
            }
        }
    }
}
