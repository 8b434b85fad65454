package dev.attune.examples.report;

import dev.attune.examples.evaluation.CacheResult;
import dev.attune.examples.evaluation.NeedleScore;
import java.util.List;
import org.jfree.chart.axis.AxisLocation;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.labels.ItemLabelAnchor;
import org.jfree.chart.labels.ItemLabelPosition;
import org.jfree.chart.labels.StandardCategoryItemLabelGenerator;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.category.DefaultCategoryDataset;

/** Exact answers in percent: one group of bars per cache, one bar per file. */
final class NeedleChart {

    private NeedleChart() {}

    static String svg(List<CacheResult> results) {
        DefaultCategoryDataset data = new DefaultCategoryDataset();
        for (CacheResult result : results) {
            for (NeedleScore score : result.needles()) {
                data.addValue(100 * score.accuracy(), score.file(), result.choice().name());
            }
        }
        BarRenderer renderer = new BarRenderer();
        renderer.setBarPainter(new StandardBarPainter());
        renderer.setShadowVisible(false);
        renderer.setItemMargin(0.08);
        renderer.setDefaultItemLabelGenerator(
                new StandardCategoryItemLabelGenerator("{2}", ChartStyle.format("0.0")));
        renderer.setDefaultItemLabelsVisible(true);
        renderer.setDefaultItemLabelFont(ChartStyle.LABELS);
        renderer.setDefaultItemLabelPaint(ChartStyle.TEXT);
        renderer.setDefaultPositiveItemLabelPosition(
                new ItemLabelPosition(ItemLabelAnchor.OUTSIDE3, TextAnchor.CENTER_LEFT));
        for (int file = 0; file < data.getRowCount(); file++) {
            renderer.setSeriesPaint(file, ChartStyle.colour(file + 1));
        }
        CategoryAxis caches = new CategoryAxis();
        caches.setCategoryMargin(0.28);
        caches.setMaximumCategoryLabelWidthRatio(0.3f);
        NumberAxis percent = new NumberAxis("exact answers in %");
        // Beyond 100, so that the bars' labels fit.
        percent.setRange(0, 110);
        percent.setTickUnit(new NumberTickUnit(20));
        ChartStyle.apply(caches);
        ChartStyle.apply(percent);
        CategoryPlot plot = new CategoryPlot(data, caches, percent, renderer);
        plot.setOrientation(PlotOrientation.HORIZONTAL);
        plot.setRangeAxisLocation(AxisLocation.BOTTOM_OR_LEFT);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        int height = 90 + results.size() * (16 + 18 * data.getRowCount());
        return ChartStyle.svg(ChartStyle.chart(plot, true), "needles", height);
    }
}
