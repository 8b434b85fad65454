package dev.attune.processor.emit.opencl;

import dev.attune.processor.model.PruningModel;
import dev.attune.processor.plan.OpenClPlan;

/** Writes the functions that say where a number lies in a tile on the device, and others that all kernels share. */
final class PlaceText {

    private PlaceText() {}

    static String write(OpenClPlan plan) {
        OpenClText text = OpenClText.of("""

            /* Leaves the sign that a kernel ran. */
            static void sign(global int *receipt, int launch) {
                if (get_global_id(0) == 0) {
                    *receipt = launch;
                }
            }

            static uint magnitude_bits(float number) {
                return as_uint(number) & 0x7fffffff;
            }

            /*
             * Offset of a lane's byte in a stream of so many bytes a lane: the lanes' bytes are interleaved in rows \
            of 16
             * bytes a lane while as many are left, then in one row of 8 and one of 4.
             */
            static uint stream_place(uint lane_bytes, uint lane, uint byte) {
                uint whole = lane_bytes / 16 * 16;
                uint row = byte < whole ? 16 : lane_bytes - whole >= 8 && byte < whole + 8 ? 8 : 4;
                return byte / row * row * LANES + lane * row + byte % row;
            }

            /* Place of a number in a stream of a tile's keys: of a token's slot, or of its channel if dense. */
            static uint key_place(uint lane_bytes, uint slot, uint token, uint bytes) {
                return stream_place(lane_bytes, token % LANES, (slot * KEY_COLUMNS + token / LANES) * bytes);
            }

            /* Place of a number in the streams of a tile's values: of a channel's slot, or of its token if dense. */
            static uint value_place(uint lane_bytes, uint slot, uint channel, uint bytes) {
                uint column = channel / LANES % VALUE_COLUMNS;
                uint group = channel / LANES / VALUE_COLUMNS;
                return group * LANES * lane_bytes
                        + stream_place(lane_bytes, channel % LANES, (slot * VALUE_COLUMNS + column) * bytes);
            }

            static global $key *dense_key(global uchar *keys, uint channel, uint token) {
                return (global $key *) (keys + key_place(DENSE_KEY_STREAM, channel, token, sizeof($key)));
            }

            static global $value *dense_value(global uchar *values, uint channel, uint token) {
                return (global $value *) (values + value_place(DENSE_VALUE_STREAM, token, channel, sizeof($value)));
            }
            """);
        plan.device().keys().ifPresent(layout -> text.addIf(layout.centred(), """

            static global $key *key_mean(global uchar *tile, uint channel) {
                return (global $key *) (tile + KEY_MEANS) + channel;
            }
            """).add("""

            static global $keyResidual *key_residual(global uchar *tile, uint slot, uint token) {
                return (global $keyResidual *) (tile + KEY_RESIDUALS
                        + key_place(KEY_RESIDUAL_STREAM, slot, token, sizeof($keyResidual)));
            }

            static global $index *key_index(global uchar *tile, uint slot, uint token) {
                return (global $index *) (tile + KEY_INDICES
                        + key_place(KEY_INDEX_STREAM, slot, token, sizeof($index)));
            }
            """).addIf(layout.signed(), """

            static global uint *key_signs(global uchar *tile, uint word, uint token) {
                return (global uint *) (tile + KEY_SIGNS) + token * (PADDED_CHANNELS / 32) + word;
            }

            static global $key *key_amplitude(global uchar *tile, uint token) {
                return (global $key *) (tile + KEY_AMPLITUDES) + token % LANES * KEY_COLUMNS + token / LANES;
            }
            """).addIf(layout.quantised(), """

            static global $key *key_residual_scale(global uchar *tile, uint token) {
                return (global $key *) (tile + KEY_RESIDUAL_SCALES) + token % LANES * KEY_COLUMNS + token / LANES;
            }
            """).with("index", layout.channels().elementBytes() == 1 ? "uchar" : "ushort"));
        plan.device().values().ifPresent(layout -> text.add("""

            static global $valueResidual *value_residual(global uchar *values, uint slot, uint channel) {
                return (global $valueResidual *) (values + VALUE_RESIDUALS
                        + value_place(VALUE_RESIDUAL_STREAM, slot, channel, sizeof($valueResidual)));
            }

            /* Place of a number for each channel, in lane order. */
            static uint in_lane_order(uint channel) {
                uint lane = channel / LANES / VALUE_COLUMNS * LANES + channel % LANES;
                return lane * VALUE_COLUMNS + channel / LANES % VALUE_COLUMNS;
            }

            static global uchar *value_index(global uchar *values, uint slot, uint channel) {
                return values + VALUE_INDICES + value_place(VALUE_INDEX_STREAM, slot, channel, 1);
            }
            """).addIf(layout.signed(), """

            /* Bit b of word w is token 16 w + b % 16 + b / 16 * 32. */
            static global uint *value_signs(global uchar *values, uint word, uint channel) {
                return (global uint *) (values + VALUE_SIGNS) + channel * 2 + word;
            }

            static uint token_of_bit(uint word, uint bit) {
                return word * 16 + bit % 16 + bit / 16 * 32;
            }

            static global $value *value_amplitude(global uchar *values, uint channel) {
                return (global $value *) (values + VALUE_AMPLITUDES) + in_lane_order(channel);
            }
            """).addIf(layout.quantised(), """

            static global $value *value_residual_scale(global uchar *values, uint channel) {
                return (global $value *) (values + VALUE_RESIDUAL_SCALES) + in_lane_order(channel);
            }
            """));
        PruningModel keys = plan.model().keys();
        PruningModel values = plan.model().values();
        return text.with("keyResidual", StoredNumber.of(keys.format()).type())
                .with("key", StoredNumber.of(keys.plainFormat()).type())
                .with("valueResidual", StoredNumber.of(values.format()).type())
                .with("value", StoredNumber.of(values.plainFormat()).type())
                .toString();
    }
}
