package dev.attune.bench.cli;

import dev.attune.bench.tuning.SpecificationCatalogue;
import dev.attune.examples.report.ResultTable;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lists specifications. */
@Command(
        name = "specs",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "Usage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        description = "Lists the specifications whose generated kernels are found.")
final class SpecsCommand implements Callable<Integer> {

    /** The layers that attune bench measures would drown the others. */
    private static final String BENCH_LAYERS = "dev.attune.bench.layers.";

    @Mixin
    SpecificationOptions specifications;

    @Mixin
    Output output;

    @Option(names = "--bench", description = "Also list the layers that attune bench measures.")
    boolean bench;

    /**
     * A specification as JSON.
     *
     * @param name qualified name of the annotated interface
     * @param shape its numbers
     * @param tileBytes bytes of 64 packed tokens of one key-value head
     * @param variants names of the generated variants
     */
    record Entry(String name, LayerShape shape, int tileBytes, List<String> variants) {}

    @Override
    public Integer call() {
        List<KernelProvider> providers = specifications.catalogue().providers().stream()
                .filter(provider ->
                        bench || !provider.specification().getName().startsWith(BENCH_LAYERS))
                .toList();
        List<List<String>> rows = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        for (KernelProvider provider : providers) {
            LayerShape shape = provider.shape();
            rows.add(List.of(
                    SpecificationCatalogue.simpleName(provider),
                    Integer.toString(shape.queryHeads()),
                    Integer.toString(shape.keyValueHeads()),
                    Integer.toString(shape.headDim()),
                    String.format(
                            Locale.ROOT, "%.1f", provider.layout().tileBytes() / (double) CacheLayout.TILE_TOKENS),
                    Integer.toString(provider.variants().size()),
                    provider.specification().getPackageName()));
            entries.add(new Entry(
                    provider.specification().getName(),
                    shape,
                    provider.layout().tileBytes(),
                    provider.variants().stream().map(KernelVariant::name).toList()));
        }
        output.text(new ResultTable(
                        List.of("specification", "Q heads", "KV heads", "dim", "B/token/head", "variants", "package"),
                        rows)
                .lines());
        output.json(entries);
        return 0;
    }
}
