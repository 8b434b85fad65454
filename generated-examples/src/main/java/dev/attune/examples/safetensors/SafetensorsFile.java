package dev.attune.examples.safetensors;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.attune.examples.InputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A memory-mapped safetensors file.
 *
 * <p>The format: the header's length (8 bytes, little-endian), a JSON object that maps each tensor's name to its type,
 * shape and byte range, then the tensors.
 */
public final class SafetensorsFile implements AutoCloseable {

    private static final ValueLayout.OfLong HEADER_LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final Map<String, Integer> BYTES = Map.of("BF16", 2, "F32", 4, "I32", 4);

    private final Path path;
    private final Arena arena;
    private final Map<String, Tensor> tensors;

    private SafetensorsFile(Path path, Arena arena, Map<String, Tensor> tensors) {
        this.path = path;
        this.arena = arena;
        this.tensors = tensors;
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws InputException if the file is missing, is not in the format, or holds a type other than BF16, F32, I32
     */
    public static SafetensorsFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new SafetensorsFile(path, arena, tensors(path, file));
        } catch (NoSuchFileException e) {
            arena.close();
            throw new InputException(path + " does not exist; a model directory holds model.safetensors and"
                    + " config.json", e);
        } catch (IOException e) {
            arena.close();
            throw new InputException(path + " cannot be read: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static Map<String, Tensor> tensors(Path path, MemorySegment file) throws IOException {
        if (file.byteSize() < 8) {
            throw fault(path, "it has " + file.byteSize() + " bytes, fewer than the 8 of the header's length");
        }
        long headerLength = file.get(HEADER_LENGTH, 0);
        if (headerLength < 2 || headerLength > file.byteSize() - 8 || headerLength > Integer.MAX_VALUE) {
            throw fault(path, "its header claims " + headerLength + " bytes, the file has " + file.byteSize());
        }
        JsonNode header;
        try {
            header = new ObjectMapper().readTree(
                    file.asSlice(8, headerLength).toArray(ValueLayout.JAVA_BYTE));
        } catch (JacksonException e) {
            throw fault(path, "its header is not JSON: " + e.getOriginalMessage());
        }
        MemorySegment data = file.asSlice(8 + headerLength);
        Map<String, Tensor> tensors = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : header.properties()) {
            if (!entry.getKey().equals("__metadata__")) {
                tensors.put(entry.getKey(), tensor(path, entry.getKey(), entry.getValue(), data));
            }
        }
        return tensors;
    }

    private static Tensor tensor(Path path, String name, JsonNode entry, MemorySegment data) {
        String type = entry.path("dtype").asText();
        Integer elementBytes = BYTES.get(type);
        if (elementBytes == null) {
            throw fault(path, "tensor " + name + " has type '" + type + "'; BF16, F32 and I32 can be read");
        }
        List<Integer> shape = new ArrayList<>();
        long bytes = elementBytes;
        for (JsonNode dimension : entry.path("shape")) {
            if (!dimension.canConvertToInt() || dimension.asInt() < 0) {
                throw fault(path, "tensor " + name + " has a dimension of " + dimension);
            }
            shape.add(dimension.asInt());
            // A file has fewer bytes than this, and the product cannot overflow.
            if (dimension.asInt() > 0 && bytes > Long.MAX_VALUE / dimension.asInt()) {
                throw fault(path, "tensor " + name + " is too large: shape " + entry.path("shape"));
            }
            bytes *= dimension.asInt();
        }
        long begin = entry.path("data_offsets").path(0).asLong(-1);
        long end = entry.path("data_offsets").path(1).asLong(-1);
        if (begin < 0 || end < begin || end > data.byteSize()) {
            throw fault(path, "tensor " + name + " lies at bytes " + begin + " to " + end + " of "
                    + data.byteSize() + "; the file may be cut short");
        }
        if (end - begin != bytes) {
            throw fault(path, "tensor " + name + " of type " + type + " and shape " + shape + " needs " + bytes
                    + " bytes but has " + (end - begin));
        }
        return new Tensor(name, type, List.copyOf(shape), data.asSlice(begin, bytes));
    }

    private static InputException fault(Path path, String fault) {
        return new InputException(path + " is not a readable safetensors file: " + fault + "; save or copy it again");
    }

    /** Returns the names of all tensors, sorted. */
    public Set<String> names() {
        return tensors.keySet();
    }

    /**
     * Returns one tensor.
     *
     * @throws InputException if the file has none of that name
     */
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new InputException(path + " has no tensor " + name + "; a Llama-architecture model needs it");
        }
        return tensor;
    }

    /** Unmaps the file; tensors read from it become invalid. */
    @Override
    public void close() {
        arena.close();
    }
}
