// The decode step for any device whose work-items have registers for their part of a tile.
//
// A work-group is 32 work-items, its lanes, with one tile of 64 tokens in hand at a time. A lane loads all it
// needs of a tile by wide loads, values while the scores are being summed and the next keys while the values
// are. What is looked up of a channel, or of a token, lies side by side in local memory for the heads of the
// pass. Where that is bfloat16, the time goes into issuing instructions, and what costs fewer is preferred.

#define ROWS_AHEAD 8 // rows of a dense tile asked for at a time
#define RISE 4       // a softmax is relative to a score that is raised when another exceeds it by this (log2)
#define SCORE_SCALE (M_LOG2E_F / sqrt((float) HEAD_DIM)) // scores are exponents of 2

// ---- a lane's part of a stream

/* Loads the words of a stream: rows of four words a lane, then of two and of one. */
static inline void load_stream(uint *to, const global uchar *from, uint lane, int words) {
    #pragma unroll
    for (int w = 0; w + 4 <= words; w += 4) {
        const uint4 row = ((const global uint4 *) (from + w * 4 * LANES))[lane];
        to[w] = row.x;
        to[w + 1] = row.y;
        to[w + 2] = row.z;
        to[w + 3] = row.w;
    }
    if (words & 2) {
        const int w = words & ~3;
        const uint2 row = ((const global uint2 *) (from + w * 4 * LANES))[lane];
        to[w] = row.x;
        to[w + 1] = row.y;
    }
    if (words & 1) {
        to[words - 1] = ((const global uint *) (from + (words - 1) * 4 * LANES))[lane];
    }
}

/* Loads words that follow each other, those of one place after those of the place before. */
static inline void load_words(uint *to, const global uchar *from, uint place, int words) {
    const global uint *at = (const global uint *) from + place * words;
    #pragma unroll
    for (int w = 0; w < words; w += words % 4 == 0 ? 4 : words % 2 == 0 ? 2 : 1) {
        if (words % 4 == 0) {
            const uint4 four = *(const global uint4 *) (at + w);
            to[w] = four.x;
            to[w + 1] = four.y;
            to[w + 2] = four.z;
            to[w + 3] = four.w;
        } else if (words % 2 == 0) {
            const uint2 two = *(const global uint2 *) (at + w);
            to[w] = two.x;
            to[w + 1] = two.y;
        } else {
            to[w] = at[w];
        }
    }
}

/* Loads numbers that follow each other, likewise. */
static inline void load_numbers(uint *to, const global uchar *from, uint place, int count, int bytes) {
    if (count * bytes % 4 == 0) {
        load_words(to, from, place, count * bytes / 4);
    } else {
        to[0] = ((const global ushort *) from)[place]; // one number of two bytes
    }
}

/* Entry e of a stream of indices of so many bytes, times 2^shift: one shift and one mask. */
static inline uint index_at(const uint *words, int e, int bytes, int shift) {
    const uint word = words[e * bytes / 4];
    const int bit = e * bytes % 4 * 8;
    return (bit < shift ? word << (shift - bit) : word >> (bit - shift)) & ((1u << 8 * bytes) - 1) << shift;
}

#if !VALUES_DENSE
/* The same of tokens, which leave a byte's highest two bits clear: below a word's last byte nothing is masked. */
static inline uint token_at(const uint *words, int e, int shift) {
    return e % 4 == 3 && shift <= 2 ? words[e / 4] >> (24 - shift) : index_at(words, e, 1, shift);
}

#endif
#if SIGNS
/* Bits 4 n to 4 n + 3 of a word, times 2^shift. */
static inline uint nibble_at(uint word, int n, int shift) {
    return (4 * n < shift ? word << (shift - 4 * n) : word >> (4 * n - shift)) & 15u << shift;
}

#endif
// ---- tables of the heads' numbers

#if PAIRS
/*
 * Two bfloat16 in a word: the low one in its low half, and the whole word, read as a float, as near to the high
 * one as can be. So taking the high one out costs nothing.
 */
static inline uint pack_pair(float low, float high) {
    const uint l = (as_uint(low) + 0x8000u) >> 16;
    const uint h = (as_uint(high) & 0x7fff0000u) == 0 ? 0 : as_uint(high) + 0x8000u - l;
    return (h & 0xffff0000u) | l;
}

/* The heads' numbers in a table, in pairs. */
typedef uint2 packed_heads;

static inline packed_heads pack(heads x) {
    return (uint2) (pack_pair(x.x, x.y), pack_pair(x.z, x.w));
}

/*
 * Takes them out. The low one of a pair comes from a multiplication by 2^16 that compilers do not recognise as a
 * shift: taking indices and signs out of words keeps the units busy that shift.
 */
static inline heads unpack_by(packed_heads x, uint to_high_half) {
    return (heads) (as_float(x.x * to_high_half), as_float(x.x), as_float(x.y * to_high_half), as_float(x.y));
}

#define unpack(x) unpack_by(x, to_high_half)
#define unpack_pair(x) ((float2) (as_float((x) * to_high_half), as_float(x)))

// The weights of the tile's tokens. Pairs are in two tables: of 64 words at most two share a bank, whatever is
// looked up.
#define WEIGHT_SHIFT 2

/* The same of weights: none is negative, or much above 2^RISE. */
static inline uint pack_weights(float low, float high) {
    const uint l = (as_uint(low) + 0x8000u) >> 16;
    return ((as_uint(high) + 0x8000u - l) & 0xffff0000u) | l;
}

static inline void put_weights(local uint *weights, uint token, heads p) {
    weights[token] = pack_weights(p.x, p.y);
    weights[TILE_TOKENS + token] = pack_weights(p.z, p.w);
}

static inline packed_heads packed_weights_at(const local uint *weights, uint offset) {
    const local uint *at = (const local uint *) ((const local uchar *) weights + offset);
    return (uint2) (at[0], at[TILE_TOKENS]);
}

#define weights_at(weights, offset) unpack(packed_weights_at(weights, offset))
#else
/* The heads' numbers in a table. */
typedef heads packed_heads;

#define pack(x) (x)
#define unpack(x) (x)

// The weights of the tile's tokens.
#define WEIGHT_SHIFT ENTRY_SHIFT

static inline void put_weights(local heads *weights, uint token, heads p) {
    weights[token] = p;
}

static inline heads weights_at(const local heads *weights, uint offset) {
    return *(const local heads *) ((const local uchar *) weights + offset);
}
#endif

static inline packed_heads entry_at(const local packed_heads *table, uint offset) {
    return *(const local packed_heads *) ((const local uchar *) table + offset);
}
#if SIGNS
#if !PAIRS

/* Eight of the 16 sums +-p0 +-p1 +-p2 +-p3, a set bit of the place meaning plus: bit 3 is clear, or set. */
static inline void signed_sums(const heads *p, int upper, heads *eight) {
    const heads a = p[0] + p[1], b = p[0] - p[1], c = upper ? p[3] : -p[3], x = c + p[2], y = c - p[2];
    eight[0] = y - a;
    eight[1] = y + b;
    eight[2] = y - b;
    eight[3] = y + a;
    eight[4] = x - a;
    eight[5] = x + b;
    eight[6] = x - b;
    eight[7] = x + a;
}

typedef heads sign_sum;

#define empty_sum(entries) 0
#else

// Signed sums are integers of 16 bits, two to a word: two additions add up four. A float of 1.5 * 2^23 and more
// holds its integer part in its low bits; what else it holds is taken from a sum of entries at once, see empty_sum.
#define ROUNDING 0x1.8p23f

/* The unit of sums that stay within 16 bits then, a power of two: between 1/32000 and 1/16000 of the largest. */
static inline float unit_of(float largest_sum) {
    return as_float(as_uint(fmax(largest_sum, 1e-30f) / 16000) & 0x7f800000);
}

/* One by a power of two. */
static inline float inverse(float power_of_two) {
    return as_float(0x7f000000 - as_uint(power_of_two));
}

/*
 * Fills a table, of two heads, with the 16 sums +-p0 +-p1 +-p2 +-p3: a set bit of the place means plus. Half of
 * them are the others' negatives.
 */
static inline void put_signed_sums(local uint *table, const float2 *p, float2 per_unit) {
    const float2 a = p[0] + p[1], b = p[0] - p[1], x = p[3] + p[2], y = p[3] - p[2];
    float2 eight[8];
    eight[0] = y - a;
    eight[1] = y + b;
    eight[2] = y - b;
    eight[3] = y + a;
    eight[4] = x - a;
    eight[5] = x + b;
    eight[6] = x - b;
    eight[7] = x + a;
    #pragma unroll
    for (int i = 0; i < 8; i++) {
        const float2 rounded = eight[i] * per_unit + ROUNDING;
        const uint entry = as_uint(rounded.x) + (as_uint(rounded.y) << 16);
        table[2 * (8 + i)] = entry;
        table[2 * (7 - i)] = 2 * as_uint(ROUNDING) - entry;
    }
}

/*
 * Takes four sums out; the high one of a word is times 2^16, and the low one is left in it: half a unit at most,
 * less than rounding the entries adds up to.
 */
static inline heads unpack_integers(uint2 sum) {
    return (heads) ((float) (short) sum.x, (float) (int) sum.x, (float) (short) sum.y, (float) (int) sum.y);
}

typedef uint2 sign_sum;

/* What a sum of so many entries starts from. */
static inline sign_sum empty_sum(int entries) {
    return -entries * as_uint(ROUNDING);
}
#endif
#endif

// ---- a lane's part of a packed tile

#if !KEYS_DENSE
typedef struct {
    uint indices[KEY_INDEX_STREAM / 4], residuals[KEY_RESIDUAL_STREAM / 4];
#if CENTRED_KEYS
    uint means[PADDED_CHANNELS / 8 * KEY_NUMBER_BYTES / 4];
#endif
#if SIGNED_KEYS
    uint signs[KEY_COLUMNS][PADDED_CHANNELS / 32], amplitudes[KEY_COLUMNS * KEY_NUMBER_BYTES / 4];
#endif
#if QUANTISED_KEYS
    uint residual_scales[KEY_COLUMNS * KEY_NUMBER_BYTES / 4];
#endif
} keys_of_lane;

static inline void load_keys(keys_of_lane *keys, const global uchar *tile, uint lane) {
    load_stream(keys->indices, tile + KEY_INDICES, lane, KEY_INDEX_STREAM / 4);
    load_stream(keys->residuals, tile + KEY_RESIDUALS, lane, KEY_RESIDUAL_STREAM / 4);
#if CENTRED_KEYS
    load_words(keys->means, tile + KEY_MEANS, lane / 4, PADDED_CHANNELS / 8 * KEY_NUMBER_BYTES / 4);
#endif
#if SIGNED_KEYS
    #pragma unroll
    for (int k = 0; k < KEY_COLUMNS; k++) {
        load_words(keys->signs[k], tile + KEY_SIGNS, lane + LANES * k, PADDED_CHANNELS / 32);
    }
    load_numbers(keys->amplitudes, tile + KEY_AMPLITUDES, lane, KEY_COLUMNS, KEY_NUMBER_BYTES);
#endif
#if QUANTISED_KEYS
    load_numbers(keys->residual_scales, tile + KEY_RESIDUAL_SCALES, lane, KEY_COLUMNS, KEY_NUMBER_BYTES);
#endif
}

#endif
#if !VALUES_DENSE
/* Of one group of channels. */
typedef struct {
    uint indices[VALUE_INDEX_STREAM / 4], residuals[VALUE_RESIDUAL_STREAM / 4];
#if SIGNED_VALUES
    uint signs[VALUE_COLUMNS][2], amplitudes[(VALUE_COLUMNS * VALUE_NUMBER_BYTES + 3) / 4];
#endif
#if QUANTISED_VALUES
    uint residual_scales[(VALUE_COLUMNS * VALUE_NUMBER_BYTES + 3) / 4];
#endif
} values_of_lane;

static inline void load_values(values_of_lane *values, const global uchar *tile, uint group, uint lane) {
    const global uchar *part = tile + VALUES;
    load_stream(
            values->indices, part + VALUE_INDICES + group * LANES * VALUE_INDEX_STREAM, lane,
            VALUE_INDEX_STREAM / 4);
    load_stream(
            values->residuals, part + VALUE_RESIDUALS + group * LANES * VALUE_RESIDUAL_STREAM, lane,
            VALUE_RESIDUAL_STREAM / 4);
#if SIGNED_VALUES
    #pragma unroll
    for (int k = 0; k < VALUE_COLUMNS; k++) {
        load_words(values->signs[k], part + VALUE_SIGNS, LANES * (VALUE_COLUMNS * group + k) + lane, 2);
    }
    load_numbers(
            values->amplitudes, part + VALUE_AMPLITUDES, LANES * group + lane, VALUE_COLUMNS, VALUE_NUMBER_BYTES);
#endif
#if QUANTISED_VALUES
    load_numbers(
            values->residual_scales, part + VALUE_RESIDUAL_SCALES, LANES * group + lane, VALUE_COLUMNS,
            VALUE_NUMBER_BYTES);
#endif
}

#endif
// ---- the decode step

/*
 * The decode step over one split of the tokens, for the query heads of one pass. Work-groups are
 * [heads][PASSES][splits]; a split takes dense tiles before packed ones. A lane scores tokens and then sums values
 * of channels; the weights pass from one to the other in local memory.
 *
 * Partial results are [heads][PASSES][splits]: sums of values [HEAD_DIM], the score they are relative to, and the
 * sum of the weights, each for the HEADS of the pass.
 */
kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void attend(
        global const float *queries, global const float *scales, global const uchar *packed,
        global const uchar *dense, global heads *partials, int packed_tokens, int dense_tokens,
        int packed_stride, int dense_stride, int splits, global int *receipt, int launch) {
    local heads dense_query[PADDED_CHANNELS];
    local heads lanes[LANES]; // one result of every lane
    local int raised[2];
#if PAIRS
    local uint weights[2 * TILE_TOKENS];
#else
    local heads weights[TILE_TOKENS];
#endif
#if !KEYS_DENSE
    local packed_heads query[PADDED_CHANNELS];
#endif
#if PAIRS && CENTRED_KEYS
    local float4 mean_query[HEADS][PADDED_CHANNELS / 4 + 1]; // a head's numbers, four channels an entry, and a gap
#endif
#if SIGNED_KEYS
    local packed_heads query_sums[PADDED_CHANNELS / 4 * 16]; // signed sums of four channels
#endif
#if SIGNED_VALUES
    local packed_heads weight_sums[16 * 17]; // of four tokens; the gap spreads what lanes write over the banks
#endif

    const uint lane = get_local_id(0);
#if PAIRS
    const uint to_high_half = 65536u + ((uint) splits >> 31); // 2^16: there are fewer splits
#endif
    const uint split = get_group_id(0) % splits;
    const uint pass = get_group_id(0) / splits % PASSES;
    const uint head = get_group_id(0) / splits / PASSES;
    queries += head * GROUP_SIZE * HEAD_DIM;
    scales += head * HEAD_DIM;
    packed += (size_t) head * packed_stride * TILE_BYTES;
    dense += (size_t) head * dense_stride * DENSE_TILE_BYTES;
    const int dense_tiles = (dense_tokens + TILE_TOKENS - 1) / TILE_TOKENS;
    const int tiles = dense_tiles + (packed_tokens + TILE_TOKENS - 1) / TILE_TOKENS;
    const int begin = (long) tiles * split / splits;
    const int end = (long) tiles * (split + 1) / splits;

    // The queries: dense keys are not scaled, packed ones are.
#if PAIRS && SIGNED_KEYS
    heads norm = 0;
#endif
    for (uint channel = lane; channel < PADDED_CHANNELS; channel += LANES) {
        const heads q = channel < HEAD_DIM ? query_of(queries, pass, channel) * SCORE_SCALE : (heads) (0);
        dense_query[channel] = q;
#if !KEYS_DENSE
        const heads u = channel < HEAD_DIM ? q / scales[channel] : q;
        query[channel] = pack(u);
#endif
#if PAIRS && CENTRED_KEYS
        #pragma unroll
        for (int g = 0; g < HEADS; g++) {
            ((local float *) mean_query[g])[channel] = ((const float *) &u)[g];
        }
#endif
#if PAIRS && SIGNED_KEYS
        norm += fabs(u);
#endif
    }
#if PAIRS && SIGNED_KEYS
    lanes[lane] = norm;
#endif
    if (lane < 2) {
        raised[lane] = 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#if !KEYS_DENSE
    keys_of_lane keys;
    if (end > dense_tiles) {
        load_keys(&keys, packed + (size_t) (max(begin, dense_tiles) - dense_tiles) * TILE_BYTES, lane);
    }
#endif
#if PAIRS && SIGNED_KEYS
    // Signed sums of 16 bits, two to a word, in a unit that keeps the sum over all channels within 16 bits.
    norm = 0;
    for (int i = 0; i < LANES; i++) {
        norm += lanes[i];
    }
    const float largest_norm = fmax(fmax(norm.x, norm.y), fmax(norm.z, norm.w));
    const float unit = unit_of(largest_norm);
    const heads units = (heads) (unit, unit * 0x1p-16f, unit, unit * 0x1p-16f);
    for (uint i = lane; i < PADDED_CHANNELS / 2; i += LANES) {
        const uint four = i / 2, pair = i % 2;
        float2 p[4];
        #pragma unroll
        for (int j = 0; j < 4; j++) {
            p[j] = unpack_pair(((const local uint *) query)[2 * (4 * four + j) + pair]);
        }
        put_signed_sums((local uint *) (query_sums + 16 * four) + pair, p, inverse(unit));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
#if !PAIRS && SIGNED_KEYS
    for (uint four = lane; four < PADDED_CHANNELS / 4; four += LANES) {
        heads p[4], eight[8];
        #pragma unroll
        for (int i = 0; i < 4; i++) {
            p[i] = query[4 * four + i];
        }
        #pragma unroll
        for (int upper = 0; upper < 2; upper++) {
            signed_sums(p, upper, eight);
            #pragma unroll
            for (int i = 0; i < 8; i++) {
                query_sums[four * 16 + upper * 8 + i] = eight[i];
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#endif

    heads reference = -FLT_MAX;
    heads sum_of_weights = 0;
    heads sums[VALUE_GROUPS * VALUE_COLUMNS];
    #pragma unroll
    for (int i = 0; i < VALUE_GROUPS * VALUE_COLUMNS; i++) {
        sums[i] = 0;
    }
    for (int tile = begin; tile < end; tile++) {
        const int is_dense = tile < dense_tiles;
        const global uchar *bytes = is_dense ? dense + (size_t) tile * DENSE_TILE_BYTES
                                             : packed + (size_t) (tile - dense_tiles) * TILE_BYTES;
        const int tokens = is_dense ? dense_tokens - tile * TILE_TOKENS
                                    : packed_tokens - (tile - dense_tiles) * TILE_TOKENS;

        // Scores of tokens lane and lane + LANES.
        heads scores[KEY_COLUMNS];
        scores[0] = scores[1] = 0;
#if !VALUES_DENSE
        values_of_lane values;
#endif
#if !KEYS_DENSE
        if (is_dense) {
#else
        {
#endif
            #pragma unroll ROWS_AHEAD
            for (int row = 0; row < DENSE_KEY_STREAM / 16; row++) {
                uint words[4];
                load_stream(words, bytes + row * 16 * LANES, lane, 4);
                #pragma unroll
                for (int j = 0; j < 8 / KEY_NUMBER_BYTES; j++) {
                    const heads q = dense_query[8 / KEY_NUMBER_BYTES * row + j];
                    scores[0] += KEY_NUMBER(words, j, 0, KEY_COLUMNS) * q;
                    scores[1] += KEY_NUMBER(words, j, 1, KEY_COLUMNS) * q;
                }
            }
        }
#if KEYS_DENSE && !VALUES_DENSE
        if (!is_dense) {
            load_values(&values, bytes, 0, lane);
        }
#endif
#if !KEYS_DENSE
        else {
#if CENTRED_KEYS
            // Lane 4 p + g has the p-th eighth of the means, for head g.
            float mean_term = 0;
#if PAIRS
            const local float4 *factors = mean_query[lane % HEADS] + lane / 4 * (PADDED_CHANNELS / 8 / 4);
            #pragma unroll
            for (int i = 0; i < PADDED_CHANNELS / 8; i += 4) {
                const float4 four = factors[i / 4];
                mean_term += KEY_NUMBER(keys.means, i, 0, 1) * four.x;
                mean_term += KEY_NUMBER(keys.means, i + 1, 0, 1) * four.y;
                mean_term += KEY_NUMBER(keys.means, i + 2, 0, 1) * four.z;
                mean_term += KEY_NUMBER(keys.means, i + 3, 0, 1) * four.w;
            }
#else
            const local float *factors =
                    (const local float *) (query + lane / 4 * (PADDED_CHANNELS / 8)) + lane % HEADS;
            #pragma unroll
            for (int i = 0; i < PADDED_CHANNELS / 8; i++) {
                mean_term += KEY_NUMBER(keys.means, i, 0, 1) * factors[i * HEADS];
            }
#endif
            if (lane % 4 < HEADS) {
                ((local float *) lanes)[lane / 4 * HEADS + lane % 4] = mean_term;
            }
#endif
            #pragma unroll
            for (int slot = 0; slot < KEPT_CHANNELS; slot++) {
                #pragma unroll
                for (int k = 0; k < KEY_COLUMNS; k++) {
                    const uint place =
                            index_at(keys.indices, KEY_COLUMNS * slot + k, KEY_INDEX_BYTES, ENTRY_SHIFT);
                    scores[k] += KEY_RESIDUAL(keys.residuals, slot, k, KEY_COLUMNS)
                            * unpack(entry_at(query, place));
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
#if !VALUES_DENSE
            // Not before most registers of the keys are free.
            load_values(&values, bytes, 0, lane);
#endif
#if QUANTISED_KEYS
            #pragma unroll
            for (int k = 0; k < KEY_COLUMNS; k++) {
                scores[k] *= KEY_NUMBER(keys.residual_scales, 0, k, KEY_COLUMNS);
            }
#endif
#if SIGNED_KEYS
            sign_sum signed_sums_of[KEY_COLUMNS];
            #pragma unroll
            for (int k = 0; k < KEY_COLUMNS; k++) {
                signed_sums_of[k] = empty_sum(PADDED_CHANNELS / 4);
            }
            #pragma unroll
            for (int n = 0; n < PADDED_CHANNELS / 4; n++) {
                #pragma unroll
                for (int k = 0; k < KEY_COLUMNS; k++) {
                    const uint signs = nibble_at(keys.signs[k][n / 8], n % 8, ENTRY_SHIFT);
                    signed_sums_of[k] += entry_at(query_sums, (n * 16 << ENTRY_SHIFT) + signs);
                }
            }
            #pragma unroll
            for (int k = 0; k < KEY_COLUMNS; k++) {
#if PAIRS
                const heads signed_sum = unpack_integers(signed_sums_of[k]) * units;
#else
                const heads signed_sum = signed_sums_of[k];
#endif
                scores[k] += KEY_NUMBER(keys.amplitudes, 0, k, KEY_COLUMNS) * signed_sum;
            }
#endif
#if CENTRED_KEYS
            heads mean_terms = lanes[0];
            #pragma unroll
            for (int p = 1; p < 8; p++) {
                mean_terms += lanes[p];
            }
            scores[0] += mean_terms;
            scores[1] += mean_terms;
#endif
        }
#endif
        if ((int) lane >= tokens) {
            scores[0] = -INFINITY;
        }
        if ((int) lane + LANES >= tokens) {
            scores[1] = -INFINITY;
        }

        // Weights relative to the reference. Two flags take turns: none is cleared while a lane still reads it.
        const int turn = tile & 1;
        const heads highest = fmax(scores[0], scores[1]);
        if (ANY(highest > reference + RISE)) {
            raised[turn] = 1;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const int raise = raised[turn];
        if (lane == 0) {
            raised[turn ^ 1] = 0;
        }
        if (raise) {
            lanes[lane] = highest;
            barrier(CLK_LOCAL_MEM_FENCE);
            heads higher = reference;
            for (int i = 0; i < LANES; i++) {
                higher = fmax(higher, lanes[i]);
            }
            const heads shrink = native_exp2(reference - higher);
            reference = higher;
            sum_of_weights *= shrink;
            #pragma unroll
            for (int i = 0; i < VALUE_GROUPS * VALUE_COLUMNS; i++) {
                sums[i] *= shrink;
            }
        }
        #pragma unroll
        for (int k = 0; k < KEY_COLUMNS; k++) {
            const heads weight = native_exp2(scores[k] - reference);
            sum_of_weights += weight;
            put_weights(weights, lane + LANES * k, weight);
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        // Sums of values.
#if !VALUES_DENSE
        if (is_dense) {
            const global uchar *rows = bytes + DENSE_VALUES;
#else
        {
            const global uchar *rows = bytes + (is_dense ? DENSE_VALUES : VALUES);
#endif
            #pragma unroll
            for (int group = 0; group < VALUE_GROUPS; group++) {
                #pragma unroll ROWS_AHEAD
                for (int row = 0; row < DENSE_VALUE_STREAM / 16; row++) {
                    uint words[4];
                    load_stream(words, rows + group * LANES * DENSE_VALUE_STREAM + row * 16 * LANES, lane, 4);
                    #pragma unroll
                    for (int e = 0; e < 16 / VALUE_NUMBER_BYTES; e++) {
                        const uint token = (16 / VALUE_NUMBER_BYTES * row + e) / VALUE_COLUMNS;
                        sums[group * VALUE_COLUMNS + e % VALUE_COLUMNS] +=
                                VALUE_NUMBER(words, e, 0, 1) * weights_at(weights, token << WEIGHT_SHIFT);
                    }
                }
            }
#if !KEYS_DENSE && VALUES_DENSE
            if (!is_dense && tile + 1 < end) {
                load_keys(&keys, bytes + TILE_BYTES, lane);
            }
#endif
        }
#if !VALUES_DENSE
        else {
#if SIGNED_VALUES
            const uint first = token_of_bit(lane / 16, lane / 2 % 8 * 4);
#if PAIRS
            // A lane has the table of four tokens for a pair of heads; table 8 w + i serves bits 4 i to 4 i + 3 of
            // word w. As with the keys, in a unit for each head that keeps the sum over all tokens within 16 bits.
            const uint pair = lane % 2;
            float2 p[4];
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                p[i] = unpack_pair(weights[pair * TILE_TOKENS + first + i]);
            }
            ((local float2 *) lanes)[lane / 4 * 4 + pair * 2 + lane / 2 % 2] = p[0] + p[1] + p[2] + p[3];
            barrier(CLK_LOCAL_MEM_FENCE);
            heads of_tile = lanes[pair]; // two sums of four tokens, each of two heads
            #pragma unroll
            for (int i = 1; i < LANES / 4; i++) {
                of_tile += lanes[2 * i + pair];
            }
            const float unit0 = unit_of(of_tile.x + of_tile.z), unit1 = unit_of(of_tile.y + of_tile.w);
            if (lane < 2) {
                ((local float2 *) (lanes + LANES / 2))[pair] = (float2) (unit0, unit1 * 0x1p-16f);
            }
            put_signed_sums(
                    (local uint *) (weight_sums + lane / 2 * 17) + pair, p,
                    (float2) (inverse(unit0), inverse(unit1)));
#else
            // A lane has half of the table of four tokens; table 8 w + i serves bits 4 i to 4 i + 3 of word w.
            heads p[4], eight[8];
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                p[i] = weights_at(weights, first + i << WEIGHT_SHIFT);
            }
            signed_sums(p, lane & 1, eight);
            #pragma unroll
            for (int i = 0; i < 8; i++) {
                weight_sums[lane / 2 * 17 + lane % 2 * 8 + i] = eight[i];
            }
#endif
#endif
            #pragma unroll
            for (int group = 0; group < VALUE_GROUPS; group++) {
                heads *own = sums + group * VALUE_COLUMNS;
                if (group > 0) {
                    load_values(&values, bytes, group, lane);
                }
                if (group == 0) {
                    barrier(CLK_LOCAL_MEM_FENCE);
                }
#if SIGNED_VALUES
                sign_sum signed_sums_of[VALUE_COLUMNS];
                #pragma unroll
                for (int k = 0; k < VALUE_COLUMNS; k++) {
                    signed_sums_of[k] = empty_sum(16);
                }
                #pragma unroll
                for (int n = 0; n < 16; n++) {
                    #pragma unroll
                    for (int k = 0; k < VALUE_COLUMNS; k++) {
                        const uint signs = nibble_at(values.signs[k][n / 8], n % 8, ENTRY_SHIFT);
                        signed_sums_of[k] += entry_at(weight_sums, (n * 17 << ENTRY_SHIFT) + signs);
                    }
                }
#if PAIRS
                const heads weight_unit = lanes[LANES / 2];
#endif
                #pragma unroll
                for (int k = 0; k < VALUE_COLUMNS; k++) {
#if PAIRS
                    const heads signed_sum = unpack_integers(signed_sums_of[k]) * weight_unit;
#else
                    const heads signed_sum = signed_sums_of[k];
#endif
                    own[k] += VALUE_NUMBER(values.amplitudes, 0, k, VALUE_COLUMNS) * signed_sum;
                }
#endif
#if QUANTISED_VALUES
                heads kept[VALUE_COLUMNS];
                #pragma unroll
                for (int k = 0; k < VALUE_COLUMNS; k++) {
                    kept[k] = 0;
                }
#endif
                #pragma unroll
                for (int slot = 0; slot < KEPT_TOKENS; slot++) {
#if !KEYS_DENSE
                    // As soon as the signs' registers are free, to be there when they are needed.
                    if (slot == min(1, KEPT_TOKENS - 1) && group == VALUE_GROUPS - 1 && tile + 1 < end) {
                        load_keys(&keys, bytes + TILE_BYTES, lane);
                    }
#endif
                    #pragma unroll
                    for (int k = 0; k < VALUE_COLUMNS; k++) {
                        const uint place = token_at(values.indices, VALUE_COLUMNS * slot + k, WEIGHT_SHIFT);
#if QUANTISED_VALUES
                        kept[k] +=
#else
                        own[k] +=
#endif
                                VALUE_RESIDUAL(values.residuals, slot, k, VALUE_COLUMNS)
                                * weights_at(weights, place);
                    }
                }
#if QUANTISED_VALUES
                #pragma unroll
                for (int k = 0; k < VALUE_COLUMNS; k++) {
                    own[k] += VALUE_NUMBER(values.residual_scales, 0, k, VALUE_COLUMNS) * kept[k];
                }
#endif
            }
        }
#endif
    }

    // The partial result.
    barrier(CLK_LOCAL_MEM_FENCE);
    lanes[lane] = sum_of_weights;
    barrier(CLK_LOCAL_MEM_FENCE);
    global heads *partial = partials + (size_t) get_group_id(0) * (HEAD_DIM + 2);
    #pragma unroll
    for (int i = 0; i < VALUE_GROUPS * VALUE_COLUMNS; i++) {
        if (i * LANES + lane < HEAD_DIM) {
            partial[i * LANES + lane] = sums[i];
        }
    }
    if (lane == 0) {
        for (int i = 1; i < LANES; i++) {
            sum_of_weights += lanes[i];
        }
        partial[HEAD_DIM] = reference;
        partial[HEAD_DIM + 1] = sum_of_weights;
    }
    sign(receipt, launch);
}
