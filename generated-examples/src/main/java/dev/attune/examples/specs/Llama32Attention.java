package dev.attune.examples.specs;

import dev.attune.annotations.AttentionSpec;

/** One attention layer of Llama 3.2 1B, whose heads have 64 channels: keys pruned by 80 %, values dense. */
@AttentionSpec(queryHeads = 32, keyValueHeads = 8, headDim = 64)
public interface Llama32Attention {}
