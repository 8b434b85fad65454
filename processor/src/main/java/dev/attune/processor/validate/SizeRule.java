package dev.attune.processor.validate;

import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.extract.Attribute;
import dev.attune.processor.extract.Specification;
import java.util.ArrayList;
import java.util.List;

/** Heads, channels and window have sizes that kernels are generated for. */
final class SizeRule implements Rule {

    /** The most heads: more than any model has, few enough that no size overflows. */
    static final int MAX_HEADS = 1024;

    /** The fewest channels of a head. */
    static final int MIN_HEAD_DIM = 16;

    /** The most channels of a head. */
    static final int MAX_HEAD_DIM = 512;

    /** Channels come in groups that fill one 512-bit vector of floats, so that no kernel needs a masked end. */
    static final int HEAD_DIM_STEP = 16;

    /** Returns whether kernels are generated for a head dimension. */
    static boolean supportsHeadDim(int headDim) {
        return headDim >= MIN_HEAD_DIM && headDim <= MAX_HEAD_DIM && headDim % HEAD_DIM_STEP == 0;
    }

    @Override
    public List<Finding> check(Specification specification) {
        List<Finding> findings = new ArrayList<>();
        checkHeads(specification, findings);
        checkHeadDim(specification.headDim(), findings);
        checkWindow(specification.window(), findings);
        return findings;
    }

    private static void checkHeads(Specification specification, List<Finding> findings) {
        int queryHeads = specification.queryHeads().value();
        int keyValueHeads = specification.keyValueHeads().value();
        for (Attribute<Integer> heads : List.of(specification.queryHeads(), specification.keyValueHeads())) {
            if (heads.value() < 1 || heads.value() > MAX_HEADS) {
                findings.add(Message.HEADS_OUT_OF_RANGE.at(heads.position(), heads.name(), heads.value()));
            }
        }
        if (findings.isEmpty() && queryHeads % keyValueHeads != 0) {
            findings.add(Message.QUERY_HEADS_NOT_A_MULTIPLE.at(
                    specification.queryHeads().position(),
                    queryHeads,
                    keyValueHeads,
                    nearestMultiple(queryHeads, keyValueHeads)));
        }
    }

    private static void checkHeadDim(Attribute<Integer> headDim, List<Finding> findings) {
        int channels = headDim.value();
        if (channels < MIN_HEAD_DIM || channels > MAX_HEAD_DIM) {
            int nearest = Math.clamp(channels, MIN_HEAD_DIM, MAX_HEAD_DIM);
            findings.add(Message.HEAD_DIM_OUT_OF_RANGE.at(headDim.position(), channels, nearest));
        } else if (!supportsHeadDim(channels)) {
            int below = channels - channels % HEAD_DIM_STEP;
            findings.add(Message.HEAD_DIM_NOT_A_MULTIPLE.at(
                    headDim.position(), channels, below, below + HEAD_DIM_STEP));
        }
    }

    private static void checkWindow(Attribute<Integer> window, List<Finding> findings) {
        if (window.value() < 1) {
            findings.add(Message.WINDOW_NOT_POSITIVE.at(window.position(), window.value()));
        }
    }

    /** Returns the multiple of {@code factor} in 1 to {@link #MAX_HEADS} nearest to a value; of two, the greater. */
    private static int nearestMultiple(int value, int factor) {
        int multiple = Math.max(1, (2 * value + factor) / (2 * factor));
        return Math.min(multiple, MAX_HEADS / factor) * factor;
    }
}
