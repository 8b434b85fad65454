package dev.attune.bench.cli;

import dev.attune.bench.tuning.PrunedShares;
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
        header = "List the specifications that are found.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        description = "Lists the specifications whose generated kernels are found.")
final class SpecsCommand implements Callable<Integer> {

    private static final int PACKAGE = 8;

    @Mixin
    SpecificationOptions specifications;

    @Mixin
    Output output;

    @Option(names = "--bench", description = "Also list what Attune's own benchmarks measure.")
    boolean bench;

    /**
     * A specification as JSON.
     *
     * @param name qualified name of the annotated interface
     * @param shape its numbers
     * @param pruned fractions of keys and values that are pruned
     * @param tileBytes bytes of 64 packed tokens of one key-value head
     * @param variants names of the generated variants
     */
    record Entry(String name, LayerShape shape, PrunedShares pruned, int tileBytes, List<String> variants) {}

    @Override
    public Integer call() {
        SpecificationCatalogue found = specifications.catalogue();
        List<KernelProvider> providers = (bench ? found : found.withoutBenchmarks()).providers();
        List<List<String>> rows = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        for (KernelProvider provider : providers) {
            LayerShape shape = provider.shape();
            PrunedShares pruned = PrunedShares.of(provider.specification());
            rows.add(List.of(
                    SpecificationCatalogue.simpleName(provider),
                    Integer.toString(shape.queryHeads()),
                    Integer.toString(shape.keyValueHeads()),
                    Integer.toString(shape.headDim()),
                    String.format(Locale.ROOT, "%.2f", pruned.keys()),
                    String.format(Locale.ROOT, "%.2f", pruned.values()),
                    String.format(
                            Locale.ROOT, "%.1f", provider.layout().tileBytes() / (double) CacheLayout.TILE_TOKENS),
                    Integer.toString(provider.variants().size()),
                    provider.specification().getPackageName()));
            entries.add(new Entry(
                    provider.specification().getName(),
                    shape,
                    pruned,
                    provider.layout().tileBytes(),
                    provider.variants().stream().map(KernelVariant::name).toList()));
        }
        output.text(new ResultTable(
                        List.of(
                                "specification", "Q heads", "KV heads", "dim", "K pruned", "V pruned", "B/token/head",
                                "variants", "package"),
                        rows)
                .lines(PACKAGE));
        output.json(entries);
        return 0;
    }
}
