package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;

/**
 * What vector code sees of a pruned side: blocks of 32 lanes, each with a row of entries of which it keeps the
 * largest. Lanes are tokens and entries their channels (keys), or lanes are channels and entries their tokens (values).
 * One text with these names in it packs both.
 *
 * @param name ends the names of the side's methods: {@code Keys} or {@code Values}
 * @param block the bytes of a block
 * @param slots where its slots stand
 * @param format the format of kept entries
 * @param entries entries of a lane
 * @param entryCount the constant that says so
 * @param keptCount the constant of the entries a lane keeps
 * @param lanes the constant of a block's lanes
 * @param stride the constant from one entry of a lane to its next in the array that entries are read from
 */
record PackedSide(
        String name,
        BlockLayout block,
        SlotText slots,
        NumberFormat format,
        int entries,
        String entryCount,
        String keptCount,
        String lanes,
        String stride) {

    static PackedSide ofKeys(KernelPlan plan, KeyLayout keys) {
        return new PackedSide(
                "Keys",
                keys.block(),
                new SlotText("KEY", keys.block()),
                plan.model().keys().format(),
                plan.layout().headDim(),
                "HEAD_DIM",
                "KEPT_CHANNELS",
                "BLOCK_TOKENS",
                "BLOCK_TOKENS");
    }

    static PackedSide ofValues(KernelPlan plan, ValueLayout values) {
        return new PackedSide(
                "Values",
                values.block(),
                new SlotText("VALUE", values.block()),
                plan.model().values().format(),
                TileLayout.TILE_TOKENS,
                "TILE_TOKENS",
                "KEPT_TOKENS",
                "BLOCK_CHANNELS",
                wholeBlocks(plan.layout()) ? "HEAD_DIM" : "BLOCK_CHANNELS");
    }

    /** Returns whether blocks of value channels can be read where they are; else the last one must be filled up. */
    static boolean wholeBlocks(TileLayout tile) {
        return tile.headDim() == tile.channels();
    }

    int kept() {
        return block.kept();
    }

    boolean signed() {
        return block.signed();
    }

    /** Returns the format of all numbers but kept entries. */
    NumberFormat plainFormat() {
        return format.quantised() ? NumberFormat.BFLOAT16 : format;
    }

    /** Returns the words that hold a bit per entry. */
    int words() {
        return (entries + Integer.SIZE - 1) / Integer.SIZE;
    }

    /** Returns whether the last word is half used. */
    boolean halfWord() {
        return entries % Integer.SIZE != 0;
    }

    /** Returns a text with the side's names in it. */
    KernelText text(String text) {
        return KernelText.of(text)
                .with("side", name)
                .with("constant", slots.side())
                .with("entries", entryCount)
                .with("kept", keptCount)
                .with("lanes", lanes)
                .with("stride", stride)
                .numbers(plainFormat());
    }

    /** Begins the side's method that does a step of packing for the lanes from {@code lane} on. */
    MethodSpec.Builder method(String step) {
        return KernelMethods.step(step + name).addParameter(int.class, "lane");
    }
}
