package dev.attune.bench.layers;

import static dev.attune.annotations.NumberFormat.FLOAT16;
import static dev.attune.annotations.NumberFormat.FLOAT32;
import static dev.attune.annotations.NumberFormat.INT4;
import static dev.attune.annotations.NumberFormat.INT8;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** Layers of head dimension 128: 8 key-value heads, shared by 1, 4 or 8 query heads each. Formats are compared here. */
interface HeadDim128 {

    /** Dense bfloat16: what the others are compared with. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0))
    interface DenseBfloat16Group1 {}

    /** Dense bfloat16: what the others are compared with. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0))
    interface DenseBfloat16Group4 {}

    /** Dense bfloat16: what the others are compared with. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0))
    interface DenseBfloat16Group8 {}

    /** Dense float32. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0, format = FLOAT32),
            values = @ChannelPruning(ratio = 0, format = FLOAT32))
    interface DenseFloat32Group1 {}

    /** Dense float32. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0, format = FLOAT32),
            values = @ChannelPruning(ratio = 0, format = FLOAT32))
    interface DenseFloat32Group4 {}

    /** Dense float32. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0, format = FLOAT32),
            values = @ChannelPruning(ratio = 0, format = FLOAT32))
    interface DenseFloat32Group8 {}

    /** 80 % of the key channels pruned, dense values. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8))
    interface Keys80Bfloat16Group1 {}

    /** 80 % of the key channels pruned, dense values. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8))
    interface Keys80Bfloat16Group4 {}

    /** 80 % of the key channels pruned, dense values. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8))
    interface Keys80Bfloat16Group8 {}

    /** 80 % of keys and values pruned. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8),
            values = @ChannelPruning(ratio = 0.8))
    interface Keys80Values80Bfloat16Group1 {}

    /** 80 % of keys and values pruned. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8),
            values = @ChannelPruning(ratio = 0.8))
    interface Keys80Values80Bfloat16Group4 {}

    /** 80 % of keys and values pruned. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8),
            values = @ChannelPruning(ratio = 0.8))
    interface Keys80Values80Bfloat16Group8 {}

    /** 80 % of the key channels pruned, kept ones in float16, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = FLOAT16))
    interface Keys80Float16Group1 {}

    /** 80 % of the key channels pruned, kept ones in float16, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = FLOAT16))
    interface Keys80Float16Group4 {}

    /** 80 % of the key channels pruned, kept ones in float16, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = FLOAT16))
    interface Keys80Float16Group8 {}

    /** 80 % of keys and values pruned, kept entries in float16. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = FLOAT16),
            values = @ChannelPruning(ratio = 0.8, format = FLOAT16))
    interface Keys80Values80Float16Group1 {}

    /** 80 % of keys and values pruned, kept entries in float16. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = FLOAT16),
            values = @ChannelPruning(ratio = 0.8, format = FLOAT16))
    interface Keys80Values80Float16Group4 {}

    /** 80 % of keys and values pruned, kept entries in float16. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = FLOAT16),
            values = @ChannelPruning(ratio = 0.8, format = FLOAT16))
    interface Keys80Values80Float16Group8 {}

    /** 80 % of the key channels pruned, kept ones in int8, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT8))
    interface Keys80Int8Group1 {}

    /** 80 % of the key channels pruned, kept ones in int8, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT8))
    interface Keys80Int8Group4 {}

    /** 80 % of the key channels pruned, kept ones in int8, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT8))
    interface Keys80Int8Group8 {}

    /** 80 % of keys and values pruned, kept entries in int8. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT8),
            values = @ChannelPruning(ratio = 0.8, format = INT8))
    interface Keys80Values80Int8Group1 {}

    /** 80 % of keys and values pruned, kept entries in int8. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT8),
            values = @ChannelPruning(ratio = 0.8, format = INT8))
    interface Keys80Values80Int8Group4 {}

    /** 80 % of keys and values pruned, kept entries in int8. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT8),
            values = @ChannelPruning(ratio = 0.8, format = INT8))
    interface Keys80Values80Int8Group8 {}

    /** 80 % of the key channels pruned, kept ones in int4, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT4))
    interface Keys80Int4Group1 {}

    /** 80 % of the key channels pruned, kept ones in int4, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT4))
    interface Keys80Int4Group4 {}

    /** 80 % of the key channels pruned, kept ones in int4, dense bfloat16 values. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT4))
    interface Keys80Int4Group8 {}

    /** 80 % of keys and values pruned, kept entries in int4. */
    @AttentionSpec(
            queryHeads = 8,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT4),
            values = @ChannelPruning(ratio = 0.8, format = INT4))
    interface Keys80Values80Int4Group1 {}

    /** 80 % of keys and values pruned, kept entries in int4. */
    @AttentionSpec(
            queryHeads = 32,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT4),
            values = @ChannelPruning(ratio = 0.8, format = INT4))
    interface Keys80Values80Int4Group4 {}

    /** 80 % of keys and values pruned, kept entries in int4. */
    @AttentionSpec(
            queryHeads = 64,
            keyValueHeads = 8,
            headDim = 128,
            keys = @ChannelPruning(ratio = 0.8, format = INT4),
            values = @ChannelPruning(ratio = 0.8, format = INT4))
    interface Keys80Values80Int4Group8 {}
}
