// Fused decode step over packed keys and values, in OpenCL C 1.2 without extensions.
//
// A work-group is 32 work-items, its lanes, and has a tile of 64 tokens in hand at a time. Scores: a lane has the
// tokens lane and lane + 32. Values: a lane has C channels of every 32 C. Four query heads are served at once, as the
// parts of a float4; tables in local memory hold what they need of a channel, or of a token, side by side. The
// generator folds in:
//   CHANNELS channels of a head, T kept channels of a token, K kept tokens of a channel, HEADS query heads of a key-
//     value head
//   KEY_BYTES, VALUE_BYTES of a kept entry: 4 float32, 2 bfloat16, 1 int8 (then with a bfloat16 scale per token, per
//     channel)
//   KEYS_DENSE, VALUES_DENSE: a side that is not pruned; CENTERED keys; KEY_SIGNS, VALUE_SIGNS: restored from signs
#define D ((CHANNELS + 31) / 32 * 32)                      // channels, padded
#define C (D % 128 == 0 ? 4 : D % 64 == 0 ? 2 : 1)         // channels of a lane in a group of 32 C
#define GROUPS (D / (32 * C))
#define PASSES ((HEADS + 3) / 4)                           // a key-value head is read once for every four query heads
// bytes of a mean, of an amplitude, of a number in a dense tile
#define KEY_NUMBER (KEY_BYTES == 1 ? 2 : KEY_BYTES)
#define VALUE_NUMBER (VALUE_BYTES == 1 ? 2 : VALUE_BYTES)
#define INDEX_BYTES (CHANNELS <= 256 ? 1 : 2)
#define WIDE (KEY_BYTES == 4 || VALUE_BYTES == 4)          // tables of floats rather than of bfloat16

#define WORDS(elements, bytes) (((elements) * (bytes) + 3) / 4)        // words of a lane in a stream
#define UP128(bytes) (((bytes) + 127) / 128 * 128)
#define DENSE_KEYS (64 * CHANNELS * KEY_NUMBER)
#define DENSE_VALUES (64 * D * VALUE_NUMBER)
#define DENSE_BYTES (DENSE_KEYS + DENSE_VALUES)

#define KEY_RESIDUALS (CENTERED ? D * KEY_NUMBER : 0)
#define KEY_INDICES (KEY_RESIDUALS + 128 * WORDS(2 * T, KEY_BYTES))
#define KEY_SIGN_WORDS (KEY_INDICES + 128 * WORDS(2 * T, INDEX_BYTES))
#define KEY_AMPLITUDES (KEY_SIGN_WORDS + (KEY_SIGNS ? 8 * D : 0))
#define KEY_SCALES (KEY_AMPLITUDES + (KEY_SIGNS ? 64 * KEY_NUMBER : 0))
#define PACKED_KEYS UP128(KEY_SCALES + (KEY_BYTES == 1 ? 128 : 0))
#define KEY_PART (KEYS_DENSE ? DENSE_KEYS : PACKED_KEYS)

#define VALUE_INDICES (GROUPS * 128 * WORDS(C * K, VALUE_BYTES))
#define VALUE_SIGN_WORDS (VALUE_INDICES + GROUPS * 128 * WORDS(C * K, 1))
#define VALUE_AMPLITUDES (VALUE_SIGN_WORDS + (VALUE_SIGNS ? 8 * D : 0))
#define VALUE_SCALES (VALUE_AMPLITUDES + (VALUE_SIGNS ? D * VALUE_NUMBER : 0))
#define PACKED_VALUES UP128(VALUE_SCALES + (VALUE_BYTES == 1 ? 2 * D : 0))
#define VALUE_PART (VALUES_DENSE ? DENSE_VALUES : PACKED_VALUES)
#define TILE_BYTES (KEY_PART + VALUE_PART)
#ifndef TILE_AT
#define TILE_AT(tile) (tile)
#endif

#define ROWS_AHEAD 8       // rows of a dense tile asked for at a time
// the running reference is raised when a score exceeds it by this much (log2): rarely, after the first tile
#define STEP 4.0f

// ---------------------------------------------------------------- numbers

// Two bfloat16 in a word: `low` in its low half, and the word as a whole, read as a float, as near to `high` as can be.
// So taking `high` out costs nothing.
static inline uint packPair(float low, float high) {
    const uint l = (as_uint(low) + 0x8000u) >> 16;
    const uint h = (as_uint(high) & 0x7fff0000u) == 0 ? 0 : as_uint(high) + 0x8000u - l;
    return (h & 0xffff0000u) | l;
}

static inline float lowOf(uint pair) { return as_float(pair << 16); }
static inline float highOf(uint pair) { return as_float(pair & 0xffff0000u); }

// Element e of a stream of `bytes` bytes an element.
static inline float elementAt(const uint* words, int e, int bytes) {
    if (bytes == 4) return as_float(words[e]);
    if (bytes == 2) return e % 2 == 0 ? lowOf(words[e / 2]) : highOf(words[e / 2]);
    return (float)(char)(words[e / 4] >> 8 * (e % 4));
}

// Element e of a stream of unsigned indices, times 2^shift: one shift and one mask.
static inline uint indexAt(const uint* words, int e, int bytes, int shift) {
    const uint word = words[e * bytes / 4];
    const int bit = e * bytes % 4 * 8;
    return (bit < shift ? word << (shift - bit) : word >> (bit - shift)) & ((1u << 8 * bytes) - 1) << shift;
}

// Bits 4 n to 4 n + 3 of a word, times 2^shift.
static inline uint nibbleAt(uint word, int n, int shift) {
    return (4 * n < shift ? word << (shift - 4 * n) : word >> (4 * n - shift)) & 15u << shift;
}

// The lane's words of a stream.
static inline void loadStream(uint* to, const __global uchar* from, int lane, int words) {
    #pragma unroll
    for (int w = 0; w + 4 <= words; w += 4) {
        const uint4 v = *(const __global uint4*)(from + w * 128 + lane * 16);
        to[w] = v.x; to[w + 1] = v.y; to[w + 2] = v.z; to[w + 3] = v.w;
    }
    if (words & 2) {
        const int w = words & ~3;
        const uint2 v = *(const __global uint2*)(from + w * 128 + lane * 8);
        to[w] = v.x; to[w + 1] = v.y;
    }
    if (words & 1) to[words - 1] = *(const __global uint*)(from + (words - 1) * 128 + lane * 4);
}

// `words` words of the lane that follow each other, lane after lane.
static inline void loadWords(uint* to, const __global uchar* from, int lane, int words) {
    #pragma unroll
    for (int w = 0; w < words; w += words % 4 == 0 ? 4 : words % 2 == 0 ? 2 : 1) {
        const __global uchar* at = from + (lane * words + w) * 4;
        if (words % 4 == 0) {
            const uint4 v = *(const __global uint4*)at;
            to[w] = v.x; to[w + 1] = v.y; to[w + 2] = v.z; to[w + 3] = v.w;
        } else if (words % 2 == 0) {
            const uint2 v = *(const __global uint2*)at;
            to[w] = v.x; to[w + 1] = v.y;
        } else to[w] = *(const __global uint*)at;
    }
}

// `count` numbers of the lane that follow each other, lane after lane.
static inline void loadNumbers(uint* to, const __global uchar* from, int lane, int count, int bytes) {
    if (count * bytes % 4 == 0) loadWords(to, from, lane, count * bytes / 4);
    else to[0] = ((const __global ushort*)from)[lane];     // one number of two bytes
}

// ---------------------------------------------------------------- tables of four heads

// What a table holds of a channel or of a token: four numbers, as floats or as two pairs of bfloat16.
#if WIDE
typedef float4 Entry;
#define ENTRY_SHIFT 4
static inline Entry pack(float4 x) { return x; }
static inline float4 unpack(Entry x) { return x; }
#else
typedef uint2 Entry;
#define ENTRY_SHIFT 3
static inline Entry pack(float4 x) { return (uint2)(packPair(x.x, x.y), packPair(x.z, x.w)); }
static inline float4 unpack(Entry x) { return (float4)(lowOf(x.x), as_float(x.x), lowOf(x.y), as_float(x.y)); }
#endif

// The weights of the tile's tokens. Pairs are kept in two tables: at most two of 64 words share a bank, whatever is
// looked up.
#if WIDE
typedef float4 WeightTable[64];
#define WEIGHT_SHIFT 4
#define PUT_WEIGHTS(t, p) weights[t] = p
#define WEIGHTS_AT(offset) (*(const __local float4*)((const __local uchar*)weights + (offset)))
#else
typedef uint WeightTable[128];
#define WEIGHT_SHIFT 2
#define PUT_WEIGHTS(t, p) { const uint2 pairs = pack(p); weights[t] = pairs.x; weights[64 + (t)] = pairs.y; }
#define WEIGHTS_AT(offset) unpack((uint2)(*(const __local uint*)((const __local uchar*)weights + (offset)), \
                                          *(const __local uint*)((const __local uchar*)weights + (offset) + 256)))
#endif
#define ENTRY(table, offset) (*(const __local Entry*)((const __local uchar*)(table) + (offset)))
#define FIXED(table, offset) (*(const __local uint2*)((const __local uchar*)(table) + (offset)))

// The 16 sums +-p0 +-p1 +-p2 +-p3, a set bit of the position meaning plus; `eight` has those with bit 3 clear or set.
static inline void signedSums(const float4* p, int upper, float4* eight) {
    const float4 a = p[0] + p[1], b = p[0] - p[1], c = upper ? p[3] : -p[3], x = c + p[2], y = c - p[2];
    eight[0] = y - a; eight[1] = y + b; eight[2] = y - b; eight[3] = y + a;
    eight[4] = x - a; eight[5] = x + b; eight[6] = x - b; eight[7] = x + a;
}

// ---------------------------------------------------------------- tiles

#if !KEYS_DENSE
typedef struct {
    uint indices[WORDS(2 * T, INDEX_BYTES)], residuals[WORDS(2 * T, KEY_BYTES)];
    uint means[WORDS(D / 8, KEY_NUMBER)], signs[2][D / 32], amplitudes[WORDS(2, KEY_NUMBER)], scales[1];
} Keys;

static inline void loadKeys(Keys* keys, const __global uchar* tile, int lane) {
    loadStream(keys->indices, tile + KEY_INDICES, lane, WORDS(2 * T, INDEX_BYTES));
    loadStream(keys->residuals, tile + KEY_RESIDUALS, lane, WORDS(2 * T, KEY_BYTES));
#if CENTERED
    #pragma unroll
    for (int i = 0; i < WORDS(D / 8, KEY_NUMBER); i++) keys->means[i] = ((const __global uint*)tile)
            [(lane >> 2) + 8 * i];
#endif
#if KEY_SIGNS
    #pragma unroll
    for (int k = 0; k < 2; k++) loadWords(keys->signs[k], tile + KEY_SIGN_WORDS, lane + 32 * k, D / 32);
    loadNumbers(keys->amplitudes, tile + KEY_AMPLITUDES, lane, 2, KEY_NUMBER);
#endif
#if KEY_BYTES == 1
    loadNumbers(keys->scales, tile + KEY_SCALES, lane, 2, 2);
#endif
}
#endif

#if !VALUES_DENSE
typedef struct {                                           // of one group of channels
    uint indices[WORDS(C * K, 1)], residuals[WORDS(C * K, VALUE_BYTES)];
    uint signs[C][2], amplitudes[WORDS(C, VALUE_NUMBER)], scales[WORDS(C, 2)];
} Values;

static inline void loadValues(Values* values, const __global uchar* part, int group, int lane) {
    loadStream(values->indices, part + VALUE_INDICES + group * 128 * WORDS(C * K, 1), lane, WORDS(C * K, 1));
    loadStream(values->residuals, part + group * 128 * WORDS(C * K, VALUE_BYTES), lane, WORDS(C * K, VALUE_BYTES));
#if VALUE_SIGNS
    #pragma unroll
    for (int c = 0; c < C; c++) loadWords(values->signs[c], part + VALUE_SIGN_WORDS, 32 * C * group + lane + 32 * c, 2);
    loadNumbers(values->amplitudes, part + VALUE_AMPLITUDES, 32 * group + lane, C, VALUE_NUMBER);
#endif
#if VALUE_BYTES == 1
    loadNumbers(values->scales, part + VALUE_SCALES, 32 * group + lane, C, 2);
#endif
}
#endif

// ---------------------------------------------------------------- the decode step

__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void decode(const __global float* queries,        // [kvHeads][HEADS][CHANNELS]
            const __global float* scales,         // [kvHeads][CHANNELS]
            const __global uchar* packed,         // [kvHeads][packedReserved][TILE_BYTES]
            const __global uchar* dense,          // [kvHeads][denseReserved][DENSE_BYTES]
            // sums [kvHeads * PASSES][splits][4][D], then [..][..][4] pairs of reference and weight
            __global float* partials,
            uint packedReserved, uint packedTokens, uint denseReserved, uint denseTokens, uint splits) {
    __local float4 denseQuery[D];
    __local float4 lanes[32];                              // one result of every lane
    __local int above[2];
    __local WeightTable weights;
#if !KEYS_DENSE
    __local Entry query[D];
#if KEY_SIGNS
    __local uint2 querySums[D / 4 * 16];                   // [D / 4][16]: four sums of 16 bits
#endif
#endif
#if !VALUES_DENSE && VALUE_SIGNS
    // 16 tables, with a gap that keeps the writes free of bank conflicts
    __local Entry weightSums[16 * 17];
#endif

    const uint split = get_group_id(0), row = get_group_id(1), kvHead = row / PASSES, firstHead = row % PASSES * 4;
    const int lane = get_local_id(0);
    // dense tiles come first
    const uint denseTiles = (denseTokens + 63) / 64, tiles = denseTiles + (packedTokens + 63) / 64;
    const uint firstTile = (uint)((ulong)tiles * split / splits), endTile = (uint)((ulong)tiles * (split + 1) / splits);
    const __global uchar* packedTiles = packed + (size_t)kvHead * packedReserved * TILE_BYTES;
    const __global uchar* denseTilesOfHead = dense + (size_t)kvHead * denseReserved * DENSE_BYTES;

    // ---- the query, in units of log2
    const float factor = 1.4426950408889634f * rsqrt((float)CHANNELS);
    float4 norm = (float4)(0.0f);
    for (int j = lane; j < D; j += 32) {
        float4 q = (float4)(0.0f);
        if (j < CHANNELS) {
            const __global float* from = queries + ((size_t)kvHead * HEADS + firstHead) * CHANNELS + j;
            q.x = from[0] * factor;
            if (firstHead + 1 < HEADS) q.y = from[CHANNELS] * factor;
            if (firstHead + 2 < HEADS) q.z = from[2 * CHANNELS] * factor;
            if (firstHead + 3 < HEADS) q.w = from[3 * CHANNELS] * factor;
        }
        denseQuery[j] = q;
#if !KEYS_DENSE
        if (j < CHANNELS) q /= scales[(size_t)kvHead * CHANNELS + j];
        query[j] = pack(q);
        norm += fabs(q);
#endif
    }
    lanes[lane] = norm;
    if (lane < 2) above[lane] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
#if !KEYS_DENSE
    Keys keys;
    if (endTile > denseTiles) loadKeys(&keys,
            packedTiles + (size_t)TILE_AT(max(firstTile, denseTiles) - denseTiles) * TILE_BYTES, lane);
#if KEY_SIGNS
    // The 16 signed sums of four channels, in fixed point that no sum over all channels can leave.
    norm = (float4)(0.0f);
    for (int i = 0; i < 32; i++) norm += lanes[i];
    const float largestNorm = fmax(fmax(norm.x, norm.y), fmax(norm.z, norm.w));
    const float unit = largestNorm > 0 ? 32000.0f / largestNorm : 0.0f, signScale = largestNorm * (1 / 32000.0f);
    for (int group = lane; group < D / 4; group += 32) {
        float4 p[4];
        #pragma unroll
        for (int i = 0; i < 4; i++) p[i] = unpack(query[4 * group + i]) * unit;
        #pragma unroll
        for (int upper = 0; upper < 2; upper++) {
            float4 eight[8];
            signedSums(p, upper, eight);
            #pragma unroll
            for (int i = 0; i < 8; i++) {
                const int4 n = convert_int4_rte(eight[i]);
                querySums[group * 16 + upper * 8 + i] = (uint2)((uint)(n.x + (n.y << 16)), (uint)(n.z + (n.w << 16)));
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
#endif

    float4 reference = (float4)(-INFINITY), weight = (float4)(0.0f);
    float4 out[GROUPS * C];
    #pragma unroll
    for (int c = 0; c < GROUPS * C; c++) out[c] = (float4)(0.0f);
    int turn = 0;

    for (uint tile = firstTile; tile < endTile; tile++, turn ^= 1) {
        const int isDense = KEYS_DENSE && VALUES_DENSE || tile < denseTiles;
        const __global uchar* source = tile < denseTiles ? denseTilesOfHead + (size_t)tile * DENSE_BYTES
                                                         : packedTiles + (size_t)TILE_AT(tile - denseTiles)
                                        * TILE_BYTES;
        // from here on
        const uint tokens = tile < denseTiles ? denseTokens - tile * 64 : packedTokens - (tile - denseTiles) * 64;
        // ---------------------------------------------------------------- scores
        float4 score[2];
        score[0] = score[1] = (float4)(0.0f);
#if !VALUES_DENSE
        Values values;
#endif
        if (KEYS_DENSE || isDense) {
            #pragma unroll ROWS_AHEAD
            // rows of 16 bytes: 4 or 2 channels of two tokens
            for (int i = 0; i < CHANNELS * KEY_NUMBER / 8; i++) {
                uint words[4];
                loadStream(words, source + i * 512, lane, 4);
                #pragma unroll
                for (int j = 0; j < 8 / KEY_NUMBER; j++) {
                    const float4 u = denseQuery[8 / KEY_NUMBER * i + j];
                    score[0] += elementAt(words, 2 * j, KEY_NUMBER) * u;
                    score[1] += elementAt(words, 2 * j + 1, KEY_NUMBER) * u;
                }
            }
#if !VALUES_DENSE
            if (!isDense) loadValues(&values, source + KEY_PART, 0, lane);
#endif
        }
#if !KEYS_DENSE
        else {
#if CENTERED
            // lane 4 p + g: of head g, the p-th of every eight words of means
            {
                float sum = 0;
                #pragma unroll
                for (int i = 0; i < D / 8; i++) {
                    const int n = 4 / KEY_NUMBER;          // means of a word
                    const float4 u = unpack(query[((lane >> 2) + i / n * 8) * n + i % n]);
                    sum += elementAt(keys.means, i, KEY_NUMBER)
                            * (lane & 2 ? (lane & 1 ? u.w : u.z) : (lane & 1 ? u.y : u.x));
                }
                ((__local float*)lanes)[lane] = sum;
            }
#endif
            #pragma unroll
            for (int e = 0; e < 2 * T; e++)
                score[e % 2] += elementAt(keys.residuals, e, KEY_BYTES)
                        * unpack(ENTRY(query, indexAt(keys.indices, e, INDEX_BYTES, ENTRY_SHIFT)));
            barrier(CLK_LOCAL_MEM_FENCE);
#if !VALUES_DENSE
            // not before most registers of the keys are free
            loadValues(&values, source + KEY_PART, 0, lane);
#endif
            #pragma unroll
            for (int k = 0; k < 2; k++) {
#if KEY_BYTES == 1
                score[k] *= elementAt(keys.scales, k, 2);
#endif
#if KEY_SIGNS
                uint low = 0, high = 0;
                #pragma unroll
                for (int w = 0; w < D / 32; w++) {
                    #pragma unroll
                    for (int n = 0; n < 8; n++) {
                        const uint2 sums = FIXED(querySums, (8 * w + n) * 128 + nibbleAt(keys.signs[k][w], n, 3));
                        low += sums.x;
                        high += sums.y;
                    }
                }
                const int s0 = (short)low, s1 = (int)(low - (uint)s0) >> 16, s2 = (short)high,
                        s3 = (int)(high - (uint)s2) >> 16;
                score[k] += elementAt(keys.amplitudes, k, KEY_NUMBER) * signScale
                        * (float4)((float)s0, (float)s1, (float)s2, (float)s3);
#endif
            }
#if CENTERED
            float4 mean = lanes[0];
            #pragma unroll
            for (int p = 1; p < 8; p++) mean += lanes[p];
            score[0] += mean;
            score[1] += mean;
#endif
        }
#endif
        if (lane >= tokens) score[0] = (float4)(-INFINITY);
        if (lane + 32 >= tokens) score[1] = (float4)(-INFINITY);
        // ---------------------------------------------------------------- weights
        const float4 top = fmax(score[0], score[1]);
        if (any(top > reference + STEP)) above[turn] = 1;
        barrier(CLK_LOCAL_MEM_FENCE);
        const int raise = above[turn];
        if (lane == 0) above[turn ^ 1] = 0;
        if (raise) {
            lanes[lane] = top;
            barrier(CLK_LOCAL_MEM_FENCE);
            float4 largest = reference;
            for (int i = 0; i < 32; i++) largest = fmax(largest, lanes[i]);
            const float4 shrink = native_exp2(reference - largest);
            reference = largest;
            weight *= shrink;
            #pragma unroll
            for (int c = 0; c < GROUPS * C; c++) out[c] *= shrink;
        }
        #pragma unroll
        for (int k = 0; k < 2; k++) {
            const float4 p = native_exp2(score[k] - reference);
            weight += p;
            PUT_WEIGHTS(lane + 32 * k, p);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        // ---------------------------------------------------------------- values
        if (VALUES_DENSE || isDense) {
            const __global uchar* rows = source + (tile < denseTiles ? DENSE_KEYS : KEY_PART);
            #pragma unroll
            for (int group = 0; group < GROUPS; group++) {
                #pragma unroll ROWS_AHEAD
                for (int i = 0; i < 4 * C * VALUE_NUMBER; i++) {           // rows of 16 bytes
                    uint words[4];
                    loadStream(words, rows + (group * 4 * C * VALUE_NUMBER + i) * 512, lane, 4);
                    #pragma unroll
                    for (int e = 0; e < 16 / VALUE_NUMBER; e++) {
                        const int t = (16 / VALUE_NUMBER * i + e) / C;
                        out[group * C + e % C] += elementAt(words, e, VALUE_NUMBER) * WEIGHTS_AT(t << WEIGHT_SHIFT);
                    }
                }
            }
#if !KEYS_DENSE
            if (!isDense && tile + 1 < endTile) loadKeys(&keys, source + TILE_BYTES, lane);
#endif
        }
#if !VALUES_DENSE
        else {
#if VALUE_SIGNS
            // the 16 signed sums of four tokens' weights: a lane has half of a table
            {
                const int t = 16 * (lane >> 4) + 4 * (lane >> 1 & 3) + 32 * (lane >> 3 & 1);
                float4 p[4], eight[8];
                #pragma unroll
                for (int i = 0; i < 4; i++) p[i] = WEIGHTS_AT(t + i << WEIGHT_SHIFT);
                signedSums(p, lane & 1, eight);
                #pragma unroll
                for (int i = 0; i < 8; i++) weightSums[(lane >> 1) * 17 + (lane & 1) * 8 + i] = pack(eight[i]);
            }
#endif
            #pragma unroll
            for (int group = 0; group < GROUPS; group++) {
                if (group > 0) loadValues(&values, source + KEY_PART, group, lane);
                float4 sum[C];
                #pragma unroll
                for (int c = 0; c < C; c++) sum[c] = (float4)(0.0f);
                #pragma unroll
                for (int e = 0; e < C * K; e++)
                    sum[e % C] += elementAt(values.residuals, e, VALUE_BYTES)
                            * WEIGHTS_AT(indexAt(values.indices, e, 1, WEIGHT_SHIFT));
                #pragma unroll
                for (int c = 0; c < C; c++) {
#if VALUE_BYTES == 1
                    out[group * C + c] += elementAt(values.scales, c, 2) * sum[c];
#else
                    out[group * C + c] += sum[c];
#endif
                }
                if (group == 0) {
                    barrier(CLK_LOCAL_MEM_FENCE);          // weightSums are complete
#if !KEYS_DENSE
                    if (GROUPS == 1 && tile + 1 < endTile)
                            loadKeys(&keys, packedTiles + (size_t)TILE_AT(tile + 1 - denseTiles) * TILE_BYTES, lane);
#endif
                }
#if VALUE_SIGNS
                #pragma unroll
                for (int c = 0; c < C; c++) {
                    float4 sums = (float4)(0.0f);
                    #pragma unroll
                    for (int w = 0; w < 2; w++) {
                        #pragma unroll
                        for (int n = 0; n < 8; n++)
                            sums += unpack(ENTRY(weightSums,
                                    ((8 * w + n) * 17 << ENTRY_SHIFT) + nibbleAt(values.signs[c][w], n, ENTRY_SHIFT)));
                    }
                    out[group * C + c] += elementAt(values.amplitudes, c, VALUE_NUMBER) * sums;
                }
#endif
            }
#if !KEYS_DENSE
            if (GROUPS > 1 && tile + 1 < endTile) loadKeys(&keys, source + TILE_BYTES, lane);
#endif
        }
#endif
    }

    // ---------------------------------------------------------------- the partial result
    const size_t slot = (size_t)row * splits + split;
    __global float* sums = partials + slot * (4 * D);
    #pragma unroll
    for (int c = 0; c < GROUPS * C; c++) {
        const int j = lane + 32 * c;
        sums[j] = out[c].x; sums[D + j] = out[c].y; sums[2 * D + j] = out[c].z; sums[3 * D + j] = out[c].w;
    }
    lanes[lane] = weight;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane == 0) {
        for (int i = 1; i < 32; i++) weight += lanes[i];
        __global float4* stats = (__global float4*)(partials + (size_t)get_num_groups(1) * splits * (4 * D)) + slot * 2;
        stats[0] = (float4)(reference.x, weight.x, reference.y, weight.y);
        stats[1] = (float4)(reference.z, weight.z, reference.w, weight.w);
    }
}

// ---------------------------------------------------------------- the merge of the partial results

// A work-group merges 32 channels of one query head: eight rows of work-items take a share of the splits each.
__kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void merge(const __global float* partials, __global float* output /* [kvHeads][HEADS][CHANNELS] */, uint splits) {
    __local float sumOf[8][32], referenceOf[8][32], weightOf[8][32];
    const int share = get_local_id(0) / 32, lane = get_local_id(0) % 32;
    const uint row = get_group_id(1), g = get_group_id(0) / (D / 32), j = get_group_id(0) % (D / 32) * 32 + lane;
    const __global float* sums = partials + (size_t)row * splits * (4 * D) + g * D + j;
    const __global float2* stats = (const __global float2*)(partials + (size_t)get_num_groups(1) * splits * (4 * D))
            + (size_t)row * splits * 4 + g;
    float sum = 0, reference = -INFINITY, weight = 0;
    #pragma unroll 4
    for (uint s = share; s < splits; s += 8) {
        const float2 stat = stats[s * 4];
        const float largest = fmax(reference, stat.x), old = native_exp2(reference - largest),
                new = native_exp2(stat.x - largest);
        sum = sum * old + sums[(size_t)s * (4 * D)] * new;
        weight = weight * old + stat.y * new;
        reference = largest;
    }
    sumOf[share][lane] = sum;
    referenceOf[share][lane] = reference;
    weightOf[share][lane] = weight;
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint kvHead = row / PASSES, head = row % PASSES * 4 + g;
    if (share > 0 || head >= HEADS || j >= CHANNELS) return;
    float largest = reference;
    for (int r = 1; r < 8; r++) largest = fmax(largest, referenceOf[r][lane]);
    sum = weight = 0;
    for (int r = 0; r < 8; r++) {
        const float f = native_exp2(referenceOf[r][lane] - largest);       // 0 for a share without splits
        sum += sumOf[r][lane] * f;
        weight += weightOf[r][lane] * f;
    }
    output[((size_t)kvHead * HEADS + head) * CHANNELS + j] = sum / weight;
}
