package dev.attune.processor.validate;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.extract.Attribute;
import dev.attune.processor.extract.Pruning;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.model.PruningModel;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values are pruned by a fraction below one, what is pruned alone is stored in integers, and settings of keys
 * are not written for values.
 */
final class PruningRule implements Rule {

    /** Tokens of the tile that a value channel is pruned in. */
    static final int TILE_TOKENS = 64;

    /** Head dimension of the example in a message if the specification's own is wrong. */
    private static final int USUAL_HEAD_DIM = 128;

    private static final double USUAL_RATIO = 0.8;

    @Override
    public List<Finding> check(Specification specification) {
        List<Finding> findings = new ArrayList<>();
        int headDim = specification.headDim().value();
        int channels = SizeRule.supportsHeadDim(headDim) ? headDim : USUAL_HEAD_DIM;
        checkRatio("keys", specification.keys(), channels, "channels", findings);
        checkRatio("values", specification.values(), TILE_TOKENS, "tokens", findings);
        checkFormat("keys", specification.keys(), findings);
        checkFormat("values", specification.values(), findings);
        for (Attribute<?> keysOnly :
                List.of(specification.values().channelWeight(), specification.values().centering())) {
            if (keysOnly.written()) {
                String attribute = keysOnly.name().substring("values.".length());
                findings.add(Message.KEYS_ONLY.at(keysOnly.position(), attribute));
            }
        }
        return findings;
    }

    private static void checkFormat(String side, Pruning pruning, List<Finding> findings) {
        Attribute<NumberFormat> format = pruning.format();
        if (pruning.model().dense() && format.value().quantised()) {
            findings.add(Message.INTEGERS_NEED_PRUNING.at(format.position(), side, format.value()));
        }
    }

    private static void checkRatio(
            String side, Pruning pruning, int count, String entries, List<Finding> findings) {
        Attribute<Double> ratio = pruning.ratio();
        // Stated so that NaN fails.
        boolean inRange = ratio.value() >= 0 && ratio.value() < 1;
        if (!inRange) {
            PruningModel written = pruning.model();
            PruningModel usual = new PruningModel(
                    USUAL_RATIO,
                    written.restoration(),
                    written.channelWeight(),
                    written.centering(),
                    written.format());
            findings.add(Message.RATIO_OUT_OF_RANGE.at(
                    ratio.position(), side, ratio.value(), usual.kept(count), count, entries));
        }
    }
}
