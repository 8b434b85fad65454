package dev.attune.processor.emit.opencl;

import dev.attune.annotations.ChannelWeight;
import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.OpenClPlan;

/**
 * Writes channel scoring, and the pruning and packing of keys and values. Operations and their order are those of the
 * scalar Java kernels, so that the bytes are the same.
 */
final class PackText {

    private static final String SKIP_KEPT = """
                if (magnitude > threshold) {
                    continue;
                }
                if (magnitude == threshold && equal > 0) {
                    equal--;
                    continue;
                }
        """;

    private static final String SKIP_PRUNED = """
                if (magnitude < threshold) {
                    continue;
                }
                if (magnitude == threshold) {
                    if (ties == 0) {
                        continue;
                    }
                    ties--;
                }
        """;

    private final OpenClPlan plan;
    private final StoredNumber keyNumber;
    private final StoredNumber valueNumber;
    private final StoredNumber keyResidual;
    private final StoredNumber valueResidual;

    private PackText(OpenClPlan plan) {
        this.plan = plan;
        this.keyNumber = StoredNumber.of(plan.model().keys().plainFormat());
        this.valueNumber = StoredNumber.of(plan.model().values().plainFormat());
        this.keyResidual = StoredNumber.of(plan.model().keys().format());
        this.valueResidual = StoredNumber.of(plan.model().values().format());
    }

    static String write(OpenClPlan plan) {
        return new PackText(plan).write();
    }

    private String write() {
        DeviceLayout device = plan.device();
        StringBuilder text = new StringBuilder();
        text.append(nearest());
        text.append(scoreChannels());
        if (plan.layout().hasAmplitudes()) {
            text.append(sumOfPartialSums());
        }
        if (keyResidual.quantised() || valueResidual.quantised()) {
            text.append(toMultiple());
        }
        device.keys().ifPresent(keys -> text.append(pruneKey(keys)));
        text.append(packKeys());
        device.values().ifPresent(values -> text.append(pruneChannel(values)));
        text.append(packValues());
        return text.toString();
    }

    private static String nearest() {
        return """

            /*
             * The float nearest to the quotient. OpenCL's division may miss it by a few units in the last place; of the
             * floats around, the nearest leaves the smallest remainder.
             */
            static float nearest_quotient(float dividend, float divisor) {
                float estimate = dividend / divisor;
                float nearest = estimate;
                float least = fabs(fma(-estimate, divisor, dividend));
                for (int step = -3; step <= 3; step++) {
                    float candidate = as_float(as_int(estimate) + step);
                    float remainder = fabs(fma(-candidate, divisor, dividend));
                    if (remainder < least) {
                        least = remainder;
                        nearest = candidate;
                    }
                }
                return nearest;
            }

            /* The float nearest to the square root, likewise. */
            static float nearest_root(float square) {
                float estimate = sqrt(square);
                float nearest = estimate;
                float least = fabs(fma(-estimate, estimate, square));
                for (int step = -3; step <= 3; step++) {
                    float candidate = as_float(as_int(estimate) + step);
                    float remainder = fabs(fma(-candidate, candidate, square));
                    if (remainder < least) {
                        least = remainder;
                        nearest = candidate;
                    }
                }
                return nearest;
            }
            """;
    }

    private String scoreChannels() {
        OpenClText text = OpenClText.of("""

            /*
             * $weight; scale s_j = sqrt(n_j).
             * A weight of zero is raised to a millionth of the largest, so that queries can be divided by every scale.
             * One work-group per key-value head.
             */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void score_channels(
                    global const float *queries, global float *scales, int positions, global int *receipt, int launch) {
            """);
        if (plan.device().keys().isEmpty()) {
            return text.add("""
                        // Dense keys need no scales.
                        global float *own = scales + get_group_id(0) * HEAD_DIM;
                        for (uint channel = get_local_id(0); channel < HEAD_DIM; channel += TILE_TOKENS) {
                            own[channel] = 1;
                        }
                        sign(receipt, launch);
                    }
                    """)
                    .with("weight", "Channel weight n_j = 1")
                    .toString();
        }
        boolean mean = plan.model().keys().channelWeight() == ChannelWeight.MEAN;
        return text.add("""
                local float largest_of[TILE_TOKENS];
                uint item = get_local_id(0);
                queries += (size_t) get_group_id(0) * GROUP_SIZE * positions * HEAD_DIM;
                scales += get_group_id(0) * HEAD_DIM;
                float largest = 0;
                for (uint channel = item; channel < HEAD_DIM; channel += TILE_TOKENS) {
                    float squares = 0;
                    for (int position = 0; position < positions; position++) {
            """)
                .addIf(mean, """
                                float sum = 0;
                                for (int query = 0; query < GROUP_SIZE; query++) {
                                    sum += queries[(query * positions + position) * HEAD_DIM + channel];
                                }
                                float mean = nearest_quotient(sum, GROUP_SIZE);
                                squares += mean * mean;
                            }
                            float weight = nearest_root(squares);
                    """)
                .addIf(!mean, """
                                for (int query = 0; query < GROUP_SIZE; query++) {
                                    float entry = queries[(query * positions + position) * HEAD_DIM + channel];
                                    squares += entry * entry;
                                }
                            }
                            float weight = nearest_root(nearest_quotient(squares, GROUP_SIZE * positions));
                    """)
                .add("""
                            scales[channel] = weight;
                            largest = fmax(largest, weight);
                        }
                        largest_of[item] = largest;
                        barrier(CLK_LOCAL_MEM_FENCE);
                        for (uint other = 0; other < TILE_TOKENS; other++) {
                            largest = fmax(largest, largest_of[other]);
                        }
                        float least = largest > 0 ? largest * 1e-6f : 1;
                        for (uint channel = item; channel < HEAD_DIM; channel += TILE_TOKENS) {
                            scales[channel] = nearest_root(fmax(scales[channel], least));
                        }
                        sign(receipt, launch);
                    }
                    """)
                .with(
                        "weight",
                        mean
                                ? "Channel weight n_j = || mean over the G heads of q[g][p][j] ||_2 over the positions"
                                        + " p"
                                : "Channel weight n_j = root mean square of q[g][p][j] over heads and positions")
                .toString();
    }

    private static String sumOfPartialSums() {
        return """

            /* Adds 16 partial sums pairwise: the order that all backends follow. */
            static float sum_of_partial_sums(float *partial_sums) {
                for (int half_of_them = 8; half_of_them > 0; half_of_them /= 2) {
                    for (int i = 0; i < half_of_them; i++) {
                        partial_sums[i] += partial_sums[i + half_of_them];
                    }
                }
                return partial_sums[0];
            }
            """;
    }

    /** Finds the smallest magnitude to keep, and how many of those that equal it are kept. */
    private static String smallestToKeep(String entry, String count, String index, String kept) {
        return """
                // The smallest magnitude to keep, from its highest bit down: magnitudes are ordered as their bits are.
                uint threshold = 0;
                for (uint bit = 1u << 30; bit > 0; bit >>= 1) {
                    int reaching = 0;
                    for (uint INDEX = 0; INDEX < COUNT; INDEX++) {
                        reaching += magnitude_bits(ENTRY) >= (threshold | bit);
                    }
                    if (reaching >= KEPT) {
                        threshold |= bit;
                    }
                }
                int ties = KEPT;
                for (uint INDEX = 0; INDEX < COUNT; INDEX++) {
                    ties -= magnitude_bits(ENTRY) > threshold;
                }
            """.replace("ENTRY", entry).replace("COUNT", count).replace("INDEX", index).replace("KEPT", kept);
    }

    private String pruneKey(DeviceLayout.Keys keys) {
        return OpenClText.of("""

            /* Keeps the channels of one token with the largest |deviation|; of equal ones, the lower first. */
            static void prune_key(global const float *deviations, global uchar *tile, uint token) {
            """)
                .add(smallestToKeep("deviations[channel]", "HEAD_DIM", "channel", "KEPT_CHANNELS"))
                .addIf(keys.signed(), """

                        // Amplitude of the pruned channels: their root mean square.
                        float partial_sums[16] = {0};
                        int equal = ties;
                        for (uint channel = 0; channel < HEAD_DIM; channel++) {
                            float deviation = deviations[channel];
                            uint magnitude = magnitude_bits(deviation);
                    """ + SKIP_KEPT + """
                            partial_sums[channel % 16] += deviation * deviation;
                        }
                        float mean_square = nearest_quotient(sum_of_partial_sums(partial_sums), PRUNED_CHANNELS);
                        $store(key_amplitude(tile, token), nearest_root(mean_square));
                        float amplitude = $load(key_amplitude(tile, token));
                        uint signs = 0;
                        for (uint channel = 0; channel < HEAD_DIM; channel++) {
                            signs |= (uint) (deviations[channel] > 0) << channel % 32;
                            if (channel % 32 == 31 || channel == HEAD_DIM - 1) {
                                *key_signs(tile, channel / 32, token) = signs;
                                signs = 0;
                            }
                        }
                    """)
                .add("""

                        // Kept channels in ascending order.
                    """)
                .addIf(keyResidual.quantised(), """
                        float residuals[KEPT_CHANNELS];
                    """)
                .add("""
                        uint slot = 0;
                        for (uint channel = 0; channel < HEAD_DIM; channel++) {
                            float deviation = deviations[channel];
                            uint magnitude = magnitude_bits(deviation);
                    """ + SKIP_PRUNED + """
                            *key_index(tile, slot, token) = channel;
                    """)
                .addIf(keys.signed(), """
                                float restored = deviation > 0 ? amplitude : -amplitude;
                        """ + storeResidual(keyResidual, "key_residual(tile, slot, token)", "deviation - restored"))
                .addIf(!keys.signed(), storeResidual(keyResidual, "key_residual(tile, slot, token)", "deviation"))
                .add("""
                            slot++;
                        }
                    """)
                .addIf(keyResidual.quantised(), quantise(keyResidual, "KEPT_CHANNELS", "key", "token"))
                .add("}\n")
                .with("load", keyNumber.load())
                .with("store", keyNumber.store())
                .toString();
    }

    /** Returns the statement that stores a residual, or puts it by until all that share a scale are known. */
    private static String storeResidual(StoredNumber format, String place, String residual) {
        return "        " + (format.quantised()
                ? "residuals[slot] = " + residual + ";\n"
                : format.store() + "(" + place + ", " + residual + ");\n");
    }

    /** Stores the residuals that were put by as multiples of the scale they share. */
    private static String quantise(StoredNumber format, String kept, String side, String owner) {
        String scaled = """

                // Residuals as multiples of the scale they share, as it is stored.
                float largest = 0;
                for (uint i = 0; i < KEPT; i++) {
                    largest = fmax(largest, fabs(residuals[i]));
                }
                $store(SIDE_residual_scale(tile, OWNER), nearest_quotient(largest, LIMIT));
                float residual_scale = $load(SIDE_residual_scale(tile, OWNER));
            """;
        String stored = format == StoredNumber.INT4 ? """
                for (uint i = 0; i < KEPT; i += 2) {
                    int lower = to_multiple(residuals[i], residual_scale, LIMIT);
                    int upper = i + 1 < KEPT ? to_multiple(residuals[i + 1], residual_scale, LIMIT) : 0;
                    *SIDE_residual(tile, i / 2, OWNER) = lower & 15 | upper << 4;
                }
            """ : """
                for (uint i = 0; i < KEPT; i++) {
                    *SIDE_residual(tile, i, OWNER) = to_multiple(residuals[i], residual_scale, LIMIT);
                }
            """;
        return (scaled + stored)
                .replace("KEPT", kept)
                .replace("SIDE", side)
                .replace("OWNER", owner)
                .replace("LIMIT", Integer.toString(format.limit()));
    }

    private static String toMultiple() {
        return """

            /* Rounds a residual to a multiple of its scale, ties to even; to none of a scale of zero. */
            static int to_multiple(float residual, float scale, int limit) {
                return scale == 0 ? 0 : clamp((int) rint(nearest_quotient(residual, scale)), -limit, limit);
            }
            """;
    }

    private String packKeys() {
        boolean pruned = plan.device().keys().isPresent();
        boolean centred = plan.device().keys().map(DeviceLayout.Keys::centred).orElse(false);
        return OpenClText.of("""

            /*
             * $meaning
             * One work-group per tile. The keys [heads][count][TILE_TOKENS][HEAD_DIM] are overwritten.
             */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void pack_keys(
                    global float *keys, global const float *scales, global uchar *packed, int first, int count,
                    int stride, global int *receipt, int launch) {
                uint item = get_local_id(0);
                uint head = get_group_id(0) / count;
                global float *rows = keys + (size_t) get_group_id(0) * TILE_TOKENS * HEAD_DIM;
                global uchar *tile =
                        packed + ((size_t) head * stride + first + get_group_id(0) % count) * TILE_BYTES;
            """)
                .addIf(pruned, """
                        for (uint channel = item; channel < HEAD_DIM; channel += TILE_TOKENS) {
                            float scale = scales[head * HEAD_DIM + channel];
                    """)
                .addIf(centred, """
                            float sum = 0;
                            for (uint token = 0; token < TILE_TOKENS; token++) {
                                sum += rows[token * HEAD_DIM + channel] * scale;
                            }
                            $store(key_mean(tile, channel), sum / TILE_TOKENS);
                            float mean = $load(key_mean(tile, channel));
                            for (uint token = 0; token < TILE_TOKENS; token++) {
                                rows[token * HEAD_DIM + channel] = rows[token * HEAD_DIM + channel] * scale - mean;
                            }
                    """)
                .addIf(pruned && !centred, """
                            for (uint token = 0; token < TILE_TOKENS; token++) {
                                rows[token * HEAD_DIM + channel] *= scale;
                            }
                    """)
                .addIf(pruned, """
                        }
                        barrier(CLK_GLOBAL_MEM_FENCE);
                        prune_key(rows + item * HEAD_DIM, tile, item);
                    """)
                .addIf(!pruned, """
                        for (uint channel = 0; channel < HEAD_DIM; channel++) {
                            $store(dense_key(tile, channel, item), rows[item * HEAD_DIM + channel]);
                        }
                    """)
                .add("""
                        sign(receipt, launch);
                    }
                    """)
                .with("load", keyNumber.load())
                .with("store", keyNumber.store())
                .with(
                        "meaning",
                        pruned
                                ? centred
                                        ? "Packs scaled keys k'_tj = k_tj * s_j, less the channel's mean over the tile,"
                                                + " as it is stored."
                                        : "Packs scaled keys k'_tj = k_tj * s_j."
                                : "Keys are dense: nothing is pruned.")
                .toString();
    }

    private String pruneChannel(DeviceLayout.Values values) {
        return OpenClText.of("""

            /* Keeps the tokens of one channel with the largest |value|; of equal ones, the earlier first. */
            static void prune_channel(global const float *rows, global uchar *tile, uint channel) {
            """)
                .add(smallestToKeep("rows[token * HEAD_DIM + channel]", "TILE_TOKENS", "token", "KEPT_TOKENS"))
                .addIf(values.signed(), """

                        // Amplitude of the pruned tokens: their mean magnitude.
                        float partial_sums[16] = {0};
                        int equal = ties;
                        for (uint token = 0; token < TILE_TOKENS; token++) {
                            float value = rows[token * HEAD_DIM + channel];
                            uint magnitude = magnitude_bits(value);
                    """ + SKIP_KEPT + """
                            partial_sums[token % 16] += fabs(value);
                        }
                        float mean = nearest_quotient(sum_of_partial_sums(partial_sums), PRUNED_TOKENS);
                        $store(value_amplitude(tile, channel), mean);
                        float amplitude = $load(value_amplitude(tile, channel));
                        for (uint word = 0; word < TILE_TOKENS / 32; word++) {
                            uint signs = 0;
                            for (uint bit = 0; bit < 32; bit++) {
                                signs |= (uint) (rows[token_of_bit(word, bit) * HEAD_DIM + channel] > 0) << bit;
                            }
                            *value_signs(tile, word, channel) = signs;
                        }
                    """)
                .add("""

                        // Kept tokens in ascending order.
                    """)
                .addIf(valueResidual.quantised(), """
                        float residuals[KEPT_TOKENS];
                    """)
                .add("""
                        uint slot = 0;
                        for (uint token = 0; token < TILE_TOKENS; token++) {
                            float value = rows[token * HEAD_DIM + channel];
                            uint magnitude = magnitude_bits(value);
                    """ + SKIP_PRUNED + """
                            *value_index(tile, slot, channel) = token;
                    """)
                .addIf(values.signed(), """
                                float restored = value > 0 ? amplitude : -amplitude;
                        """ + storeResidual(valueResidual, "value_residual(tile, slot, channel)", "value - restored"))
                .addIf(!values.signed(), storeResidual(valueResidual, "value_residual(tile, slot, channel)", "value"))
                .add("""
                            slot++;
                        }
                    """)
                .addIf(valueResidual.quantised(), quantise(valueResidual, "KEPT_TOKENS", "value", "channel"))
                .add("}\n")
                .with("load", valueNumber.load())
                .with("store", valueNumber.store())
                .toString();
    }

    private String packValues() {
        boolean pruned = plan.device().values().isPresent();
        return OpenClText.of("""

            /*
             * $meaning
             * One work-group per tile of values [heads][count][TILE_TOKENS][HEAD_DIM].
             */
            kernel __attribute__((reqd_work_group_size(TILE_TOKENS, 1, 1)))
            void pack_values(
                    global const float *values, global uchar *packed, int first, int count, int stride,
                    global int *receipt, int launch) {
                uint head = get_group_id(0) / count;
                global const float *rows = values + (size_t) get_group_id(0) * TILE_TOKENS * HEAD_DIM;
                global uchar *tile =
                        packed + ((size_t) head * stride + first + get_group_id(0) % count) * TILE_BYTES + VALUES;
                for (uint channel = get_local_id(0); channel < HEAD_DIM; channel += TILE_TOKENS) {
            """)
                .addIf(pruned, """
                            prune_channel(rows, tile, channel);
                    """)
                .addIf(!pruned, """
                            for (uint token = 0; token < TILE_TOKENS; token++) {
                                $store(dense_value(tile, channel, token), rows[token * HEAD_DIM + channel]);
                            }
                    """)
                .add("""
                        }
                        sign(receipt, launch);
                    }
                    """)
                .with("store", valueNumber.store())
                .with("meaning", pruned ? "Prunes and packs values." : "Values are dense: nothing is pruned.")
                .toString();
    }
}
