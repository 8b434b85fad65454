package dev.attune.runtime.spi;

import java.util.Optional;

/**
 * The OpenCL program of one specification; stateless and thread-safe.
 *
 * <p>Tiles lie in device memory as {@code [heads][room for tiles]}, the packed and the dense ones in a buffer each;
 * {@code heads} is the number of key-value heads a launch is for, all of the layer's or a part of them. Every pointer
 * is to global memory, every number an {@code int}. The last two parameters of every kernel but {@code merge} are a
 * pointer {@code receipt} and a number {@code launch}, which it stores there: the sign that it ran at all.
 *
 * <p>{@code first} is the first tile of each head that a launch is for, {@code count} how many of each head, {@code
 * stride} the room for tiles per head. Groups have 64 work-items unless said otherwise.
 *
 * <table class="striped">
 * <caption>Kernels, their parameters and the number of their work-groups</caption>
 * <thead><tr><th scope="col">kernel</th><th scope="col">parameters</th><th scope="col">groups</th></tr></thead>
 * <tbody>
 * <tr><th scope="row">score_channels</th>
 *     <td>queries [heads][G][positions][d], scales [heads][d] (written); positions</td><td>heads</td></tr>
 * <tr><th scope="row">pack_keys</th>
 *     <td>keys [heads][count][64][d] (overwritten), scales, packed; first, count, stride</td>
 *     <td>heads * count</td></tr>
 * <tr><th scope="row">pack_values</th>
 *     <td>values [heads][count][64][d], packed; first, count, stride</td><td>heads * count</td></tr>
 * <tr><th scope="row">store_dense</th>
 *     <td>key [heads][d], value [heads][d], dense; tile, token within it, stride</td><td>heads</td></tr>
 * <tr><th scope="row">load_dense</th>
 *     <td>dense, keys [heads][64][d] (written), values [heads][64][d] (written); tile, stride</td><td>heads</td></tr>
 * <tr><th scope="row">import_tiles</th>
 *     <td>tiles [heads][count] as in host memory, packed; first, count, stride</td><td>heads * count</td></tr>
 * <tr><th scope="row">export_tiles</th>
 *     <td>packed, tiles [heads][count] as in host memory (written); first, count, stride</td>
 *     <td>heads * count</td></tr>
 * <tr><th scope="row">arrange_tiles</th>
 *     <td>packed; first, count, stride; only if a program asks for it ({@link FusedAttend#arranged})</td>
 *     <td>heads * count</td></tr>
 * <tr><th scope="row">attend</th>
 *     <td>queries [heads][G][d], scales, packed, dense, partials (written); packedTokens, denseTokens, packedStride,
 *     denseStride, splits</td><td>heads * passes * splits, of 32 * teams work-items</td></tr>
 * <tr><th scope="row">merge</th>
 *     <td>partials, results (written: output [heads][G][d], log-sum-exp [heads][G], what {@code attend} stored in
 *     {@code receipt}); parts = splits * teams; receipt</td>
 *     <td>heads * passes * ceil(d / 32), of 256 work-items</td></tr>
 * </tbody>
 * </table>
 */
public interface OpenClKernels {

    /** Returns the program, in OpenCL C 1.2. */
    String source();

    /** Returns the bytes of one packed tile in device memory. */
    int tileBytes();

    /** Returns the bytes of one dense tile in device memory. */
    int denseTileBytes();

    /**
     * Returns how many query heads one pass of {@code attend} serves; {@code passes} is {@code G} over it, rounded up.
     */
    int headsPerPass();

    /** Returns how many teams of 32 work-items a work-group of {@code attend} has. */
    int teams();

    /** Returns how many work-groups of {@code attend} a unit of a graphics processor should have. */
    int groupsPerUnit();

    /**
     * Returns the program for NVIDIA devices of compute capability 9.0 and up, if there is one for this specification.
     */
    default Optional<FusedAttend> nvidia() {
        return Optional.empty();
    }

    /**
     * A program whose decode step is one launch: its {@code attend} merges the splits itself, and there is no
     * {@code merge}. Its parameters are queries, scales, packed, dense, partials, arrivals, results; packedTokens,
     * denseTokens, packedStride, denseStride, splits, clusterSize, launch. Work-groups are {@code heads * passes *
     * splits}; every split must have a tile.
     *
     * <p>Up to {@code clusterSize} splits are merged at once, more in {@code clusters = ceil(splits / clusterSize)}
     * clusters first; there are none if {@code splits} is not greater. Partial results take {@code heads * passes *
     * (splits + clusters) * headsPerPass * (d + 2)} float32 numbers, arrivals {@code heads * passes * (clusters + 1)}
     * of type {@code int}, zero before the first launch and left zero by each.
     *
     * @param source the program
     * @param headsPerPass query heads of a pass
     * @param teams warps of a work-group
     * @param groupsPerUnit work-groups that a compute unit has room for
     * @param arranged whether {@code arrange_tiles} is to follow whatever stores packed tiles
     */
    record FusedAttend(String source, int headsPerPass, int teams, int groupsPerUnit, boolean arranged) {}
}
