package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;

/**
 * What vector packing sees of a pruned side: lanes, each with a row of entries of which it keeps the largest. Lanes are
 * a block's tokens and entries their channels (keys), or lanes are a group's channels and entries their tokens
 * (values). One text with these names in it packs both.
 *
 * @param name ends the names of the side's methods: {@code Keys} or {@code Values}
 * @param entry what an entry is called
 * @param entries entries of a lane
 * @param entryCount the constant that says so
 * @param kept entries a lane keeps
 * @param keptCount the constant that says so
 * @param lanes the constant of the lanes packed together, 32
 * @param stride the constant from one entry of a lane to its next in the array that entries are read from
 */
record PackedSide(
        String name,
        String entry,
        int entries,
        String entryCount,
        int kept,
        String keptCount,
        String lanes,
        String stride) {

    /** Bits of a word of marks, one per entry. */
    private static final int WORD = Integer.SIZE;

    static PackedSide of(KeyLayout keys, TileLayout tile) {
        return new PackedSide(
                "Keys",
                "channel",
                tile.headDim(),
                "HEAD_DIM",
                keys.kept(),
                "KEPT_CHANNELS",
                "BLOCK_TOKENS",
                "BLOCK_TOKENS");
    }

    static PackedSide of(ValueLayout values, TileLayout tile) {
        return new PackedSide(
                "Values",
                "token",
                TileLayout.TILE_TOKENS,
                "TILE_TOKENS",
                values.kept(),
                "KEPT_TOKENS",
                "GROUP_CHANNELS",
                wholeGroups(tile) ? "HEAD_DIM" : "GROUP_CHANNELS");
    }

    /** Returns whether groups of channels can be read where they are; the last one must otherwise be filled up. */
    static boolean wholeGroups(TileLayout tile) {
        return tile.headDim() == tile.channels();
    }

    /** Returns the words that hold a bit per entry. */
    int words() {
        return (entries + WORD - 1) / WORD;
    }

    /** Returns whether the last word is half used. */
    boolean halfWord() {
        return entries % WORD != 0;
    }

    /** Returns a text with the side's names in it. */
    KernelText text(String text) {
        return name(KernelText.of(text));
    }

    /** Sets the side's names in a text. */
    KernelText name(KernelText text) {
        return text.with("side", name)
                .with("entries", entryCount)
                .with("kept", keptCount)
                .with("lanes", lanes)
                .with("stride", stride);
    }

    /** Begins the side's method that does a step of packing for the lanes from {@code lane} on. */
    MethodSpec.Builder method(String step) {
        return KernelMethods.step(step + name).addParameter(int.class, "lane");
    }
}
