/** Annotations that describe an attention layer to Attune's processor; nothing else. */
module dev.attune.annotations {
    exports dev.attune.annotations;
}
