package dev.attune.runtime.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What only programs for some devices do to a shard's packed tiles, and a look at their bytes. */
public final class ArrangedTiles {

    private ArrangedTiles() {}

    /** Arranges the first tiles of every head. */
    public static void arrange(DeviceShard shard, int count) {
        shard.arrange(0, count);
    }

    /** Returns the bytes of all packed tiles as they are on the device. */
    public static byte[] bytes(DeviceShard shard) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(shard.packed().bytes());
            shard.packed().read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }
}
