package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.OpenClPlan;

/** Writes the kernels that store a token in a dense tile and read a dense tile back. */
final class DenseText {

    private DenseText() {}

    static String write(OpenClPlan plan) {
        StoredNumber keys = StoredNumber.of(plan.model().keys().plainFormat());
        StoredNumber values = StoredNumber.of(plan.model().values().plainFormat());
        return OpenClText.of("""

            /* Stores one token of every head in a dense tile. One work-group per key-value head. */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void store_dense(
                    global const float *key, global const float *value, global uchar *dense, int tile, int token,
                    int stride, global int *receipt, int launch) {
                uint head = get_group_id(0);
                global uchar *newest = dense + ((size_t) head * stride + tile) * DENSE_TILE_BYTES;
                for (uint channel = get_local_id(0); channel < HEAD_DIM; channel += TILE_TOKENS) {
                    $storeKey(dense_key(newest, channel, token), key[head * HEAD_DIM + channel]);
                    $storeValue(dense_value(newest + DENSE_VALUES, channel, token), value[head * HEAD_DIM + channel]);
                }
                sign(receipt, launch);
            }

            /* Reads a dense tile of every head. One work-group per key-value head. */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void load_dense(
                    global uchar *dense, global float *keys, global float *values, int tile, int stride,
                    global int *receipt, int launch) {
                uint head = get_group_id(0);
                global uchar *from = dense + ((size_t) head * stride + tile) * DENSE_TILE_BYTES;
                for (uint i = get_local_id(0); i < TILE_TOKENS * HEAD_DIM; i += TILE_TOKENS) {
                    uint token = i / HEAD_DIM;
                    uint channel = i % HEAD_DIM;
                    size_t place = (size_t) head * TILE_TOKENS * HEAD_DIM + i;
                    keys[place] = $loadKey(dense_key(from, channel, token));
                    values[place] = $loadValue(dense_value(from + DENSE_VALUES, channel, token));
                }
                sign(receipt, launch);
            }
            """)
                .with("storeKey", keys.store())
                .with("storeValue", values.store())
                .with("loadKey", keys.load())
                .with("loadValue", values.load())
                .toString();
    }
}
