// Fused decode step over packed keys and values on NVIDIA GPUs of compute capability 9.0 and up, heads of 128 channels.
//
// A work-group is WARPS warps. A warp has a tile of 64 tokens in hand at a time, while the copy engine fetches its next
// one: keys and values have a stage in local memory and a barrier each, so that either is asked for once its stage is
// free. Kept entries are looked up in tables of four heads. Sums under signs are products on the tensor cores, whose
// left operand is made of sign bits by one mask each. Warps meet only before and after the loop. The last group of a
// head to arrive merges the partial results. The generator folds in:
//   T kept channels of a token, K kept tokens of a channel, HEADS query heads of a key-value head
//   KEY_BYTES, VALUE_BYTES of a kept entry: 2 bfloat16, 1 int8 (then with a bfloat16 scale per token, per channel)
//   KEYS_DENSE, VALUES_DENSE: a side that is not pruned; CENTERED keys; KEY_SIGNS, VALUE_SIGNS: restored from signs
//   WARPS: 3; 4 if both sides are int8 or one is dense
#define D 128
#define G 4                                                // query heads served at once
#define C 4                                                // channels of a lane: lane + 32 c
#define PASSES ((HEADS + G - 1) / G)                       // a key-value head is read once for every four query heads
#define THREADS (32 * WARPS)

#define WORDS(elements, bytes) (((elements) * (bytes) + 3) / 4)        // words of a lane in a stream
#define UP128(bytes) (((bytes) + 127) / 128 * 128)
#define DENSE_KEYS (64 * D * 2)
#define DENSE_VALUES (64 * D * 2)
#define DENSE_BYTES (DENSE_KEYS + DENSE_VALUES)
#define KEY_RESIDUALS (CENTERED ? 2 * D : 0)
#define KEY_INDICES (KEY_RESIDUALS + 128 * WORDS(2 * T, KEY_BYTES))
#define KEY_SIGN_WORDS (KEY_INDICES + 128 * WORDS(2 * T, 1))
#define KEY_AMPLITUDES (KEY_SIGN_WORDS + (KEY_SIGNS ? 8 * D : 0))
#define KEY_SCALES (KEY_AMPLITUDES + (KEY_SIGNS ? 128 : 0))
#define PACKED_KEYS UP128(KEY_SCALES + (KEY_BYTES == 1 ? 128 : 0))
#define KEY_PART (KEYS_DENSE ? DENSE_KEYS : PACKED_KEYS)
#define VALUE_INDICES (128 * WORDS(C * K, VALUE_BYTES))
#define VALUE_SIGN_WORDS (VALUE_INDICES + 128 * WORDS(C * K, 1))
#define VALUE_AMPLITUDES (VALUE_SIGN_WORDS + (VALUE_SIGNS ? 8 * D : 0))
#define VALUE_SCALES (VALUE_AMPLITUDES + (VALUE_SIGNS ? 2 * D : 0))
#define PACKED_VALUES UP128(VALUE_SCALES + (VALUE_BYTES == 1 ? 2 * D : 0))
#define VALUE_PART (VALUES_DENSE ? DENSE_VALUES : PACKED_VALUES)
#define TILE_BYTES (KEY_PART + VALUE_PART)
#ifndef TILE_AT
#define TILE_AT(tile) (tile)
#endif

// Local memory: the scratch of every warp, then its stages; before and after the loop the query, the results of the
// warps.
#define SCRATCH_BYTES 1024
#define STAGE_KEYS (KEYS_DENSE ? 0 : PACKED_KEYS)
#define STAGE_VALUES (VALUES_DENSE ? 0 : PACKED_VALUES)
#define STAGE_BYTES (STAGE_KEYS + STAGE_VALUES)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define QUERY_BYTES ((D + D / 32) * G * 4)
#define ARENA_BYTES MAX(WARPS * (SCRATCH_BYTES + STAGE_BYTES), MAX(QUERY_BYTES, WARPS * G * (D * 4 + 8)))
// then the first tiles may be copied before the query is ready
#define QUERY_FITS (WARPS * SCRATCH_BYTES >= QUERY_BYTES)

// the running reference is raised when a score exceeds it by this much (log2): rarely, after the first tiles
#define STEP 1
#define ROWS_AHEAD (KEYS_DENSE || VALUES_DENSE ? 16 : 4)   // rows of a dense tile asked for at a time
// int8: products with kept entries are summed in half precision, scaled so that no sum can overflow: 127 * T * scale <
// 65504, and 127 * K * 2^(STEP + WEIGHT_SHIFT) < 65504.
#define KEY_TABLE_SCALE (T <= 32 ? 16.0f : T <= 64 ? 8.0f : 4.0f)
#define WEIGHT_SHIFT (VALUE_BYTES == 1 && !VALUES_DENSE ? (K <= 16 ? 5 : K <= 32 ? 4 : 3) - STEP : 0)
#define WEIGHT_EXPONENT (15 - STEP - WEIGHT_SHIFT)         // 2^(STEP + WEIGHT_SHIFT + WEIGHT_EXPONENT) is still a half
#define SCORE_SCALE (1.4426950408889634f * 0.08838834764831845f)       // log2(e) / sqrt(D)

// ------------------------------------------------------------------ PTX
#define sharedAddress(p) ((uint)(size_t)(p))

static inline void initBarrier(uint barrier) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" :: "r"(barrier) : "memory");
}

static inline void copyToLocal(uint to, const __global uchar* from, uint bytes, uint barrier) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" :: "r"(barrier), "r"(bytes) : "memory");
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
                 :: "r"(to), "l"(from), "r"(bytes), "r"(barrier) : "memory");
}

static inline void await(uint barrier, uint parity) {
    asm volatile("{\n.reg .pred done;\n"
                 "WAIT:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n@done bra DONE;\nbra WAIT;\nDONE:\n}"
                 :: "r"(barrier), "r"(parity) : "memory");
}

static inline void fenceDevice() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }

static inline void fenceBarriers() {       // makes new barriers, and the room of the stages, known to the copy engine
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

static inline void fenceCopies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

static inline void syncWarp() { asm volatile("bar.warp.sync 0xffffffff;" ::: "memory"); }

static inline int anyLane(int condition) {
    int any;
    asm volatile("{\n.reg .pred p, r;\n"
                 "setp.ne.s32 p, %1, 0;\nvote.sync.any.pred r, p, 0xffffffff;\nselp.s32 %0, 1, 0, r;\n}"
                 : "=r"(any) : "r"(condition));
    return any;
}

static inline float shuffleXor(float x, int mask) {
    float y;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=f"(y) : "f"(x), "r"(mask));
    return y;
}

static inline uint broadcast(uint x, int lane) {
    uint y;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(y) : "r"(x), "r"(lane));
    return y;
}

static inline float shuffleFrom(float x, int lane) {
    float y;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=f"(y) : "f"(x), "r"(lane));
    return y;
}

// base + stride * (byte of word that has its bit in select); select = stride << 8 * byte, stride <= 128.
static inline uint byteOffset(uint word, uint select, uint base) {
    uint address;
    asm("dp4a.u32.u32 %0, %1, %2, %3;" : "=r"(address) : "r"(word), "r"(select), "r"(base));
    return address;
}

static inline uint loadShared(uint address) {
    uint x;
    asm("ld.shared.u32 %0, [%1];" : "=r"(x) : "r"(address));
    return x;
}

static inline uint2 loadShared2(uint address) {
    uint x, y;
    asm("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(x), "=r"(y) : "r"(address));
    uint2 v; v.x = x; v.y = y;
    return v;
}

static inline float exp2Fast(float x) { float y; asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }

static inline uint packHalves(float low, float high) {
    uint r; asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low)); return r;
}

// two int8 (offset by 128: bytes `byte` and `byte` + 1 of `word`) as two halves
static inline uint halvesOf(uint word, int byte) {
    uint pair, minus = 0xe480e480u;                        // -1152
    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(pair) : "r"(word), "r"(0x64646464u), "r"(byte == 0 ? 0x4140u : 0x4342u));
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(pair) : "r"(pair), "r"(minus));
    return pair;
}
// sums + (low or high half of `pair`) * factors, in both halves
static inline uint fmaHalf(uint pair, int high, uint factors, uint sums) {
    if (high)
        asm("{\n.reg .b16 l, h;\n.reg .b32 d;\nmov.b32 {l, h}, %1;\nmov.b32 d, {h, h};\nfma.rn.f16x2 %0, d, %2, %0;\n}"
            : "+r"(sums) : "r"(pair), "r"(factors));
    else
        asm("{\n.reg .b16 l, h;\n.reg .b32 d;\nmov.b32 {l, h}, %1;\nmov.b32 d, {l, l};\nfma.rn.f16x2 %0, d, %2, %0;\n}"
            : "+r"(sums) : "r"(pair), "r"(factors));
    return sums;
}

static inline float lowHalf(uint pair) {
    float x;
    asm("{\n.reg .b16 l, h;\nmov.b32 {l, h}, %1;\ncvt.f32.f16 %0, l;\n}" : "=f"(x) : "r"(pair));
    return x;
}

static inline float highHalf(uint pair) {
    float x;
    asm("{\n.reg .b16 l, h;\nmov.b32 {l, h}, %1;\ncvt.f32.f16 %0, h;\n}" : "=f"(x) : "r"(pair));
    return x;
}

#define MMA_INT8(c, a0, a1, a2, a3, b0, b1) \
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1))
#define MMA_HALF(c, a0, a1, a2, a3, b0, b1) \
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1))
#define MMA_BFLOAT16(c, a0, a1, a2, a3, b0, b1) \
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1))

// ------------------------------------------------------------------ numbers
// A pair of bfloat16 in a word: `low` in the low half; the word as a whole, read as a float, is what is nearest to
// `high`. So unpacking `high` costs nothing.
static inline uint packPair(float low, float high) {
    uint l = (as_uint(low) + 0x8000u) >> 16;
    uint h = as_uint(high) + 0x8000u - l;
    if ((as_uint(high) & 0x7fff0000u) == 0) h = 0;
    return (h & 0xffff0000u) | l;
}
static inline uint packWeights(float low, float high) {      // both >= 0: no case to guard
    uint l = (as_uint(low) + 0x8000u) >> 16;
    return ((as_uint(high) + 0x8000u - l) & 0xffff0000u) | l;
}
static inline float lowOf(uint pair) { return as_float(pair << 16); }
static inline float highOf(uint pair) { return as_float(pair & 0xffff0000u); }
static inline float wordOf(uint pair) { return as_float(pair); }
static inline uint bfloat16Bits(float x) { uint b = as_uint(x); return (b + 0x7fffu + (b >> 16 & 1)) >> 16; }

// element `e` of lane stream words held in registers
static inline float bfloat16At(const uint* words, int e) {
    return e % 2 == 0 ? lowOf(words[e / 2]) : highOf(words[e / 2]);
}

// the words of a lane stream of `words` words a lane
static inline void loadStream(uint* to, const __local uchar* from, int lane, int words) {
    int w = 0;
    #pragma unroll
    for (; w + 4 <= words; w += 4) {
        uint4 v = *(const __local uint4*)(from + w * 128 + lane * 16);
        to[w] = v.x; to[w + 1] = v.y; to[w + 2] = v.z; to[w + 3] = v.w;
    }
    if (w + 2 <= words) {
        uint2 v = *(const __local uint2*)(from + w * 128 + lane * 8);
        to[w] = v.x; to[w + 1] = v.y;
        w += 2;
    }
    if (w < words) to[w] = *(const __local uint*)(from + w * 128 + lane * 4);
}

// Adds the products of `elements` kept key entries of the lane (two tokens by turns) with the four heads' query
// numbers.
#if KEY_BYTES == 2
#define KEY_SUM float
#define KEY_SUMS G
static inline void addKeys(float sum[2][G], const uint* indices, const uint* residuals, int elements, uint tableBase) {
    #pragma unroll
    for (int e = 0; e < elements; e++) {
        uint2 u = loadShared2(byteOffset(indices[e / 4], 8u << 8 * (e % 4), tableBase));
        float x = bfloat16At(residuals, e);
        sum[e % 2][0] += x * lowOf(u.x);
        sum[e % 2][1] += x * wordOf(u.x);
        sum[e % 2][2] += x * lowOf(u.y);
        sum[e % 2][3] += x * wordOf(u.y);
    }
}
#else
#define KEY_SUM uint
#define KEY_SUMS (G / 2)
static inline void addKeys(uint sum[2][G / 2], const uint* indices, const uint* residuals, int elements,
        uint tableBase) {
    #pragma unroll
    for (int e = 0; e < elements; e += 2) {
        uint x = halvesOf(residuals[e / 4] ^ 0x80808080u, e % 4);
        #pragma unroll
        for (int k = 0; k < 2; k++) {
            uint2 u = loadShared2(byteOffset(indices[e / 4], 8u << 8 * (e % 4 + k), tableBase));
            sum[k][0] = fmaHalf(x, k, u.x, sum[k][0]);
            sum[k][1] = fmaHalf(x, k, u.y, sum[k][1]);
        }
    }
}
#endif

// Adds the products of `elements` kept value entries of the lane (its C channels by turns) with the four heads'
// weights.
#if VALUE_BYTES == 2
#define PACK_WEIGHTS packWeights
#define LOW_WEIGHT lowOf
#define HIGH_WEIGHT wordOf
static inline void addValues(float sum[C][G], const uint* indices, const uint* residuals, int elements,
        uint weightBase) {
    #pragma unroll
    for (int e = 0; e < elements; e++) {
        const uint address = byteOffset(indices[e / 4], 4u << 8 * (e % 4), weightBase), p01 = loadShared(address),
                p23 = loadShared(address + 256);
        float x = bfloat16At(residuals, e);
        sum[e % C][0] += x * lowOf(p01);
        sum[e % C][1] += x * wordOf(p01);
        sum[e % C][2] += x * lowOf(p23);
        sum[e % C][3] += x * wordOf(p23);
    }
}
#else
#define PACK_WEIGHTS packHalves
#define LOW_WEIGHT lowHalf
#define HIGH_WEIGHT highHalf
static inline void addValues(uint sum[C][G / 2], const uint* indices, const uint* residuals, int elements,
        uint weightBase) {
    #pragma unroll
    for (int e = 0; e < elements; e += 2) {
        uint x = halvesOf(residuals[e / 4] ^ 0x80808080u, e % 4);
        #pragma unroll
        for (int k = 0; k < 2; k++) {
            const uint address = byteOffset(indices[e / 4], 4u << 8 * (e % 4 + k), weightBase),
                    p01 = loadShared(address), p23 = loadShared(address + 256);
            sum[(e + k) % C][0] = fmaHalf(x, k, p01, sum[(e + k) % C][0]);
            sum[(e + k) % C][1] = fmaHalf(x, k, p23, sum[(e + k) % C][1]);
        }
    }
}
#endif

// ------------------------------------------------------------------ merging
// A partial result is a sum of values [G][D] under weights relative to a reference, and [G] pairs of that reference and
// the weights' sum.
#define COLUMNS (G * D / 4)                                // float4 columns of a partial result

// Every warp merges its share of `count` partial results and leaves what it gets in local memory, as the tile loop did.
static inline void gather(const __global float4* sums, const __global float2* stats, uint count,
        __local float4* warpSums, __local float2* warpStats) {
    const int warp = get_local_id(0) / 32, lane = get_local_id(0) % 32;
    float4 sum[COLUMNS / 32];
    float reference[COLUMNS / 32], weight[COLUMNS / 32];
    #pragma unroll
    for (int k = 0; k < COLUMNS / 32; k++) { sum[k] = (float4)(0); reference[k] = -INFINITY; weight[k] = 0; }
    #pragma unroll 2
    for (uint s = warp; s < count; s += WARPS) {
        #pragma unroll
        for (int k = 0; k < COLUMNS / 32; k++) {
            float2 stat = stats[s * G + (lane + 32 * k) * 4 / D];
            float4 other = sums[s * COLUMNS + lane + 32 * k];
            float m = fmax(reference[k], stat.x);
            float f = exp2Fast(reference[k] - m), h = exp2Fast(stat.x - m);
            weight[k] = weight[k] * f + stat.y * h;
            sum[k] = sum[k] * f + other * h;
            reference[k] = m;
        }
    }
    #pragma unroll
    for (int k = 0; k < COLUMNS / 32; k++) {
        warpSums[warp * COLUMNS + lane + 32 * k] = sum[k];
        if ((lane + 32 * k) * 4 % D == 0) {
            float2 stat; stat.x = reference[k]; stat.y = weight[k];
            warpStats[warp * G + (lane + 32 * k) * 4 / D] = stat;
        }
    }
}

// Merges what the warps left in local memory: to a partial result, or to the output.
static inline void mergeWarps(const __local float4* warpSums, const __local float2* warpStats, __global float4* sums,
        __global float2* stats, int heads, int last) {
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (int c = get_local_id(0); c < COLUMNS; c += THREADS) {
        int g = c * 4 / D;
        float m = warpStats[g].x;
        #pragma unroll
        for (int w = 1; w < WARPS; w++) m = fmax(m, warpStats[w * G + g].x);
        float4 sum = (float4)(0);
        float weight = 0;
        #pragma unroll
        for (int w = 0; w < WARPS; w++) {
            float f = exp2Fast(warpStats[w * G + g].x - m);
            sum += f * warpSums[w * COLUMNS + c];
            weight += f * warpStats[w * G + g].y;
        }
        if (last) {
            if (g < heads) sums[c] = sum * (1 / weight);
        } else {
            sums[c] = sum;
            if (c * 4 % D == 0) { float2 stat; stat.x = m; stat.y = weight; stats[g] = stat; }
        }
    }
}

// Whether this group is the last of `count` to arrive. All groups' earlier writes are visible to it.
static inline int lastToArrive(__global uint* arrivals, uint count, __local uint* order) {
    fenceDevice();
    barrier(CLK_LOCAL_MEM_FENCE);
    if (get_local_id(0) == 0) {
        uint n = atomic_inc(arrivals);
        if (n == count - 1) *arrivals = 0;                 // for the next step
        *order = n;
        fenceDevice();
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return *order == count - 1;
}

// ------------------------------------------------------------------ the decode step

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void decode(const __global float* queries,        // [kvHeads][HEADS][D]
            const __global float* scales,         // [kvHeads][D]
            const __global uchar* packed,         // [kvHeads][packedReserved][TILE_BYTES]
            const __global uchar* dense,          // [kvHeads][denseReserved][DENSE_BYTES]
            // sums [kvHeads * PASSES][splits + clusters][G][D], then pairs [..][..][G]
            __global float* partials,
            // [kvHeads * PASSES][clusters + 1]: zero before the first step, left zero by each
            __global uint* arrivals,
            __global float* output,               // [kvHeads][HEADS][D]
            uint packedReserved, uint packedTokens, uint denseReserved, uint denseTokens, uint splits,
                    uint clusterSize) {
    __local uchar arena[ARENA_BYTES] __attribute__((aligned(128)));
#if KEYS_DENSE
    __local float4 denseQuery[D];                          // the query in units of log2
#else
    __local uint2 denseQuery[D];                           // the same as pairs of bfloat16, for the tail
    __local uint2 table[D] __attribute__((aligned(16)));   // the scaled query, four heads a channel
    // the query as operand of the tensor cores: [2][32] for signs, [4][32] for means
    __local uint4 fragments[6 * 32];
    __local float largestOfWarp[WARPS];
#endif
    __local ulong barriers[2 * WARPS];
    __local uint arrivalOrder;

    const uint split = get_group_id(0), groupRow = get_group_id(1), kvHead = groupRow / PASSES;
    const int firstHead = groupRow % PASSES * G, heads = min(G, HEADS - firstHead);
    const int thread = get_local_id(0), warp = thread / 32, lane = thread % 32;
    const int row = lane >> 2, quarter = lane & 3;         // the lane's place in an operand of the tensor cores
    // dense tiles come first
    const uint denseTiles = (denseTokens + 63) / 64, tiles = denseTiles + (packedTokens + 63) / 64;
    const uint firstTile = (uint)((ulong)tiles * split / splits) + warp,
            endTile = (uint)((ulong)tiles * (split + 1) / splits);
    const __global uchar* packedTiles = packed + (size_t)kvHead * packedReserved * TILE_BYTES;
    const __global uchar* denseTilesOfHead = dense + (size_t)kvHead * denseReserved * DENSE_BYTES;

    __local uchar* scratch = arena + warp * SCRATCH_BYTES;
    __local uchar* stage = arena + WARPS * SCRATCH_BYTES + warp * STAGE_BYTES;
    const uint keyBarrier = sharedAddress(barriers + 2 * warp), valueBarrier = keyBarrier + 8;
    const uint keyStage = sharedAddress(stage), valueStage = keyStage + STAGE_KEYS;
#define PACKED_TILE(tile) (packedTiles + (size_t)TILE_AT((tile) - denseTiles) * TILE_BYTES)
#define COPY_KEYS(tile) if (!KEYS_DENSE && lane == 0) copyToLocal(keyStage, PACKED_TILE(tile), KEY_PART, keyBarrier)
#define COPY_VALUES(tile) if (!VALUES_DENSE && lane == 0) copyToLocal(valueStage, PACKED_TILE(tile) + KEY_PART, \
    VALUE_PART, valueBarrier)

    // ---- the query is asked for first: behind the copies of all the tiles it would arrive microseconds later
    float u[(D + THREADS - 1) / THREADS][G], inverse[(D + THREADS - 1) / THREADS];
    #pragma unroll
    for (int i = 0; i < (D + THREADS - 1) / THREADS; i++) {
        const int j = min(thread + i * THREADS, D - 1);    // the last channel more than once rather than a branch
        inverse[i] = KEYS_DENSE ? 1.0f : 1 / scales[kvHead * D + j];
        #pragma unroll
        for (int g = 0; g < G; g++)
            u[i][g] = g < heads ? queries[(size_t)(kvHead * HEADS + firstHead + g) * D + j] * SCORE_SCALE : 0.0f;
    }
    if (lane == 0) {
        initBarrier(keyBarrier);
        initBarrier(valueBarrier);
        fenceBarriers();
    }
    if (QUERY_FITS && firstTile >= denseTiles && firstTile < endTile) {
        COPY_KEYS(firstTile);
        COPY_VALUES(firstTile);
    }
// a gap every 32 channels keeps the reads below free of bank conflicts
#define QUERY(j, g) (((j) + (j) / 32) * G + (g))
    __local float* query = (__local float*)arena;          // in the scratch of all warps
    float largest = 0;
    #pragma unroll
    for (int i = 0; i < (D + THREADS - 1) / THREADS; i++) {
        const int j = min(thread + i * THREADS, D - 1);
#if KEYS_DENSE
        denseQuery[j] = (float4)(u[i][0], u[i][1], u[i][2], u[i][3]);
#else
        denseQuery[j] = (uint2)(packPair(u[i][0], u[i][1]), packPair(u[i][2], u[i][3]));
        #pragma unroll
        for (int g = 0; g < G; g++) {
            u[i][g] *= inverse[i];
            query[QUERY(j, g)] = u[i][g];
            largest = fmax(largest, fabs(u[i][g]));
        }
#if KEY_BYTES == 2
        table[j] = (uint2)(packPair(u[i][0], u[i][1]), packPair(u[i][2], u[i][3]));
#endif
#endif
    }
#if !KEYS_DENSE
    #pragma unroll
    for (int x = 16; x > 0; x >>= 1) largest = fmax(largest, shuffleXor(largest, x));
    if (lane == 0) largestOfWarp[warp] = largest;
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (int w = 0; w < WARPS; w++) largest = fmax(largest, largestOfWarp[w]);
#if KEY_BYTES == 1
    const float tableUnit = largest > 0 ? KEY_TABLE_SCALE / largest : 0.0f,
            tableScale = largest * (1 / KEY_TABLE_SCALE);
    for (int j = thread; j < D; j += THREADS) {
        const float4 v = *(__local float4*)(query + QUERY(j, 0)) * tableUnit;
        table[j] = (uint2)(packHalves(v.x, v.y), packHalves(v.z, v.w));
    }
#endif
    // Columns of the right operand: column = lane / 4 is of head column / 2 and has, in turns, its high and its low
    // digits.
    const int columnHead = row >> 1, lowDigits = row & 1;
#if KEY_SIGNS
    const float unit = largest > 0 ? 32000.0f / largest : 0.0f;
    const float signScale = largest * (2.0f / 32000.0f);
    for (int i = warp; i < 8; i += WARPS) {                // bytes; a sign bit in place i of its byte counts 2^(i % 4)
        const float scaled = unit * as_float((uint)(127 - (i & 3)) << 23);
        uint bytes = 0;
        #pragma unroll
        for (int b = 0; b < 4; b++) {
            const int value = convert_int_rte(query[QUERY(32 * quarter + 8 * b + i, columnHead)] * scaled),
                    low = (char)value;
            bytes |= (uint)((lowDigits ? low : (value - low) >> 8) & 255) << 8 * b;
        }
        ((__local uint*)fragments)[i / 4 * 128 + lane * 4 + i % 4] = bytes;
    }
#endif
#if CENTERED
    for (int i = warp; i < 16; i += WARPS) {               // pairs of bfloat16
        uint pair = 0;
        #pragma unroll
        for (int b = 0; b < 2; b++) {
            const float x = query[QUERY(32 * quarter + 2 * i + b, columnHead)];
            const uint high = bfloat16Bits(x);
            pair |= (lowDigits ? bfloat16Bits(x - as_float(high << 16)) : high) << 16 * b;
        }
        ((__local uint*)fragments)[256 + i / 4 * 128 + lane * 4 + i % 4] = pair;
    }
#endif
#endif
    if (!QUERY_FITS) fenceCopies();                        // the query was where the stages are
    barrier(CLK_LOCAL_MEM_FENCE);
#if !KEYS_DENSE && KEY_SIGNS
    // a sum under signs is twice the sum over set bits, less that over all
    int minusHalfAll;
    {
        const uint4 q0 = fragments[lane], q1 = fragments[32 + lane];
        const uint signQuery[8] = {q0.x, q0.y, q0.z, q0.w, q1.x, q1.y, q1.z, q1.w};
        int all[4] = {0, 0, 0, 0};
        #pragma unroll
        for (int k = 0; k < 4; k++) {
            const uint even = 0x01010101u << (2 * k & 3), odd = even << 1;
            MMA_INT8(all, even, even, odd, odd, signQuery[2 * k], signQuery[2 * k + 1]);
        }
        minusHalfAll = -((all[0] * 256 + all[1]) / 2);
    }
#endif
    if (!QUERY_FITS && firstTile >= denseTiles && firstTile < endTile) {
        COPY_KEYS(firstTile);
        COPY_VALUES(firstTile);
    }

    const uint weightBase = sharedAddress(scratch);
#if !KEYS_DENSE
    const uint tableBase = sharedAddress(table);
#endif
    const float halfWeight = as_float((uint)(127 + WEIGHT_EXPONENT - (lane & 7)) << 23);
    float reference[G] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    float kept[C][G];                                      // sums of kept values: the lane's channels lane + 32 c
    float underSign[4 * C];                                // sums under signs: channels 8 i + row of head `quarter`
    float weightSum = 0;                                   // of head `quarter`
    #pragma unroll
    for (int c = 0; c < C; c++) for (int g = 0; g < G; g++) kept[c][g] = 0;
    #pragma unroll
    for (int i = 0; i < 4 * C; i++) underSign[i] = 0;
    uint parity = 0;

    for (uint tile = firstTile; tile < endTile; tile += WARPS) {
        const int isDense = tile < denseTiles;
        const __global uchar* source = isDense ? denseTilesOfHead + (size_t)tile * DENSE_BYTES : PACKED_TILE(tile);
        // from here on
        const uint tokens = isDense ? denseTokens - tile * 64 : packedTokens - (tile - denseTiles) * 64;
        const uint next = tile + WARPS;
        // ---------------------------------------------------------------- scores of tokens lane, lane + 32
        float score[2][G];
        if (KEYS_DENSE || isDense) {
            if (isDense && next >= denseTiles && next < endTile) {         // the stages are free
                COPY_KEYS(next);
                COPY_VALUES(next);
            }
            float4 sum[2];
            sum[0] = sum[1] = (float4)(0.0f);
            const __global uint4* rows = (const __global uint4*)source + lane;
            #pragma unroll ROWS_AHEAD
            for (int i = 0; i < D / 4; i++) {              // four channels of two tokens
                const uint4 v = rows[i * 32];
                const uint words[4] = {v.x, v.y, v.z, v.w};
                #pragma unroll
                for (int j = 0; j < 4; j++) {
#if KEYS_DENSE
                    const float4 q = denseQuery[4 * i + j];
#else
                    const uint2 pairs = denseQuery[4 * i + j];
                    const float4 q = (float4)(lowOf(pairs.x), wordOf(pairs.x), lowOf(pairs.y), wordOf(pairs.y));
#endif
                    sum[0] += lowOf(words[j]) * q;
                    sum[1] += highOf(words[j]) * q;
                }
            }
            #pragma unroll
            for (int k = 0; k < 2; k++) {
                score[k][0] = sum[k].x; score[k][1] = sum[k].y; score[k][2] = sum[k].z; score[k][3] = sum[k].w;
            }
        }
#if !KEYS_DENSE
        else {
            const __local uchar* keys = stage;
            await(keyBarrier, parity);
            KEY_SUM sum[2][KEY_SUMS];
            #pragma unroll
            for (int k = 0; k < 2; k++) for (int g = 0; g < KEY_SUMS; g++) sum[k][g] = 0;
            {
                const __local uchar* i = keys + KEY_INDICES;
                const __local uchar* r = keys + KEY_RESIDUALS;
                uint indices[4], residuals[4 * KEY_BYTES];
                #pragma unroll 4
                for (int chunk = 0; chunk < 2 * T / 16; chunk++) {
                    loadStream(indices, i, lane, 4);
                    loadStream(residuals, r, lane, 4 * KEY_BYTES);
                    addKeys(sum, indices, residuals, 16, tableBase);
                    i += 512;
                    r += 512 * KEY_BYTES;
                }
                loadStream(indices, i, lane, WORDS(2 * T % 16, 1));
                loadStream(residuals, r, lane, WORDS(2 * T % 16, KEY_BYTES));
                addKeys(sum, indices, residuals, 2 * T % 16, tableBase);
            }
#if CENTERED
            float mean[4] = {0, 0, 0, 0};                  // all rows of the left operand are the means
            #pragma unroll
            for (int k = 0; k < 4; k++) {
                const uint4 m = *(const __local uint4*)(keys + quarter * 64 + k * 16),
                        q = fragments[64 + k * 32 + lane];
                MMA_BFLOAT16(mean, m.x, m.x, m.y, m.y, q.x, q.y);
                MMA_BFLOAT16(mean, m.z, m.z, m.w, m.w, q.z, q.w);
            }
            mean[0] += mean[1];                            // of head `quarter`
#endif
#if KEY_SIGNS
            {                                              // rows are the tokens 16 m + row and 16 m + 8 + row
                const uint4 q0 = fragments[lane], q1 = fragments[32 + lane];
                const uint signQuery[8] = {q0.x, q0.y, q0.z, q0.w, q1.x, q1.y, q1.z, q1.w};
                const __local uint* signs = (const __local uint*)(keys + KEY_SIGN_WORDS);
                #pragma unroll
                for (int m = 0; m < 4; m++) {
                    const uint w0 = signs[m * 64 + lane], w1 = signs[m * 64 + 32 + lane];
                    int sums[4] = {0, minusHalfAll, 0, minusHalfAll};
                    #pragma unroll
                    for (int k = 0; k < 4; k++) {
                        const uint x0 = k < 2 ? w0 : w0 >> 4, x1 = k < 2 ? w1 : w1 >> 4;
                        const uint even = 0x01010101u << (2 * k & 3), odd = even << 1;
                        MMA_INT8(sums, x0 & even, x1 & even, x0 & odd, x1 & odd, signQuery[2 * k],
                                signQuery[2 * k + 1]);
                    }
                    ((__local float*)scratch)[m * 64 + lane] = (float)(sums[0] * 256 + sums[1]);
                    ((__local float*)scratch)[m * 64 + 32 + lane] = (float)(sums[2] * 256 + sums[3]);
                }
            }
            const uint amplitudes = *(const __local uint*)(keys + KEY_AMPLITUDES + lane * 4);
#endif
#if KEY_BYTES == 1
            const uint residualScales = *(const __local uint*)(keys + KEY_SCALES + lane * 4);
#endif
            syncWarp();
            if (next < endTile) COPY_KEYS(next);
            #pragma unroll
            for (int k = 0; k < 2; k++) {
#if KEY_BYTES == 1
                const float residualScale = (k == 0 ? lowOf(residualScales) : highOf(residualScales)) * tableScale;
                score[k][0] = lowHalf(sum[k][0]) * residualScale; score[k][1] = highHalf(sum[k][0]) * residualScale;
                score[k][2] = lowHalf(sum[k][1]) * residualScale; score[k][3] = highHalf(sum[k][1]) * residualScale;
#else
                #pragma unroll
                for (int g = 0; g < G; g++) score[k][g] = sum[k][g];
#endif
#if KEY_SIGNS
                const float amplitude = (k == 0 ? lowOf(amplitudes) : highOf(amplitudes)) * signScale;
                const float4 sums = ((__local float4*)scratch)[lane + 32 * k];
                score[k][0] += amplitude * sums.x; score[k][1] += amplitude * sums.y;
                score[k][2] += amplitude * sums.z; score[k][3] += amplitude * sums.w;
#endif
#if CENTERED
                #pragma unroll
                for (int g = 0; g < G; g++) score[k][g] += shuffleFrom(mean[0], g);
#endif
            }
            syncWarp();
        }
#endif
        if (tokens < 64) {
            #pragma unroll
            for (int g = 0; g < G; g++) {
                if (lane >= tokens) score[0][g] = -INFINITY;
                if (lane + 32 >= tokens) score[1][g] = -INFINITY;
            }
        }
        // ---------------------------------------------------------------- weights
        int above = 0;
        #pragma unroll
        for (int g = 0; g < G; g++)
            above |= fmax(score[0][g], score[1][g]) > reference[g] + (float)(STEP + WEIGHT_SHIFT);
        if (anyLane(above)) {
            float shrink[G];
            #pragma unroll
            for (int g = 0; g < G; g++) {
                float m = fmax(score[0][g], score[1][g]);
                #pragma unroll
                for (int x = 16; x > 0; x >>= 1) m = fmax(m, shuffleXor(m, x));
                m = fmax(m - WEIGHT_SHIFT, reference[g]);
                shrink[g] = exp2Fast(reference[g] - m);
                reference[g] = m;
            }
            #pragma unroll
            for (int c = 0; c < C; c++) for (int g = 0; g < G; g++) kept[c][g] *= shrink[g];
            const float own = quarter < 2 ? (quarter == 0 ? shrink[0] : shrink[1])
                    : (quarter == 2 ? shrink[2] : shrink[3]);
            weightSum *= own;
            #pragma unroll
            for (int i = 0; i < 4 * C; i++) underSign[i] *= own;
        }
        // Scratch: pairs of heads 0 and 1 of all tokens, then of heads 2 and 3; then for every head pairs of the tokens
        // t and t + 32 as halves, less by 2^(t % 8), since the sign bit in place t % 8 counts that much more.
        __local uint* weights = (__local uint*)scratch;
        #pragma unroll
        for (int k = 0; k < 2; k++) {
            #pragma unroll
            for (int g = 0; g < G; g++) score[k][g] = exp2Fast(score[k][g] - reference[g]);
            weights[lane + 32 * k] = PACK_WEIGHTS(score[k][0], score[k][1]);
            weights[64 + lane + 32 * k] = PACK_WEIGHTS(score[k][2], score[k][3]);
        }
        #pragma unroll
        for (int g = 0; g < G; g++)
            weights[128 + 32 * g + lane] = packHalves(score[0][g] * halfWeight, score[1][g] * halfWeight);
        syncWarp();
        // of tokens 8 quarter + i and 8 quarter + i + 32, head row / 2
        uint halves[8];
        {
            const uint4 w0 = ((__local uint4*)scratch)[32 + 8 * (row >> 1) + 2 * quarter],
                    w1 = ((__local uint4*)scratch)[33 + 8 * (row >> 1) + 2 * quarter];
            halves[0] = w0.x; halves[1] = w0.y; halves[2] = w0.z; halves[3] = w0.w;
            halves[4] = w1.x; halves[5] = w1.y; halves[6] = w1.z; halves[7] = w1.w;
        }
        float total[4] = {0, 0, 0, 0};                     // the weights of head `quarter`: as if all signs were plus
        #pragma unroll
        for (int k = 0; k < 4; k++) {
            const uint even = 0x00010001u << 2 * k, odd = even << 1;
            MMA_HALF(total, even, even, odd, odd, halves[2 * k], halves[2 * k + 1]);
        }
        weightSum += total[0];
        // ---------------------------------------------------------------- values
        if (VALUES_DENSE || isDense) {
            const __global uint4* rows = (const __global uint4*)(source + (isDense ? DENSE_KEYS : KEY_PART)) + lane;
            #pragma unroll ROWS_AHEAD
            for (int i = 0; i < 32; i++) {                 // two tokens of the lane's four channels
                const uint4 v = rows[i * 32];
                const uint words[4] = {v.x, v.y, v.z, v.w};
                #pragma unroll
                for (int b = 0; b < 2; b++) {
                    const uint p01 = weights[2 * i + b], p23 = weights[64 + 2 * i + b];
                    #pragma unroll
                    for (int c = 0; c < C; c++) {
                        const float x = c % 2 == 0 ? lowOf(words[2 * b + c / 2]) : highOf(words[2 * b + c / 2]);
                        kept[c][0] += x * LOW_WEIGHT(p01); kept[c][1] += x * HIGH_WEIGHT(p01);
                        kept[c][2] += x * LOW_WEIGHT(p23); kept[c][3] += x * HIGH_WEIGHT(p23);
                    }
                }
            }
            syncWarp();
        }
#if !VALUES_DENSE
        else {
            const __local uchar* values = stage + STAGE_KEYS;
            await(valueBarrier, parity);
#if VALUE_SIGNS
            {                                              // rows are the channels 16 m + row and 16 m + 8 + row
                const float minusHalf = -0.5f * total[0];  // as for the keys
                const int shift = 8 * (quarter & 1);
                float amplitude[4 * C];                    // of channels 8 i + row
                #pragma unroll
                for (int a = 0; a < 4; a++) {
                    const uint2 b = *(const __local uint2*)(values + VALUE_AMPLITUDES + (8 * a + row) * 8);
                    amplitude[a] = lowOf(b.x); amplitude[4 + a] = highOf(b.x);
                    amplitude[8 + a] = lowOf(b.y); amplitude[12 + a] = highOf(b.y);
                }
                const __local uint* signs = (const __local uint*)(values + VALUE_SIGN_WORDS) + row * 2 + (quarter >> 1);
                #pragma unroll
                for (int m = 0; m < 2 * C; m++) {
                    const uint w0 = signs[m * 32] >> shift, w1 = signs[m * 32 + 16] >> shift;
                    float sums[4] = {minusHalf, minusHalf, minusHalf, minusHalf};
                    #pragma unroll
                    for (int k = 0; k < 4; k++) {
                        const uint even = 0x00010001u << 2 * k, odd = even << 1;
                        MMA_HALF(sums, w0 & even, w1 & even, w0 & odd, w1 & odd, halves[2 * k], halves[2 * k + 1]);
                    }
                    underSign[2 * m] += amplitude[2 * m] * sums[0];
                    underSign[2 * m + 1] += amplitude[2 * m + 1] * sums[2];
                }
            }
#endif
            {
                const __local uchar* i = values + VALUE_INDICES;
                const __local uchar* r = values;
                uint indices[4], residuals[4 * VALUE_BYTES];
#if VALUE_BYTES == 1
                uint sum[C][G / 2];
                #pragma unroll
                for (int c = 0; c < C; c++) for (int g = 0; g < G / 2; g++) sum[c][g] = 0;
#else
#define sum kept
#endif
                #pragma unroll 4
                for (int chunk = 0; chunk < C * K / 16; chunk++) {
                    loadStream(indices, i, lane, 4);
                    loadStream(residuals, r, lane, 4 * VALUE_BYTES);
                    addValues(sum, indices, residuals, 16, weightBase);
                    i += 512;
                    r += 512 * VALUE_BYTES;
                }
                loadStream(indices, i, lane, WORDS(C * K % 16, 1));
                loadStream(residuals, r, lane, WORDS(C * K % 16, VALUE_BYTES));
                addValues(sum, indices, residuals, C * K % 16, weightBase);
#if VALUE_BYTES == 1
                const uint2 s = *(const __local uint2*)(values + VALUE_SCALES + lane * 8);
                const float residualScale[C] = {lowOf(s.x), highOf(s.x), lowOf(s.y), highOf(s.y)};
                #pragma unroll
                for (int c = 0; c < C; c++) {
                    kept[c][0] += residualScale[c] * lowHalf(sum[c][0]);
                    kept[c][1] += residualScale[c] * highHalf(sum[c][0]);
                    kept[c][2] += residualScale[c] * lowHalf(sum[c][1]);
                    kept[c][3] += residualScale[c] * highHalf(sum[c][1]);
                }
#endif
#undef sum
            }
            syncWarp();
            if (next < endTile) COPY_VALUES(next);
        }
#endif
        if (!isDense) parity ^= 1;
    }

    // ---------------------------------------------------------------- merge of the warps, then of the splits

    barrier(CLK_LOCAL_MEM_FENCE);
    __local float4* warpSums = (__local float4*)arena;     // [warp][G][D]
    __local float2* warpStats = (__local float2*)(warpSums + WARPS * COLUMNS);
    {
        __local float* own = (__local float*)(warpSums + warp * COLUMNS);
        // a bit in place i of a half is 2^(i - 24)
        const float weightScale = as_float((uint)(127 + 24 - WEIGHT_EXPONENT) << 23);
#if !VALUES_DENSE && VALUE_SIGNS
        #pragma unroll
        for (int i = 0; i < 4 * C; i++) own[quarter * D + 8 * i + row] = 2 * weightScale * underSign[i];
        syncWarp();
        #pragma unroll
        for (int c = 0; c < C; c++) for (int g = 0; g < G; g++) kept[c][g] += own[g * D + lane + 32 * c];
#endif
        #pragma unroll
        for (int c = 0; c < C; c++) for (int g = 0; g < G; g++) own[g * D + lane + 32 * c] = kept[c][g];
        if (lane < G) {                                    // lane g is of quarter g
            const float own = lane < 2 ? (lane == 0 ? reference[0] : reference[1])
                    : (lane == 2 ? reference[2] : reference[3]);
            warpStats[warp * G + lane] = (float2)(own, weightSum * weightScale);
        }
    }
    __global float4* headOutput = (__global float4*)output + (size_t)(kvHead * HEADS + firstHead) * (D / 4);
    if (splits == 1) {
        mergeWarps(warpSums, warpStats, headOutput, (__global float2*)0, heads, 1);
        return;
    }
    // Up to clusterSize splits are merged at once; more in clusters first, then the clusters.
    const uint clusters = clusterSize >= splits ? 0 : (splits + clusterSize - 1) / clusterSize;
    const uint slots = splits + clusters, cluster = clusters > 0 ? split / clusterSize : 0;
    __global float4* sums = (__global float4*)partials + (size_t)groupRow * slots * COLUMNS;
    __global float4* allStats = (__global float4*)partials + (size_t)get_num_groups(1) * slots * COLUMNS;
    __global float2* stats = (__global float2*)allStats + (size_t)groupRow * slots * G;
    __global uint* headArrivals = arrivals + groupRow * (clusters + 1);
    uint slot = split, first = cluster * clusterSize, count = min(splits - first, clusterSize), counter = cluster;
    int last = clusters == 0;
    for (;;) {
        mergeWarps(warpSums, warpStats, sums + slot * COLUMNS, stats + slot * G, G, 0);
        if (!lastToArrive(headArrivals + counter, count, &arrivalOrder)) return;
        gather(sums + first * COLUMNS, stats + first * G, count, warpSums, warpStats);
        if (last) break;
        slot = splits + cluster;
        first = splits;
        count = clusters;
        counter = clusters;
        last = 1;
    }
    mergeWarps(warpSums, warpStats, headOutput, (__global float2*)0, heads, 1);
}
