package dev.attune.processor.validate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.PruningModel;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Why there is no message "keeps no channel": a ratio below 1 keeps one at least, also after rounding. */
class KeptEntriesTest {

    private static PruningModel pruning(double ratio) {
        return new PruningModel(
                ratio, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16);
    }

    private static IntStream headDims() {
        return IntStream.rangeClosed(SizeRule.MIN_HEAD_DIM, SizeRule.MAX_HEAD_DIM).filter(SizeRule::supportsHeadDim);
    }

    @Test
    void everyRatioBelowOneKeepsAChannel() {
        PruningModel greatest = pruning(Math.nextDown(1.0));
        assertEquals(32, headDims().count());
        // Kept channels fall as the ratio grows, so the greatest ratio proves it for all.
        headDims().forEach(headDim -> assertEquals(1, greatest.kept(headDim), () -> "head dimension " + headDim));
    }

    @Test
    void everyRatioBelowOneKeepsATokenOfAValueTile() {
        assertEquals(1, pruning(Math.nextDown(1.0)).kept(PruningRule.TILE_TOKENS));
    }

    @Test
    void usualRatiosKeepWhatTheMethodSays() {
        assertEquals(64, pruning(0.5).kept(128));
        assertEquals(26, pruning(0.8).kept(128));
        assertEquals(13, pruning(0.9).kept(128));
        assertEquals(13, pruning(0.8).kept(PruningRule.TILE_TOKENS));
    }

    @Test
    void headDimsAreMultiplesOfSixteenInRange() {
        assertTrue(headDims().allMatch(headDim -> headDim % 16 == 0));
        assertFalse(SizeRule.supportsHeadDim(0));
        assertFalse(SizeRule.supportsHeadDim(528));
        assertFalse(SizeRule.supportsHeadDim(24));
    }
}
