package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values of one attention layer, channel-pruned, in off-heap memory.
 *
 * <p>A prompt enters by {@link #prefill}, generated tokens by {@link #append}; {@link #attend} is one decode step.
 * Full tiles of 64 tokens are packed; the newest tokens stay dense in the tail. Arrays are row-major; segments hold
 * float32 in the machine's byte order, on or off the heap, at any alignment.
 *
 * <p><b>Errors.</b> Everything is checked before anything is changed: a call that is refused leaves the cache and the
 * caller's output as they were, and so does a write or a decode step that fails half-way. Inputs that are null, of the
 * wrong length, not finite, or beyond 1e10 in magnitude (whose scores would overflow) are refused with a
 * {@link NullPointerException} or an {@link IllegalArgumentException} that names the input and the place; a full or
 * closed cache with an {@link IllegalStateException}.
 *
 * <p><b>Threads.</b> {@code attend} and {@code reconstruct} may run on several threads at once. {@code prefill},
 * {@code append}, {@code clear} and {@code close} need the cache to themselves: two operations that exclude each other
 * are detected, and the later is refused with an {@link IllegalStateException} that names both. {@link #tokens} and
 * {@link #statistics} may be asked at any time, and describe the cache between two writes. {@code attend} and
 * {@code prefill} share their work with {@linkplain LayerKernels#withThreads other threads}; what those throw is thrown
 * to the caller.
 *
 * <p><b>Memory</b> is freed by {@link #close} at once, and by nothing else.
 */
public final class KeyValueCache implements AutoCloseable {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    /** The most numbers of a window, which is copied from a segment to an array. */
    private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

    private static final ValueLayout.OfFloat FLOAT32 = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final LayerShape shape;
    private final CacheLayout layout;
    private final Backend backend;
    private final CacheGeometry geometry;
    private final TokenStore store;
    private final AccessGuard guard = new AccessGuard();
    private final String tokenShape;
    private final String queryShape;
    private final String headShape;

    private volatile CacheContents contents;

    KeyValueCache(
            LayerShape shape,
            CacheLayout layout,
            Backend backend,
            CacheGeometry geometry,
            TokenStore store) {
        this.shape = shape;
        this.layout = layout;
        this.backend = backend;
        this.geometry = geometry;
        this.store = store;
        this.tokenShape = "[keyValueHeads = " + shape.keyValueHeads() + "][headDim = " + shape.headDim() + "]";
        this.queryShape = "[queryHeads = " + shape.queryHeads() + "][headDim = " + shape.headDim() + "]";
        this.headShape = "[queryHeads = " + shape.queryHeads() + "]";
        reset();
    }

    /**
     * Stores a prompt: scores the channels by the window's queries, and prunes and packs the tokens, 64 to a tile.
     * Where generated tokens are packed too, a last, partial tile waits in the dense tail; otherwise it is packed as it
     * is.
     *
     * <p>The number of tokens follows from the length of {@code keys}, the number of positions from that of
     * {@code windowQueries}. A cache without a prompt, or with an empty one and no positions, has channel scales of 1.
     *
     * @param keys {@code [keyValueHeads][tokens][headDim]}, after rotary embedding
     * @param values {@code [keyValueHeads][tokens][headDim]}
     * @param windowQueries the prompt's last queries {@code [queryHeads][positions][headDim]}, after rotary embedding;
     *     1 to {@link LayerShape#window()} positions, 0 only without tokens
     * @throws IllegalArgumentException if a length does not fit or a number is not finite or too large
     * @throws IllegalStateException if the cache is closed, in use, not empty, or too small
     */
    public void prefill(float[] keys, float[] values, float[] windowQueries) {
        guard.enter(Operation.PREFILL);
        try {
            InputChecks.requireNonNull("keys", keys);
            InputChecks.requireNonNull("values", values);
            InputChecks.requireNonNull("windowQueries", windowQueries);
            int tokens = promptTokens(keys.length);
            InputChecks.requireLength("values", values, promptShape(tokens), keys.length);
            int positions = windowPositions(windowQueries.length, tokens);
            requireRoomForPrompt(tokens);
            InputChecks.requireFinite("keys", keys, tokens, shape.headDim());
            InputChecks.requireFinite("values", values, tokens, shape.headDim());
            InputChecks.requireFinite("windowQueries", windowQueries, positions, shape.headDim());
            become(store.prompt(
                    MemorySegment.ofArray(keys), MemorySegment.ofArray(values), tokens, windowQueries, positions));
        } finally {
            guard.exit(Operation.PREFILL);
        }
    }

    /**
     * The same from segments of float32.
     *
     * @param keys {@code [keyValueHeads][tokens][headDim]}
     * @param values {@code [keyValueHeads][tokens][headDim]}
     * @param windowQueries {@code [queryHeads][positions][headDim]}
     * @throws IllegalArgumentException if a length does not fit, a number is not finite or too large, or this
     *     thread cannot read a segment
     * @throws IllegalStateException if the cache is closed, in use, not empty, or too small
     */
    public void prefill(MemorySegment keys, MemorySegment values, MemorySegment windowQueries) {
        guard.enter(Operation.PREFILL);
        try {
            long length = InputChecks.length("keys", keys);
            int tokens = promptTokens(length);
            InputChecks.requireLength("values", values, promptShape(tokens), length);
            int positions = windowPositions(InputChecks.length("windowQueries", windowQueries), tokens);
            requireRoomForPrompt(tokens);
            InputChecks.requireFinite("keys", keys, tokens, shape.headDim());
            InputChecks.requireFinite("values", values, tokens, shape.headDim());
            InputChecks.requireFinite("windowQueries", windowQueries, positions, shape.headDim());
            become(store.prompt(keys, values, tokens, windowQueries.toArray(FLOAT32), positions));
        } finally {
            guard.exit(Operation.PREFILL);
        }
    }

    private int promptTokens(long numbers) {
        int perToken = shape.keyValueHeads() * shape.headDim();
        if (numbers % perToken != 0) {
            throw new IllegalArgumentException("keys has " + numbers + " numbers, not a multiple of the " + perToken
                    + " one token has in " + promptShape("tokens"));
        }
        if (numbers / perToken > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "keys has " + numbers / perToken + " tokens, more than " + Integer.MAX_VALUE);
        }
        return (int) (numbers / perToken);
    }

    private String promptShape(Object tokens) {
        return "[keyValueHeads = " + shape.keyValueHeads() + "][" + tokens + "][headDim = " + shape.headDim() + "]";
    }

    private int windowPositions(long numbers, int tokens) {
        int perPosition = shape.queryHeads() * shape.headDim();
        String expected = "[queryHeads = " + shape.queryHeads() + "][positions][headDim = " + shape.headDim() + "]";
        if (numbers % perPosition != 0) {
            throw new IllegalArgumentException("windowQueries has " + numbers + " numbers, not a multiple of the "
                    + perPosition + " one position has in " + expected);
        }
        if (numbers > MAX_ARRAY) {
            throw new IllegalArgumentException(
                    "windowQueries has " + numbers + " numbers in " + expected + ", more than " + MAX_ARRAY);
        }
        long positions = numbers / perPosition;
        if (positions > shape.window() || positions == 0 && tokens > 0) {
            throw new IllegalArgumentException("windowQueries has " + positions + " positions in " + expected
                    + "; a prompt of " + tokens + " tokens takes 1 to " + shape.window());
        }
        return (int) positions;
    }

    private void requireRoomForPrompt(int tokens) {
        if (contents.tokens() > 0) {
            throw new IllegalStateException("prefill() of a cache that holds " + contents.tokens()
                    + " tokens; call clear() first, or append() to add to them");
        }
        geometry.requireRoomForPrompt(tokens);
    }

    /**
     * Adds one token after those the cache holds. It enters the dense tail. If the specification packs generated
     * tokens, 64 of them become a packed tile while the next ones arrive: each call packs one head's part of it, or one
     * for every 64 heads.
     *
     * @param key {@code [keyValueHeads][headDim]}, after rotary embedding
     * @param value {@code [keyValueHeads][headDim]}
     * @throws IllegalArgumentException if a length does not fit or a number is not finite or too large
     * @throws IllegalStateException if the cache is closed, in use, or full
     */
    public void append(float[] key, float[] value) {
        guard.enter(Operation.APPEND);
        try {
            InputChecks.requireLength("key", key, tokenShape, tokenNumbers());
            InputChecks.requireLength("value", value, tokenShape, tokenNumbers());
            geometry.requireRoomForOneMore(contents.tokens(), contents.denseTokens());
            InputChecks.requireFinite("key", key, 0, shape.headDim());
            InputChecks.requireFinite("value", value, 0, shape.headDim());
            contents = store.token(contents, key, value);
        } finally {
            guard.exit(Operation.APPEND);
        }
    }

    /**
     * The same from segments of float32.
     *
     * @param key {@code [keyValueHeads][headDim]}
     * @param value {@code [keyValueHeads][headDim]}
     * @throws IllegalArgumentException if a length does not fit, a number is not finite or too large, or this
     *     thread cannot read a segment
     * @throws IllegalStateException if the cache is closed, in use, or full
     */
    public void append(MemorySegment key, MemorySegment value) {
        guard.enter(Operation.APPEND);
        try {
            InputChecks.requireLength("key", key, tokenShape, tokenNumbers());
            InputChecks.requireLength("value", value, tokenShape, tokenNumbers());
            geometry.requireRoomForOneMore(contents.tokens(), contents.denseTokens());
            InputChecks.requireFinite("key", key, 0, shape.headDim());
            InputChecks.requireFinite("value", value, 0, shape.headDim());
            contents = store.token(contents, key.toArray(FLOAT32), value.toArray(FLOAT32));
        } finally {
            guard.exit(Operation.APPEND);
        }
    }

    /**
     * One decode step of all heads. An empty cache attends to nothing: the output is 0.
     *
     * @param queries {@code [queryHeads][headDim]}, after rotary embedding
     * @param output {@code [queryHeads][headDim]}, written when all is computed; may be {@code queries} itself
     * @throws IllegalArgumentException if a length does not fit or a query is not finite or too large
     * @throws IllegalStateException if the cache is closed or being written
     */
    public void attend(float[] queries, float[] output) {
        guard.enter(Operation.ATTEND);
        try {
            checkQueries(queries, output);
            store.attend(contents, queries, output, null);
        } finally {
            guard.exit(Operation.ATTEND);
        }
    }

    /**
     * One decode step of all heads, with what is needed to merge it with steps over other parts of a sequence.
     *
     * @param queries {@code [queryHeads][headDim]}, after rotary embedding
     * @param output {@code [queryHeads][headDim]}, written when all is computed; may be {@code queries} itself
     * @param logSumExp {@code [queryHeads]}, written: the natural logarithm of the sum of the exponentiated scores,
     *     after division by the root of {@code headDim}; negative infinity for an empty cache
     * @throws IllegalArgumentException if a length does not fit or a query is not finite or too large
     * @throws IllegalStateException if the cache is closed or being written
     */
    public void attend(float[] queries, float[] output, float[] logSumExp) {
        guard.enter(Operation.ATTEND);
        try {
            InputChecks.requireLength("logSumExp", logSumExp, headShape, shape.queryHeads());
            checkQueries(queries, output);
            store.attend(contents, queries, output, logSumExp);
        } finally {
            guard.exit(Operation.ATTEND);
        }
    }

    /**
     * The same on segments of float32, which may overlap one another.
     *
     * @param queries {@code [queryHeads][headDim]}
     * @param output {@code [queryHeads][headDim]}, written
     * @param logSumExp {@code [queryHeads]}, written after {@code output}
     * @throws IllegalArgumentException if a length does not fit, a query is not finite or too large, this thread
     *     cannot access a segment, or one to be written is read-only
     * @throws IllegalStateException if the cache is closed or being written
     */
    public void attend(MemorySegment queries, MemorySegment output, MemorySegment logSumExp) {
        guard.enter(Operation.ATTEND);
        try {
            InputChecks.requireLength("queries", queries, queryShape, queryNumbers());
            InputChecks.requireLength("output", output, queryShape, queryNumbers());
            InputChecks.requireLength("logSumExp", logSumExp, headShape, shape.queryHeads());
            InputChecks.requireWritable("output", output);
            InputChecks.requireWritable("logSumExp", logSumExp);
            store.attend(contents, queries, output, logSumExp);
        } finally {
            guard.exit(Operation.ATTEND);
        }
    }

    private void checkQueries(float[] queries, float[] output) {
        InputChecks.requireLength("queries", queries, queryShape, queryNumbers());
        InputChecks.requireLength("output", output, queryShape, queryNumbers());
        InputChecks.requireFinite("queries", queries, 0, shape.headDim());
    }

    /**
     * Returns the number of tokens in the cache.
     *
     * @throws IllegalStateException if the cache is closed
     */
    public int tokens() {
        guard.requireOpen("tokens()");
        return contents.tokens();
    }

    /** Returns the number of tokens the cache was created for. */
    public int capacity() {
        return geometry.capacity();
    }

    /** Returns the backend its kernels run on. */
    public Backend backend() {
        return backend;
    }

    /**
     * Returns what the cache holds and what that costs, at this moment.
     *
     * @throws IllegalStateException if the cache is closed
     */
    public CacheStatistics statistics() {
        guard.requireOpen("statistics()");
        CacheContents now = contents;
        List<CacheStatistics.Part> parts = new ArrayList<>();
        for (CacheLayout.Part part : layout.parts()) {
            long tiles = (long) now.packedTiles() * shape.keyValueHeads();
            parts.add(new CacheStatistics.Part(part.name(), tiles * part.bytes()));
        }
        long denseTokens = (long) now.denseTokens() * shape.keyValueHeads();
        parts.add(new CacheStatistics.Part("dense tail", denseTokens * (layout.denseTileBytes() / TILE_TOKENS)));
        parts.add(new CacheStatistics.Part("channel scales", geometry.scaleBytes()));
        return new CacheStatistics(
                shape.keyValueHeads(),
                now.tokens(),
                now.packedTokens(),
                now.denseTokens(),
                parts.stream().mapToLong(CacheStatistics.Part::bytes).sum(),
                parts,
                store.bytes(),
                2L * 2 * shape.headDim() * shape.keyValueHeads() * now.tokens());
    }

    /**
     * Rebuilds the keys and values that the cache's bytes stand for: for inspection and tests, never for decoding.
     *
     * @param keyValueHead index of the head
     * @param keys {@code [tokens][headDim]}, written
     * @param values {@code [tokens][headDim]}, written
     * @throws IndexOutOfBoundsException if there is no such head
     * @throws IllegalArgumentException if a length does not fit the tokens in the cache
     * @throws IllegalStateException if the cache is closed or being written
     */
    public void reconstruct(int keyValueHead, float[] keys, float[] values) {
        guard.enter(Operation.RECONSTRUCT);
        try {
            if (keyValueHead < 0 || keyValueHead >= shape.keyValueHeads()) {
                throw new IndexOutOfBoundsException(
                        "key-value head " + keyValueHead + " of " + shape.keyValueHeads() + " heads");
            }
            CacheContents now = contents;
            long numbers = (long) now.tokens() * shape.headDim();
            String expected = "[tokens = " + now.tokens() + "][headDim = " + shape.headDim() + "]";
            InputChecks.requireLength("keys", keys, expected, numbers);
            InputChecks.requireLength("values", values, expected, numbers);
            store.reconstruct(keyValueHead, now, keys, values);
        } finally {
            guard.exit(Operation.RECONSTRUCT);
        }
    }

    /**
     * Forgets all tokens and the channel scales, and keeps the memory.
     *
     * @throws IllegalStateException if the cache is closed or in use
     */
    public void clear() {
        guard.enter(Operation.CLEAR);
        try {
            reset();
        } finally {
            guard.exit(Operation.CLEAR);
        }
    }

    /**
     * Frees the memory at once. Closing a closed cache has no effect.
     *
     * @throws IllegalStateException if the cache is in use; it then stays open
     */
    @Override
    public void close() {
        if (guard.close()) {
            store.close();
        }
    }

    private void reset() {
        become(store.nothing());
    }

    /** Publishes contents with new scales. */
    private void become(CacheContents after) {
        store.become(after);
        contents = after;
    }

    private int tokenNumbers() {
        return shape.keyValueHeads() * shape.headDim();
    }

    private int queryNumbers() {
        return shape.queryHeads() * shape.headDim();
    }

    /** The bytes of a cache in host memory, for tests that nothing was changed. */
    MemorySegment memory() {
        return ((HostStore) store).memory();
    }
}
