package dev.attune.runtime.spi;

/**
 * The shape of one attention layer and how its cache is fed.
 *
 * @param queryHeads number of query heads, a multiple of {@code keyValueHeads}
 * @param keyValueHeads number of key-value heads
 * @param headDim channels of one head
 * @param window how many of the prompt's last query positions may score the channels
 * @param packGenerated whether tokens are packed whenever they fill a tile, the prompt's and generated ones alike;
 *     otherwise the prompt is packed whole, its last, partial tile included, and generated tokens stay dense
 */
public record LayerShape(int queryHeads, int keyValueHeads, int headDim, int window, boolean packGenerated) {

    /** Returns the number of query heads that share one key-value head. */
    public int groupSize() {
        return queryHeads / keyValueHeads;
    }
}
