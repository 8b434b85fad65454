package dev.attune.reference;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.spi.OpenClKernels;
import dev.attune.runtime.spi.TunedChoice;
import java.util.List;
import java.util.Optional;

/** Another provider but for what a test overrides. */
public class ForwardingProvider implements KernelProvider {

    private final KernelProvider provider;

    public ForwardingProvider(KernelProvider provider) {
        this.provider = provider;
    }

    @Override
    public Class<?> specification() {
        return provider.specification();
    }

    @Override
    public LayerShape shape() {
        return provider.shape();
    }

    @Override
    public CacheLayout layout() {
        return provider.layout();
    }

    @Override
    public Fingerprint fingerprint() {
        return provider.fingerprint();
    }

    @Override
    public List<KernelVariant> variants() {
        return provider.variants();
    }

    @Override
    public AttentionKernels create(KernelVariant variant) {
        return provider.create(variant);
    }

    @Override
    public List<TunedChoice> tunedChoices() {
        return provider.tunedChoices();
    }

    @Override
    public Optional<OpenClKernels> openCl() {
        return provider.openCl();
    }
}
