// The decode step on NVIDIA devices of compute capability 9.0 and up, for heads of 128 channels.
//
// A work-group is WARPS warps. A warp has a tile of 64 tokens in hand at a time, while the copy engine
// fetches its next one: keys and values have a stage in local memory and a barrier each, so that either is
// asked for as soon as its stage is free. Kept entries are looked up in tables of four heads; sums under
// signs are products on the tensor cores, for keys with sign bits as an operand, by one mask each, for
// values with sign bits that choose what is added. Warps meet only before and after the loop. The last group
// of a head to arrive merges the partial results.

#define THREADS (32 * WARPS)
#define WORDS(elements, bytes) (((elements) * (bytes) + 3) / 4) // words of a lane in a stream

// Local memory: the scratch of every warp, then its stages; after the loop the results of warps.
#define SCRATCH_BYTES 1024
#define STAGE_KEYS (KEYS_DENSE ? 0 : VALUES)
#define STAGE_VALUES (VALUES_DENSE ? 0 : TILE_BYTES - VALUES)
#define STAGE_BYTES (STAGE_KEYS + STAGE_VALUES)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define RESULT_BYTES (WARPS * HEADS * (HEAD_DIM * 4 + 8))
#define ARENA_BYTES MAX(LEAST_ARENA_BYTES, MAX(WARPS *(SCRATCH_BYTES + STAGE_BYTES), RESULT_BYTES))
#define OWN_CHANNELS ((HEAD_DIM + THREADS - 1) / THREADS) // of which a work-item writes the tables

#define STEP \
    1 // the reference is raised when a score exceeds it by this much (log2): rarely, after the first tiles
#define ROWS_AHEAD (KEYS_DENSE || VALUES_DENSE ? 16 : 4) // rows of a dense tile asked for at a time
#define WEIGHT_EXPONENT \
    (15 - STEP - WEIGHT_SHIFT) // 2^(STEP + WEIGHT_SHIFT + WEIGHT_EXPONENT) is still a half
#define SCORE_SCALE (1.4426950408889634f * 0.08838834764831845f) // log2(e) / sqrt(HEAD_DIM)

// PTX.
#define shared_address(p) ((uint) (size_t) (p))

static inline void init_barrier(uint barrier) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(barrier) : "memory");
}

// The barrier is passed once so many bytes have been copied.
static inline void expect_bytes(uint barrier, uint bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
            : "memory");
}

// What is copied is read once: the cache is to keep other things.
static inline void copy_to_local(uint to, const global uchar *from, uint bytes, uint barrier) {
    asm volatile("{\n.reg .b64 policy;\ncreatepolicy.fractional.L2::evict_first.b64 policy, 1.0;\n"
                 "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, "
                 "[%3], policy;\n}" ::"r"(to),
            "l"(from), "r"(bytes), "r"(barrier)
            : "memory");
}

static inline void await(uint barrier, uint parity) {
    asm volatile("{\n.reg .pred done;\nWAIT:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], "
                 "%1;\n@done bra DONE;\nbra WAIT;\nDONE:\n}" ::"r"(barrier),
            "r"(parity)
            : "memory");
}

// How many arrived before; the last of `count` sets the counter back. What was written before is visible to
// those who arrive later.
static inline uint arrive(global uint *counter, uint count) {
    uint before;
    asm volatile("atom.acq_rel.gpu.global.inc.u32 %0, [%1], %2;"
            : "=r"(before)
            : "l"(counter), "r"(count - 1)
            : "memory");
    return before;
}

// Makes new barriers, and the room of the stages, known to the copy engine.
static inline void fence_barriers() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

static inline void sync_warp() {
    asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
}

static inline int any_lane(int condition) {
    int any;
    asm volatile("{\n.reg .pred p, r;\nsetp.ne.s32 p, %1, 0;\nvote.sync.any.pred r, p, "
                 "0xffffffff;\nselp.s32 %0, 1, 0, r;\n}"
            : "=r"(any)
            : "r"(condition));
    return any;
}

static inline float shuffle_xor(float x, int mask) {
    float y;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=f"(y) : "f"(x), "r"(mask));
    return y;
}

static inline uint broadcast(uint x, int lane) {
    uint y;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(y) : "r"(x), "r"(lane));
    return y;
}

static inline float shuffle_from(float x, int lane) {
    float y;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=f"(y) : "f"(x), "r"(lane));
    return y;
}

// base + stride * (byte of word that has its bit in select); select = stride << 8 * byte, stride <= 128.
static inline uint byte_offset(uint word, uint select, uint base) {
    uint address;
    asm("dp4a.u32.u32 %0, %1, %2, %3;" : "=r"(address) : "r"(word), "r"(select), "r"(base));
    return address;
}

static inline uint2 load_shared2(uint address) {
    uint x, y;
    asm("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(x), "=r"(y) : "r"(address));
    uint2 v;
    v.x = x;
    v.y = y;
    return v;
}

static inline float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

static inline uint pack_halves(float low, float high) {
    uint r;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
    return r;
}

// two int8 (offset by 128: bytes `byte` and `byte` + 1 of `word`) as two halves; `exponents` is 0x64646464
static inline uint halves_of(uint word, int byte, uint exponents) {
    uint pair, minus = 0xe480e480u; // -1152
    asm("prmt.b32 %0, %1, %2, %3;"
            : "=r"(pair)
            : "r"(word), "r"(exponents), "r"(byte == 0 ? 0x4140u : 0x4342u));
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(pair) : "r"(pair), "r"(minus));
    return pair;
}
// sums += (low or high half of `pair`) * factors, in both halves
static inline uint fma_half(uint pair, int high, uint factors, uint sums) {
    if (high) {
        asm("{\n.reg .b16 l, h;\n.reg .b32 d;\nmov.b32 {l, h}, %1;\nmov.b32 d, {h, h};\nfma.rn.f16x2 %0, "
            "d, %2, %3;\n}"
                : "=r"(sums)
                : "r"(pair), "r"(factors), "r"(sums));
    } else {
        asm("{\n.reg .b16 l, h;\n.reg .b32 d;\nmov.b32 {l, h}, %1;\nmov.b32 d, {l, l};\nfma.rn.f16x2 %0, "
            "d, %2, %3;\n}"
                : "=r"(sums)
                : "r"(pair), "r"(factors), "r"(sums));
    }
    return sums;
}
static inline float low_half(uint pair) {
    float x;
    asm("{\n.reg .b16 l, h;\nmov.b32 {l, h}, %1;\ncvt.f32.f16 %0, l;\n}" : "=f"(x) : "r"(pair));
    return x;
}
static inline float high_half(uint pair) {
    float x;
    asm("{\n.reg .b16 l, h;\nmov.b32 {l, h}, %1;\ncvt.f32.f16 %0, h;\n}" : "=f"(x) : "r"(pair));
    return x;
}

#define MMA_INT8(c, a0, a1, a2, a3, b0, b1)                                                       \
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, " \
        "{%0,%1,%2,%3};"                                                                          \
            : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])                                      \
            : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1))
// Sums of chosen numbers. A sparse left operand has two ones in every four columns, and `chosen` says where;
// the right operand has a zero, in the low half of a word, before each number. So of columns 2 t and 2 t + 1
// a bit, 0 or 1, chooses the zero or the number. It is bit 2 t % 16 of lane 4 r + 2 part (t < 8) or of the
// next (t >= 8) for row r, and 16 bits higher for row r + 8; the bit above it is 0 for even t, 1 for odd ones.
#define MMA_CHOSEN(c, numbers, chosen, part)                                                        \
    asm("mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, "       \
        "{%5,%6,%7,%8}, {%0,%1,%2,%3}, %9, " #part ";"                                              \
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                        \
            : "r"(0x3c003c00u), "r"(numbers[0]), "r"(numbers[1]), "r"(numbers[2]), "r"(numbers[3]), \
            "r"(chosen))
#define EVEN_BITS 0x55555555u // what chooses
#define ODD_PAIRS 0x88888888u // the bits above for odd t
#define MMA_BFLOAT16(c, a0, a1, a2, a3, b0, b1)                                                       \
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, " \
        "{%0,%1,%2,%3};"                                                                              \
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                          \
            : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1))

// numbers.
// A pair of bfloat16 in a word: `low` in the low half; the word as a whole, read as a float, is what is
// nearest to `high`. So unpacking `high` costs nothing.
static inline uint pack_pair(float low, float high) {
    uint l = (as_uint(low) + 0x8000u) >> 16;
    uint h = as_uint(high) + 0x8000u - l;
    if ((as_uint(high) & 0x7fff0000u) == 0) {
        h = 0;
    }
    return (h & 0xffff0000u) | l;
}
static inline uint pack_weights(float low, float high) { // both >= 0: no case to guard
    uint l = (as_uint(low) + 0x8000u) >> 16;
    return ((as_uint(high) + 0x8000u - l) & 0xffff0000u) | l;
}
static inline float low_of(uint pair) {
    return as_float(pair << 16);
}
static inline float high_of(uint pair) {
    return as_float(pair & 0xffff0000u);
}
static inline float word_of(uint pair) {
    return as_float(pair);
}
static inline uint bfloat16_bits(float x) {
    uint b = as_uint(x);
    return (b + 0x7fffu + ((b >> 16) & 1)) >> 16;
}

// element `e` of lane stream words held in registers
static inline float bfloat16_at(const uint *words, int e) {
    return e % 2 == 0 ? low_of(words[e / 2]) : high_of(words[e / 2]);
}
static inline float int8_at(const uint *words, int e) {
    return (float) (char) (words[e / 4] >> 8 * (e % 4));
}

// the words of a lane stream of `words` words a lane
static inline void load_stream(uint *to, const local uchar *from, int lane, int words) {
    int w = 0;
#pragma unroll
    for (; w + 4 <= words; w += 4) {
        uint4 v = *(const local uint4 *) (from + w * 128 + lane * 16);
        to[w] = v.x;
        to[w + 1] = v.y;
        to[w + 2] = v.z;
        to[w + 3] = v.w;
    }
    if (w + 2 <= words) {
        uint2 v = *(const local uint2 *) (from + w * 128 + lane * 8);
        to[w] = v.x;
        to[w + 1] = v.y;
        w += 2;
    }
    if (w < words) {
        to[w] = *(const local uint *) (from + w * 128 + lane * 4);
    }
}

// Adds the products of `elements` kept key entries of the lane (two tokens by turns) with the four heads'
// query numbers.
#if KEY_BYTES == 2
#define KEY_SUM float
#define KEY_SUMS HEADS
#define KEY_LOOKUP table_base
static inline void add_keys(
        float sum[2][HEADS], const uint *indices, const uint *residuals, int elements, uint table_base) {
#pragma unroll
    for (int e = 0; e < elements; e++) {
        uint2 u = load_shared2(byte_offset(indices[e / 4], 8u << 8 * (e % 4), table_base));
        float x = bfloat16_at(residuals, e);
        sum[e % 2][0] += x * low_of(u.x);
        sum[e % 2][1] += x * word_of(u.x);
        sum[e % 2][2] += x * low_of(u.y);
        sum[e % 2][3] += x * word_of(u.y);
    }
}
#else
#define KEY_SUM uint
#define KEY_SUMS (HEADS / 2)
#define KEY_LOOKUP table_base, exponents
static inline void add_keys(uint sum[2][HEADS / 2], const uint *indices, const uint *residuals,
        int elements, uint table_base, uint exponents) {
#pragma unroll
    for (int e = 0; e < elements; e += 2) {
        uint x = halves_of(residuals[e / 4] ^ 0x80808080u, e % 4, exponents);
#pragma unroll
        for (int k = 0; k < 2; k++) {
            uint2 u = load_shared2(byte_offset(indices[e / 4], 8u << 8 * (e % 4 + k), table_base));
            sum[k][0] = fma_half(x, k, u.x, sum[k][0]);
            sum[k][1] = fma_half(x, k, u.y, sum[k][1]);
        }
    }
}
#endif

// Adds the products of `elements` kept value entries of the lane (its VALUE_COLUMNS channels by turns) with
// the four heads' weights.
#if VALUE_BYTES == 2
#define PACK_WEIGHTS pack_weights
#define LOW_WEIGHT low_of
#define HIGH_WEIGHT word_of
#define VALUE_LOOKUP weight_base
static inline void add_values(float sum[VALUE_COLUMNS][HEADS], const uint *indices, const uint *residuals,
        int elements, uint weight_base) {
#pragma unroll
    for (int e = 0; e < elements; e++) {
        uint2 p = load_shared2(byte_offset(indices[e / 4], 8u << 8 * (e % 4), weight_base));
        float x = bfloat16_at(residuals, e);
        sum[e % VALUE_COLUMNS][0] += x * low_of(p.x);
        sum[e % VALUE_COLUMNS][1] += x * word_of(p.x);
        sum[e % VALUE_COLUMNS][2] += x * low_of(p.y);
        sum[e % VALUE_COLUMNS][3] += x * word_of(p.y);
    }
}
#else
#define PACK_WEIGHTS pack_halves
#define LOW_WEIGHT low_half
#define HIGH_WEIGHT high_half
#define VALUE_LOOKUP weight_base, exponents
static inline void add_values(uint sum[VALUE_COLUMNS][HEADS / 2], const uint *indices,
        const uint *residuals, int elements, uint weight_base, uint exponents) {
#pragma unroll
    for (int e = 0; e < elements; e += 2) {
        uint x = halves_of(residuals[e / 4] ^ 0x80808080u, e % 4, exponents);
#pragma unroll
        for (int k = 0; k < 2; k++) {
            uint2 p = load_shared2(byte_offset(indices[e / 4], 8u << 8 * (e % 4 + k), weight_base));
            sum[(e + k) % VALUE_COLUMNS][0] = fma_half(x, k, p.x, sum[(e + k) % VALUE_COLUMNS][0]);
            sum[(e + k) % VALUE_COLUMNS][1] = fma_half(x, k, p.y, sum[(e + k) % VALUE_COLUMNS][1]);
        }
    }
}
#endif

// merging.
// A partial result is a sum of values [HEADS][HEAD_DIM] under weights relative to a reference, and [HEADS]
// pairs of that reference and the weights' sum.
#define COLUMNS (HEADS * HEAD_DIM / 4) // float4 columns of a partial result
// Partial results that a warp asks for at a time. Beside dense keys more would take the registers of a group.
#define GATHERED (KEYS_DENSE ? 1 : 3)

// Every warp merges its share of `count` partial results and leaves what it gets in local memory, as the
// tile loop did.
static inline void gather(const global float4 *sums, const global float2 *stats, uint count,
        local float4 *warp_sums, local float2 *warp_stats) {
    const int warp = get_local_id(0) / 32, lane = get_local_id(0) % 32;
    float4 sum[COLUMNS / 32];
    float reference[COLUMNS / 32], weight[COLUMNS / 32];
#pragma unroll
    for (int k = 0; k < COLUMNS / 32; k++) {
        sum[k] = (float4) (0);
        reference[k] = -INFINITY;
        weight[k] = 0;
    }
    for (uint s = warp; s < count; s += GATHERED * WARPS) {
        float2 stat[GATHERED][COLUMNS / 32];
        float4 other[GATHERED][COLUMNS / 32];
#pragma unroll
        for (int i = 0; i < GATHERED; i++) {
            const uint from = min(s + i * WARPS, count - 1);
#pragma unroll
            for (int k = 0; k < COLUMNS / 32; k++) {
                stat[i][k] = stats[from * HEADS + (lane + 32 * k) * 4 / HEAD_DIM];
                other[i][k] = sums[from * COLUMNS + lane + 32 * k];
            }
        }
#pragma unroll
        for (int i = 0; i < GATHERED; i++) {
            const int counts = s + i * WARPS < count;
#pragma unroll
            for (int k = 0; k < COLUMNS / 32; k++) {
                float m = counts ? fmax(reference[k], stat[i][k].x) : reference[k];
                float f = exp2_fast(reference[k] - m), h = counts ? exp2_fast(stat[i][k].x - m) : 0.0f;
                weight[k] = weight[k] * f + stat[i][k].y * h;
                sum[k] = sum[k] * f + other[i][k] * h;
                reference[k] = m;
            }
        }
    }
#pragma unroll
    for (int k = 0; k < COLUMNS / 32; k++) {
        warp_sums[warp * COLUMNS + lane + 32 * k] = sum[k];
        if ((lane + 32 * k) * 4 % HEAD_DIM == 0) {
            float2 stat;
            stat.x = reference[k];
            stat.y = weight[k];
            warp_stats[warp * HEADS + (lane + 32 * k) * 4 / HEAD_DIM] = stat;
        }
    }
}

// Merges what the warps left in local memory: to a partial result, or to the output.
static inline void merge_warps(const local float4 *warp_sums, const local float2 *warp_stats,
        global float4 *sums, global float2 *stats, global float *log_sum_exps, int heads, int last) {
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int c = get_local_id(0); c < COLUMNS; c += THREADS) {
        int g = c * 4 / HEAD_DIM;
        float m = warp_stats[g].x;
#pragma unroll
        for (int w = 1; w < WARPS; w++) {
            m = fmax(m, warp_stats[w * HEADS + g].x);
        }
        float4 sum = (float4) (0);
        float weight = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++) {
            float f = exp2_fast(warp_stats[w * HEADS + g].x - m);
            sum += f * warp_sums[w * COLUMNS + c];
            weight += f * warp_stats[w * HEADS + g].y;
        }
        if (last) {
            if (g < heads) {
                sums[c] = sum * (1 / weight);
                if (c * 4 % HEAD_DIM == 0) {
                    log_sum_exps[g] = (m + log2(weight)) * M_LN2_F;
                }
            }
        } else {
            sums[c] = sum;
            if (c * 4 % HEAD_DIM == 0) {
                float2 stat;
                stat.x = m;
                stat.y = weight;
                stats[g] = stat;
            }
        }
    }
}

// Whether this group is the last of `count` to arrive. All groups' earlier writes are visible to it.
static inline int last_to_arrive(global uint *arrivals, uint count, local uint *order) {
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (get_local_id(0) == 0) {
        *order = arrive(arrivals, count);
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    return *order == count - 1;
}

// the decode step.

kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void attend(global const float *queries,
        global const float *scales, global const uchar *packed, global const uchar *dense,
        global float *partials, global uint *arrivals, global float *results, int packed_tokens,
        int dense_tokens, int packed_stride, int dense_stride, int splits, int cluster_size, int launch) {
    local uchar arena[ARENA_BYTES] __attribute__((aligned(128)));
#if KEYS_DENSE
    local float4 dense_query[HEAD_DIM]; // the query in units of log2
#else
    local uint2 dense_query[HEAD_DIM]; // the same as pairs of bfloat16, for the tail
    local uint2 table[HEAD_DIM] __attribute__((aligned(16))); // the scaled query, four heads a channel
    // The query as operand of the tensor cores: [2][32] for signs, [4][32] for means.
    local uint4 fragments[6 * 32];
    local float largest_of_warp[WARPS];
#endif
    local ulong barriers[2 * WARPS];
    local uint arrival_order;

    // All in 32 bits: what comes before the first copies costs its time.
    const uint group = get_group_id(0), group_row = group / splits, split = group - group_row * splits,
               kv_head = group_row / PASSES;
    const uint group_rows = (uint) get_num_groups(0) / splits;
    const int first_head = group_row % PASSES * HEADS, heads = min(HEADS, GROUP_SIZE - first_head);
    const int thread = get_local_id(0), warp = thread / 32, lane = thread % 32;
    const int row = lane >> 2, quarter = lane & 3; // the lane's place in an operand of the tensor cores
    // Dense tiles come first.
    const uint dense_tiles = (dense_tokens + 63) / 64, tiles = dense_tiles + (packed_tokens + 63) / 64;
    const uint tiles_each = tiles / splits, one_more = tiles - tiles_each * splits; // the first splits have
    const uint first_tile = split * tiles_each + min(split, one_more) + warp,
               end_tile = first_tile - warp + tiles_each + (split < one_more ? 1 : 0);
    const global uchar *packed_tiles = packed + (size_t) kv_head * packed_stride * TILE_BYTES;
    const global uchar *dense_tiles_of_head = dense + (size_t) kv_head * dense_stride * DENSE_TILE_BYTES;

    local uchar *scratch = arena + warp * SCRATCH_BYTES;
    local uchar *stage = arena + WARPS * SCRATCH_BYTES + warp * STAGE_BYTES;
    const uint key_barrier = shared_address(barriers + 2 * warp), value_barrier = key_barrier + 8;
    const uint key_stage = shared_address(stage), value_stage = key_stage + STAGE_KEYS;
#define PACKED_TILE(tile) (packed_tiles + (size_t) ((tile) - dense_tiles) * TILE_BYTES)
#define COPY_KEYS(tile)                                                   \
    if (!KEYS_DENSE && lane == 0) {                                       \
        expect_bytes(key_barrier, VALUES);                                \
        copy_to_local(key_stage, PACKED_TILE(tile), VALUES, key_barrier); \
    }
#define COPY_VALUES(tile)                                                                           \
    if (!VALUES_DENSE && lane == 0) {                                                               \
        expect_bytes(value_barrier, TILE_BYTES - VALUES);                                           \
        copy_to_local(value_stage, PACKED_TILE(tile) + VALUES, TILE_BYTES - VALUES, value_barrier); \
    }
#if VALUES_DENSE && SIGNED_KEYS
#define MEANS_AND_KEPT_BYTES (KEY_INDICES + WORDS(2 * KEPT_CHANNELS, 1) * 128) // what lies before the signs
#define COPY_MEANS_AND_KEPT(tile)                                                       \
    if (lane == 0) {                                                                    \
        expect_bytes(key_barrier, VALUES);                                              \
        copy_to_local(key_stage, PACKED_TILE(tile), MEANS_AND_KEPT_BYTES, key_barrier); \
    }
#define COPY_OTHER_KEYS(tile)                                                                     \
    if (lane == 0) {                                                                              \
        copy_to_local(key_stage + MEANS_AND_KEPT_BYTES, PACKED_TILE(tile) + MEANS_AND_KEPT_BYTES, \
                VALUES - MEANS_AND_KEPT_BYTES, key_barrier);                                      \
    }
#endif

    // The query is asked for first: behind the copies of all the tiles it would arrive microseconds later.
    // It is waited for when they are under way.
    float u[OWN_CHANNELS][HEADS], scale[OWN_CHANNELS];
#pragma unroll
    for (int i = 0; i < OWN_CHANNELS; i++) {
        // The last channel more than once rather than a branch.
        const int j = min(thread + i * THREADS, HEAD_DIM - 1);
        scale[i] = KEYS_DENSE ? 1.0f : scales[kv_head * HEAD_DIM + j];
#pragma unroll
        for (int g = 0; g < HEADS; g++) {
            u[i][g] = g < heads ? queries[(size_t) (kv_head * GROUP_SIZE + first_head + g) * HEAD_DIM + j] *
                                          SCORE_SCALE
                                : 0.0f;
        }
    }
    if (lane == 0) {
        init_barrier(key_barrier);
        init_barrier(value_barrier);
        fence_barriers();
    }
    if (first_tile >= dense_tiles && first_tile < end_tile) {
        COPY_KEYS(first_tile);
        COPY_VALUES(first_tile);
    }
    float largest = 0;
#pragma unroll
    for (int i = 0; i < OWN_CHANNELS; i++) {
        const int j = min(thread + i * THREADS, HEAD_DIM - 1);
#if KEYS_DENSE
        dense_query[j] = (float4) (u[i][0], u[i][1], u[i][2], u[i][3]);
#else
        dense_query[j] = (uint2) (pack_pair(u[i][0], u[i][1]), pack_pair(u[i][2], u[i][3]));
#pragma unroll
        for (int g = 0; g < HEADS; g++) {
            u[i][g] *= native_recip(scale[i]);
            largest = fmax(largest, fabs(u[i][g]));
        }
#endif
    }
#if !KEYS_DENSE
#pragma unroll
    for (int x = 16; x > 0; x >>= 1) {
        largest = fmax(largest, shuffle_xor(largest, x));
    }
    if (lane == 0) {
        largest_of_warp[warp] = largest;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
        largest = fmax(largest, largest_of_warp[w]);
    }
#if KEY_BYTES == 1
    const float table_unit = largest > 0 ? KEY_TABLE_SCALE / largest : 0.0f,
                table_scale = largest * (1 / KEY_TABLE_SCALE);
#endif
#if SIGNED_KEYS
    const float unit = largest > 0 ? 32000.0f / largest : 0.0f;
    const float sign_scale = largest * (2.0f / 32000.0f);
#endif
    // The right operands: column 2 g is of head g's high digits, the next of its low ones, and lane
    // 4 column + j / 32 has those of channel j.
#pragma unroll
    for (int i = 0; i < OWN_CHANNELS; i++) {
        const int j = thread + i * THREADS;
        if (j >= HEAD_DIM) { // whole warps
            break;
        }
#if KEY_BYTES == 2
        table[j] = (uint2) (pack_pair(u[i][0], u[i][1]), pack_pair(u[i][2], u[i][3]));
#else
        table[j] = (uint2) (pack_halves(u[i][0] * table_unit, u[i][1] * table_unit),
                pack_halves(u[i][2] * table_unit, u[i][3] * table_unit));
#endif
#if SIGNED_KEYS
        // Bytes: channel 32 k + 8 b + i is byte b of word i. A sign bit in place i of its byte counts 2^(i % 4).
        const float scaled = unit * as_float((uint) (127 - (j & 3)) << 23);
        local uchar *bytes = (local uchar *) fragments + j / 4 % 2 * 512 + j / 32 * 16 + j % 4 * 4 +
                             j / 8 % 4;
#pragma unroll
        for (int g = 0; g < HEADS; g++) {
            const int value = convert_int_rte(u[i][g] * scaled), low = (char) value;
            bytes[128 * g] = (uchar) ((value - low) >> 8);
            bytes[128 * g + 64] = (uchar) low;
        }
#endif
#if CENTRED_KEYS
        // Pairs of bfloat16: channels 32 k + 2 i and the next. Of four words in a row the first and the third are
        // of one product, the others of the next.
        local ushort *pairs = (local ushort *) (fragments + 64) + j / 8 % 4 * 256 + j / 32 * 8 +
                              (j / 2 % 2 * 2 + j / 4 % 2) * 2 + j % 2;
#pragma unroll
        for (int g = 0; g < HEADS; g++) {
            const uint high = bfloat16_bits(u[i][g]);
            pairs[64 * g] = (ushort) high;
            pairs[64 * g + 32] = (ushort) bfloat16_bits(u[i][g] - as_float(high << 16));
        }
#endif
    }
#endif
    barrier(CLK_LOCAL_MEM_FENCE);
#if !KEYS_DENSE && SIGNED_KEYS
    // A sum under signs is twice the sum over set bits, less that over all.
    int minus_half_all;
    {
        const uint4 q0 = fragments[lane], q1 = fragments[32 + lane];
        const uint sign_query[8] = {q0.x, q0.y, q0.z, q0.w, q1.x, q1.y, q1.z, q1.w};
        int all[4] = {0, 0, 0, 0};
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const uint even = 0x01010101u << (2 * k & 3), odd = even << 1;
            MMA_INT8(all, even, even, odd, odd, sign_query[2 * k], sign_query[2 * k + 1]);
        }
        minus_half_all = -((all[0] * 256 + all[1]) / 2);
    }
#endif
    const uint weight_base = shared_address(scratch);
#if !KEYS_DENSE
    const uint table_base = shared_address(table);
#endif
#if KEY_BYTES == 2 && VALUE_BYTES == 2
#else
    // For halves_of; the compiler must not know it, or it moves the other constant into a register each time.
    const uint exponents = splits > 0 ? 0x64646464u : 0;
#endif
    const float half_weight = as_float((uint) (127 + WEIGHT_EXPONENT) << 23);
    const int weight_place = (lane & 6) * 4 + lane / 8 * 2 + (lane & 1); // eight words to a quarter
    float reference[HEADS] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    // Sums of kept values: the lane's channels lane + 32 c.
    float kept[VALUE_COLUMNS][HEADS];
    // Sums under signs: channels 8 i + row of head `quarter`.
    float under_sign[4 * VALUE_COLUMNS];
    float weight_sum = 0; // of head `quarter`
#pragma unroll
    for (int c = 0; c < VALUE_COLUMNS; c++) {
        for (int g = 0; g < HEADS; g++) {
            kept[c][g] = 0;
        }
    }
#pragma unroll
    for (int i = 0; i < 4 * VALUE_COLUMNS; i++) {
        under_sign[i] = 0;
    }
    uint parity = 0;

    for (uint tile = first_tile; tile < end_tile; tile += WARPS) {
        const int is_dense = tile < dense_tiles;
        const global uchar *source = is_dense ? dense_tiles_of_head + (size_t) tile * DENSE_TILE_BYTES
                                              : PACKED_TILE(tile);
        // From here on.
        const uint tokens = is_dense ? dense_tokens - tile * 64 : packed_tokens - (tile - dense_tiles) * 64;
        const uint next = tile + WARPS;
        // Scores of tokens lane, lane + 32.
        float score[2][HEADS];
        if (KEYS_DENSE || is_dense) {
            if (is_dense && next >= dense_tiles && next < end_tile) { // the stages are free
                COPY_KEYS(next);
                COPY_VALUES(next);
            }
            float4 sum[2];
            sum[0] = sum[1] = (float4) (0.0f);
            const global uint4 *rows = (const global uint4 *) source + lane;
#pragma unroll ROWS_AHEAD
            for (int i = 0; i < HEAD_DIM / 4; i++) { // four channels of two tokens
                const uint4 v = rows[i * 32];
                const uint words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
                for (int j = 0; j < 4; j++) {
#if KEYS_DENSE
                    const float4 q = dense_query[4 * i + j];
#else
                    const uint2 pairs = dense_query[4 * i + j];
                    const float4 q = (float4) (low_of(pairs.x), word_of(pairs.x), low_of(pairs.y),
                            word_of(pairs.y));
#endif
                    sum[0] += low_of(words[j]) * q;
                    sum[1] += high_of(words[j]) * q;
                }
            }
#pragma unroll
            for (int k = 0; k < 2; k++) {
                score[k][0] = sum[k].x;
                score[k][1] = sum[k].y;
                score[k][2] = sum[k].z;
                score[k][3] = sum[k].w;
            }
        }
#if !KEYS_DENSE
        else {
            const local uchar *keys = stage;
            await(key_barrier, parity);
            KEY_SUM sum[2][KEY_SUMS];
#pragma unroll
            for (int k = 0; k < 2; k++) {
                for (int g = 0; g < KEY_SUMS; g++) {
                    sum[k][g] = 0;
                }
            }
            {
                const local uchar *i = keys + KEY_INDICES;
                const local uchar *r = keys + KEY_RESIDUALS;
                uint indices[4], residuals[4 * KEY_BYTES];
#pragma unroll 4
                for (int chunk = 0; chunk < 2 * KEPT_CHANNELS / 16; chunk++) {
                    load_stream(indices, i, lane, 4);
                    load_stream(residuals, r, lane, 4 * KEY_BYTES);
                    add_keys(sum, indices, residuals, 16, KEY_LOOKUP);
                    i += 512;
                    r += 512 * KEY_BYTES;
                }
                load_stream(indices, i, lane, WORDS(2 * KEPT_CHANNELS % 16, 1));
                load_stream(residuals, r, lane, WORDS(2 * KEPT_CHANNELS % 16, KEY_BYTES));
                add_keys(sum, indices, residuals, 2 * KEPT_CHANNELS % 16, KEY_LOOKUP);
            }
#if CENTRED_KEYS
            // The left operand is four words of means as they lie there: the first and the third are the rows 0
            // to 7, to which the first product belongs, the others the rows 8 to 15, to which the second does.
            float mean[4] = {0, 0, 0, 0}, mean_too[4] = {0, 0, 0, 0};
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const uint4 m = *(const local uint4 *) (keys + quarter * 64 + k * 16),
                            q = fragments[64 + k * 32 + lane];
                MMA_BFLOAT16(mean, m.x, m.y, m.z, m.w, q.x, q.y);
                MMA_BFLOAT16(mean_too, m.x, m.y, m.z, m.w, q.z, q.w);
            }
            mean[0] += mean[1] + (mean_too[2] + mean_too[3]); // of head `quarter`
#endif
#if VALUES_DENSE && SIGNED_KEYS
            // What is used up is asked for at once. Not with packed values: it would bar the compiler from mixing
            // these instructions with the next.
            sync_warp();
            if (next < end_tile) {
                COPY_MEANS_AND_KEPT(next);
            }
#endif
#if SIGNED_KEYS
            { // rows are the tokens 16 m + row and 16 m + 8 + row
                const uint4 q0 = fragments[lane], q1 = fragments[32 + lane];
                const uint sign_query[8] = {q0.x, q0.y, q0.z, q0.w, q1.x, q1.y, q1.z, q1.w};
                const local uint *signs = (const local uint *) (keys + KEY_SIGNS);
#pragma unroll
                for (int m = 0; m < 4; m++) {
                    const uint w0 = signs[m * 64 + lane], w1 = signs[m * 64 + 32 + lane];
                    int sums[4] = {0, minus_half_all, 0, minus_half_all};
#pragma unroll
                    for (int k = 0; k < 4; k++) {
                        const uint x0 = k < 2 ? w0 : w0 >> 4, x1 = k < 2 ? w1 : w1 >> 4;
                        const uint even = 0x01010101u << (2 * k & 3), odd = even << 1;
                        MMA_INT8(sums, x0 & even, x1 & even, x0 & odd, x1 & odd, sign_query[2 * k],
                                sign_query[2 * k + 1]);
                    }
                    ((local float *) scratch)[m * 64 + lane] = (float) (sums[0] * 256 + sums[1]);
                    ((local float *) scratch)[m * 64 + 32 + lane] = (float) (sums[2] * 256 + sums[3]);
                }
            }
            const uint amplitudes = *(const local uint *) (keys + KEY_AMPLITUDES + lane * 4);
#endif
#if KEY_BYTES == 1
            const uint residual_scales = *(const local uint *) (keys + KEY_RESIDUAL_SCALES + lane * 4);
#endif
            sync_warp();
            if (next < end_tile) {
#if VALUES_DENSE && SIGNED_KEYS
                COPY_OTHER_KEYS(next);
#else
                COPY_KEYS(next);
#endif
            }
#pragma unroll
            for (int k = 0; k < 2; k++) {
#if KEY_BYTES == 1
                const float residual_scale = (k == 0 ? low_of(residual_scales) : high_of(residual_scales)) *
                                             table_scale;
                score[k][0] = low_half(sum[k][0]) * residual_scale;
                score[k][1] = high_half(sum[k][0]) * residual_scale;
                score[k][2] = low_half(sum[k][1]) * residual_scale;
                score[k][3] = high_half(sum[k][1]) * residual_scale;
#else
#pragma unroll
                for (int g = 0; g < HEADS; g++) {
                    score[k][g] = sum[k][g];
                }
#endif
#if SIGNED_KEYS
                const float amplitude = (k == 0 ? low_of(amplitudes) : high_of(amplitudes)) * sign_scale;
                const float4 sums = ((local float4 *) scratch)[lane + 32 * k];
                score[k][0] += amplitude * sums.x;
                score[k][1] += amplitude * sums.y;
                score[k][2] += amplitude * sums.z;
                score[k][3] += amplitude * sums.w;
#endif
#if CENTRED_KEYS
#pragma unroll
                for (int g = 0; g < HEADS; g++) {
                    score[k][g] += shuffle_from(mean[0], g);
                }
#endif
            }
            sync_warp();
        }
#endif
        if (tokens < 64) {
#pragma unroll
            for (int g = 0; g < HEADS; g++) {
                if (lane >= tokens) {
                    score[0][g] = -INFINITY;
                }
                if (lane + 32 >= tokens) {
                    score[1][g] = -INFINITY;
                }
            }
        }
        // Weights.
        int above = 0;
#pragma unroll
        for (int g = 0; g < HEADS; g++) {
            above |= fmax(score[0][g], score[1][g]) > reference[g] + (float) (STEP + WEIGHT_SHIFT);
        }
        if (any_lane(above)) {
            float shrink[HEADS];
#pragma unroll
            for (int g = 0; g < HEADS; g++) {
                float m = fmax(score[0][g], score[1][g]);
#pragma unroll
                for (int x = 16; x > 0; x >>= 1) {
                    m = fmax(m, shuffle_xor(m, x));
                }
                m = fmax(m - WEIGHT_SHIFT, reference[g]);
                shrink[g] = exp2_fast(reference[g] - m);
                reference[g] = m;
            }
#pragma unroll
            for (int c = 0; c < VALUE_COLUMNS; c++) {
                for (int g = 0; g < HEADS; g++) {
                    kept[c][g] *= shrink[g];
                }
            }
            const float own = quarter < 2 ? (quarter == 0 ? shrink[0] : shrink[1])
                                          : (quarter == 2 ? shrink[2] : shrink[3]);
            weight_sum *= own;
#pragma unroll
            for (int i = 0; i < 4 * VALUE_COLUMNS; i++) {
                under_sign[i] *= own;
            }
        }
        // Scratch: the four heads' weights of all tokens in pairs; then as halves for every head pairs of the
        // tokens t and t + 32, for each quarter those with t / 2 % 4 the same.
        local uint2 *weights = (local uint2 *) scratch;
        local uint *weight_halves = (local uint *) (weights + 64);
#pragma unroll
        for (int k = 0; k < 2; k++) {
#pragma unroll
            for (int g = 0; g < HEADS; g++) {
                score[k][g] = exp2_fast(score[k][g] - reference[g]);
            }
            weights[lane + 32 * k] = (uint2) (
                    PACK_WEIGHTS(score[k][0], score[k][1]), PACK_WEIGHTS(score[k][2], score[k][3]));
        }
#pragma unroll
        for (int g = 0; g < HEADS; g++) {
            weight_halves[32 * g + weight_place] = pack_halves(
                    score[0][g] * half_weight, score[1][g] * half_weight);
        }
        sync_warp();
        // What signs choose from, head row / 2. Bit 2 i + p of word w of signs is of token 16 w + 2 i + p (i < 8),
        // the bit 16 places higher of the token 32 further; the lane has those of i = quarter, quarter + 4.
        uint halves[2][2][4];
        {
            const local uint4 *own = (const local uint4 *) weight_halves + 8 * (row >> 1) + 2 * quarter;
#pragma unroll
            for (int w = 0; w < 2; w++) {
                const uint4 v = own[w];
                const uint pairs[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
                for (int p = 0; p < 2; p++) {
                    halves[w][p][0] = pairs[p] << 16;
                    halves[w][p][1] = pairs[2 + p] << 16;
                    halves[w][p][2] = pairs[p] & 0xffff0000u;
                    halves[w][p][3] = pairs[2 + p] & 0xffff0000u;
                }
            }
        }
        // The weights of head `quarter`: as if all signs were plus.
        float total[4] = {0, 0, 0, 0};
#pragma unroll
        for (int w = 0; w < 2; w++) {
#pragma unroll
            for (int p = 0; p < 2; p++) {
                MMA_CHOSEN(total, halves[w][p], EVEN_BITS | ODD_PAIRS, 0);
            }
        }
        weight_sum += total[0];
        // Values.
        if (VALUES_DENSE || is_dense) {
            const global uint4 *rows =
                    (const global uint4 *) (source + (is_dense ? DENSE_VALUES : VALUES)) + lane;
#pragma unroll ROWS_AHEAD
            for (int i = 0; i < 32; i++) { // two tokens of the lane's four channels
                const uint4 v = rows[i * 32];
                const uint words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
                for (int b = 0; b < 2; b++) {
                    const uint2 p = weights[2 * i + b];
#pragma unroll
                    for (int c = 0; c < VALUE_COLUMNS; c++) {
                        const float x = c % 2 == 0 ? low_of(words[2 * b + c / 2])
                                                   : high_of(words[2 * b + c / 2]);
                        kept[c][0] += x * LOW_WEIGHT(p.x);
                        kept[c][1] += x * HIGH_WEIGHT(p.x);
                        kept[c][2] += x * LOW_WEIGHT(p.y);
                        kept[c][3] += x * HIGH_WEIGHT(p.y);
                    }
                }
            }
            sync_warp();
        }
#if !VALUES_DENSE
        else {
            const local uchar *values = stage + STAGE_KEYS;
            await(value_barrier, parity);
#if SIGNED_VALUES
            // Rows are the channels 16 m + row and 16 m + 8 + row.
            {
                const float minus_half = -0.5f * total[0]; // as for the keys
                const uint half_of_both = quarter & 1 ? 0x7632u : 0x5410u; // the upper or the lower
                float amplitude[4 * VALUE_COLUMNS]; // of channels 8 i + row
#pragma unroll
                for (int a = 0; a < 4; a++) {
                    const uint2 b = *(const local uint2 *) (values + VALUE_AMPLITUDES + (8 * a + row) * 8);
                    amplitude[a] = low_of(b.x);
                    amplitude[4 + a] = high_of(b.x);
                    amplitude[8 + a] = low_of(b.y);
                    amplitude[12 + a] = high_of(b.y);
                }
                const local uint *signs = (const local uint *) (values + VALUE_SIGNS) + row * 2 +
                                          (quarter >> 1);
#pragma unroll
                for (int m = 0; m < 2 * VALUE_COLUMNS; m++) {
                    uint bits;
                    asm("prmt.b32 %0, %1, %2, %3;"
                            : "=r"(bits)
                            : "r"(signs[m * 32]), "r"(signs[m * 32 + 16]), "r"(half_of_both));
                    const uint even = (bits & EVEN_BITS) | ODD_PAIRS, odd = (bits >> 1 & EVEN_BITS) | ODD_PAIRS;
                    float sums[4] = {minus_half, minus_half, minus_half, minus_half};
                    MMA_CHOSEN(sums, halves[0][0], even, 0);
                    MMA_CHOSEN(sums, halves[0][1], odd, 0);
                    MMA_CHOSEN(sums, halves[1][0], even, 1);
                    MMA_CHOSEN(sums, halves[1][1], odd, 1);
                    under_sign[2 * m] += amplitude[2 * m] * sums[0];
                    under_sign[2 * m + 1] += amplitude[2 * m + 1] * sums[2];
                }
            }
#endif
            {
                const local uchar *i = values + VALUE_INDICES;
                const local uchar *r = values;
                uint indices[4], residuals[4 * VALUE_BYTES];
#if VALUE_BYTES == 1
                uint sum[VALUE_COLUMNS][HEADS / 2];
#pragma unroll
                for (int c = 0; c < VALUE_COLUMNS; c++) {
                    for (int g = 0; g < HEADS / 2; g++) {
                        sum[c][g] = 0;
                    }
                }
#else
#define sum kept
#endif
#pragma unroll 4
                for (int chunk = 0; chunk < VALUE_COLUMNS * KEPT_TOKENS / 16; chunk++) {
                    load_stream(indices, i, lane, 4);
                    load_stream(residuals, r, lane, 4 * VALUE_BYTES);
                    add_values(sum, indices, residuals, 16, VALUE_LOOKUP);
                    i += 512;
                    r += 512 * VALUE_BYTES;
                }
                load_stream(indices, i, lane, WORDS(VALUE_COLUMNS * KEPT_TOKENS % 16, 1));
                load_stream(residuals, r, lane, WORDS(VALUE_COLUMNS * KEPT_TOKENS % 16, VALUE_BYTES));
                add_values(sum, indices, residuals, VALUE_COLUMNS * KEPT_TOKENS % 16, VALUE_LOOKUP);
#if VALUE_BYTES == 1
                const uint2 s = *(const local uint2 *) (values + VALUE_RESIDUAL_SCALES + lane * 8);
                const float residual_scale[VALUE_COLUMNS] = {
                        low_of(s.x), high_of(s.x), low_of(s.y), high_of(s.y)};
#pragma unroll
                for (int c = 0; c < VALUE_COLUMNS; c++) {
                    kept[c][0] += residual_scale[c] * low_half(sum[c][0]);
                    kept[c][1] += residual_scale[c] * high_half(sum[c][0]);
                    kept[c][2] += residual_scale[c] * low_half(sum[c][1]);
                    kept[c][3] += residual_scale[c] * high_half(sum[c][1]);
                }
#endif
#undef sum
            }
            sync_warp();
            if (next < end_tile) {
                COPY_VALUES(next);
            }
        }
#endif
        if (!is_dense) {
            parity ^= 1;
        }
    }

    // Merge of the warps, then of the splits by the last group to arrive.
    barrier(CLK_LOCAL_MEM_FENCE);
    local float4 *warp_sums = (local float4 *) arena; // [warp][HEADS][HEAD_DIM]
    local float2 *warp_stats = (local float2 *) (warp_sums + WARPS * COLUMNS);
    {
        local float *own = (local float *) (warp_sums + warp * COLUMNS);
        const float weight_scale = as_float((uint) (127 - WEIGHT_EXPONENT) << 23);
#if !VALUES_DENSE && SIGNED_VALUES
#pragma unroll
        for (int i = 0; i < 4 * VALUE_COLUMNS; i++) {
            own[quarter * HEAD_DIM + 8 * i + row] = 2 * weight_scale * under_sign[i];
        }
        sync_warp();
#pragma unroll
        for (int c = 0; c < VALUE_COLUMNS; c++) {
            for (int g = 0; g < HEADS; g++) {
                kept[c][g] += own[g * HEAD_DIM + lane + 32 * c];
            }
        }
#endif
#pragma unroll
        for (int c = 0; c < VALUE_COLUMNS; c++) {
            for (int g = 0; g < HEADS; g++) {
                own[g * HEAD_DIM + lane + 32 * c] = kept[c][g];
            }
        }
        if (lane < HEADS) { // lane g is of quarter g
            const float own = lane < 2 ? (lane == 0 ? reference[0] : reference[1])
                                       : (lane == 2 ? reference[2] : reference[3]);
            warp_stats[warp * HEADS + lane] = (float2) (own, weight_sum * weight_scale);
        }
    }
    // Results: outputs of all query heads, their log-sum-exps, and the number of the launch as the sign
    // that it ran.
    const uint query_heads = group_rows / PASSES * GROUP_SIZE,
               query_head = kv_head * GROUP_SIZE + first_head;
    global float4 *outputs = (global float4 *) results + (size_t) query_head * (HEAD_DIM / 4);
    global float *log_sum_exps = results + (size_t) query_heads * HEAD_DIM + query_head;
    if (group_row == 0 && split == 0 && thread == 0) {
        results[(size_t) query_heads * (HEAD_DIM + 1)] = as_float(launch);
    }
    if (splits == 1) {
        merge_warps(warp_sums, warp_stats, outputs, (global float2 *) 0, log_sum_exps, heads, 1);
        return;
    }
    // Up to cluster_size splits are merged at once; more in clusters first, then the clusters.
    const uint clusters = cluster_size >= splits ? 0 : (splits + cluster_size - 1) / cluster_size;
    const uint slots = splits + clusters, cluster = clusters > 0 ? split / cluster_size : 0;
    global float4 *sums = (global float4 *) partials + (size_t) group_row * slots * COLUMNS;
    global float2 *stats = (global float2 *) ((global float4 *) partials +
                                              (size_t) group_rows * slots * COLUMNS) +
                           group_row * slots * HEADS;
    global uint *head_arrivals = arrivals + group_row * (clusters + 1);
    uint slot = split, first = cluster * cluster_size, count = min(splits - first, (uint) cluster_size),
         counter = cluster;
    int last = clusters == 0;
    for (;;) {
        merge_warps(
                warp_sums, warp_stats, sums + slot * COLUMNS, stats + slot * HEADS, log_sum_exps, HEADS, 0);
        if (!last_to_arrive(head_arrivals + counter, count, &arrival_order)) {
            return;
        }
        gather(sums + first * COLUMNS, stats + first * HEADS, count, warp_sums, warp_stats);
        if (last) {
            break;
        }
        slot = splits + cluster;
        first = splits;
        count = clusters;
        counter = clusters;
        last = 1;
    }
    merge_warps(warp_sums, warp_stats, outputs, (global float2 *) 0, log_sum_exps, heads, 1);
}
